"""What `make test-changed` chooses."""

from tests.support.changed import chosen

IMPORTS = {
    "app/domain/plans.py": set[str](),
    "app/domain/gate.py": {"app/domain/plans.py"},
    "app/domain/far.py": {"app/domain/gate.py"},
    "tests/unit/domain/test_plans.py": {"app/domain/plans.py"},
    "tests/unit/domain/test_gate.py": {"app/domain/gate.py"},
    "tests/unit/domain/test_far.py": {"app/domain/far.py"},
    "tests/contract/test_catalog.py": {"app/domain/plans.py"},
    "tests/e2e/test_world.py": {"app/domain/plans.py"},
}


def test_the_nearest_come_first_and_whole_services_last() -> None:
    assert chosen({"app/domain/plans.py"}, IMPORTS) == [
        (0, "tests/unit/domain/test_plans.py"),
        (2, "tests/unit/domain/test_gate.py"),
        (1, "tests/contract/test_catalog.py"),
        (1, "tests/e2e/test_world.py"),
    ]


def test_a_changed_test_is_run_whatever_it_tests_and_one_that_is_gone_is_not() -> None:
    changed = {"tests/e2e/test_world.py", "tests/unit/domain/test_gone.py", "doc/development.md"}

    assert chosen(changed, IMPORTS) == [(0, "tests/e2e/test_world.py")]
