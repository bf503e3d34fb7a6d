"""`marquee providers try` over feeds that nobody has described: what it proposes gives the plans as it stands."""

from datetime import UTC, datetime

import pytest

from app.application.ports.feed_trials import FeedUnderTrial
from app.application.try_feed import Trial
from app.infrastructure.wiring.feed_trials import open_feed_trial
from tests.support.fixed_clock import FixedClock
from tests.support.unknown_feeds import FEEDS, UnknownFeed, told

NOW = datetime(2026, 4, 1, tzinfo=UTC)


async def tried(feed: UnknownFeed) -> Trial:
    return await open_feed_trial(FixedClock(NOW))(
        FeedUnderTrial(url=feed.path.as_uri(), timezone=feed.timezone), plans=1000
    )


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.file)
async def test_what_is_proposed_gives_the_plans_that_a_person_sees_in_the_feed(feed: UnknownFeed) -> None:
    trial = await tried(feed)

    assert trial.reading is not None
    assert [told(plan) for plan in trial.reading.plans] == list(feed.plans)
    assert [(one.part, one.message) for one in trial.reading.rejections] == []
