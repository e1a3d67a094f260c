"""What the clock has done for recommendations."""

from __future__ import annotations

import logging

from django.utils import timezone

from apps.jobs.tasks import accelerator_task, short_task
from apps.recommendations import keeping, learning

logger = logging.getLogger(__name__)


@short_task("recommendations.keep")
def keep() -> None:
    """Expire, remind, ask anew about patients whose birthday or interval has come."""
    keeping.expire()
    keeping.remind()
    keeping.ask_about_some()


@accelerator_task("recommendations.learn")
def learn() -> None:
    """Train the order anew if there is enough to learn from."""
    from apps.recommendations.ranking.training import train

    people = learning.learners()
    if why := learning.enough(people):
        logger.info("the order of recommendations is not learned: %s", why)
        return
    version = timezone.now().strftime("%Y.%-m.%-d%H%M")
    place = learning.place_of(version)
    train(
        people, learning.codes(), place, version=version, data="own patients", how=learning.HOW, source=learning.SOURCE
    )
    learning.adopt(place, version)
