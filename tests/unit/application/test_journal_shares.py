from app.application.journal_shares import ALL_SHARES, fair_number, share_of


def test_the_share_of_a_provider_is_the_same_in_every_process_and_version() -> None:
    assert [share_of(name) for name in ("demo", "other", "ñandú")] == [0, 0, 6]


def test_providers_are_spread_over_all_shares() -> None:
    counts = [0 for _ in ALL_SHARES]
    for number in range(1600):
        counts[share_of(f"provider-{number}")] += 1

    assert min(counts) > 50


def test_workers_take_as_many_each_that_all_are_taken() -> None:
    assert [fair_number(workers) for workers in (0, 1, 2, 3, 5, 16, 40)] == [16, 16, 8, 6, 4, 1, 1]
