"""What the clock has done for recommendations."""

from __future__ import annotations

import logging

from django.utils import timezone

from apps.jobs.tasks import accelerator_task, short_task
from apps.recommendations import maintenance, ranker_training

logger = logging.getLogger(__name__)


@short_task("recommendations.keep")
def keep() -> None:
    """Expire, remind, ask anew about patients whose birthday or interval has come."""
    maintenance.expire()
    maintenance.remind()
    maintenance.ask_about_some()


@accelerator_task("recommendations.learn")
def learn() -> None:
    """Train the order anew if there is enough to learn from."""
    from apps.recommendations.ranking.training import train

    people = ranker_training.learners()
    if why := ranker_training.enough(people):
        logger.info("the order of recommendations is not learned: %s", why)
        return
    version = timezone.now().strftime("%Y.%-m.%-d%H%M")
    place = ranker_training.place_of(version)
    train(
        people,
        ranker_training.codes(),
        place,
        version=version,
        data="own patients",
        how=ranker_training.HOW,
        source=ranker_training.SOURCE,
    )
    ranker_training.adopt(place, version)
