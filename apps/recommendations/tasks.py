"""The worker's side of recommendations."""

from __future__ import annotations

import logging

from django.utils import timezone

from apps.jobs.leases import working
from apps.jobs.tasks import accelerator_task, short_task
from apps.recommendations import keeping, learning, ordering, proposing

logger = logging.getLogger(__name__)


@accelerator_task("recommendations.reckon")
def reckon(pk: str) -> None:
    """Ask rules and ranker about a patient."""
    taken = proposing.take(pk)
    with working(*taken):
        for one in taken:
            proposing.record(one, proposing.reckon(one.patient, *ordering.active()))


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
