import ast
from pathlib import Path

from app.adapters.outbound.sql.advisory_locks import AdvisoryLock

SQL = Path(__file__).parents[3] / "app" / "adapters" / "outbound" / "sql"


def test_no_two_locks_share_a_number() -> None:
    numbers = {lock.number for lock in AdvisoryLock}

    assert len(numbers) == len(AdvisoryLock)
    assert len({lock.value for lock in AdvisoryLock}) == len(AdvisoryLock)
    assert all(-(2**63) <= number < 2**63 for number in numbers)


def test_the_numbers_are_those_that_other_versions_take() -> None:
    assert AdvisoryLock.COUNTING.number == -3871439746369948121


def test_locks_are_taken_by_name_in_one_place_and_end_with_their_transaction() -> None:
    users = {path.name: path.read_text() for path in (SQL.parents[2]).rglob("*.py") if "advisory" in path.read_text()}
    taken = [name for name, text in users.items() if "pg_advisory" in text or "pg_try_advisory" in text]

    assert taken == ["advisory_locks.py"]
    assert {name for name in _names(users["advisory_locks.py"]) if name.startswith("pg_")} == {
        "pg_advisory_xact_lock",
        "pg_advisory_xact_lock_shared",
    }


def test_no_number_in_the_code_could_be_a_lock() -> None:
    """One of them stood in two modules once, in two meanings."""
    for path in SQL.rglob("*.py"):
        large = [ast.dump(node) for node in ast.walk(ast.parse(path.read_text())) if _is_large(node)]
        assert not large, path


def _names(text: str) -> set[str]:
    return {node.attr for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)}


def _is_large(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int) and node.value > 2**40
