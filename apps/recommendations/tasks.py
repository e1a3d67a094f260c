"""Periodic tasks of recommendations."""

from __future__ import annotations

import logging

from django.utils import timezone

from apps.jobs.tasks import accelerator_task, short_task
from apps.recommendations import maintenance, ranker_training

logger = logging.getLogger(__name__)


@short_task("recommendations.keep")
def keep() -> None:
    """Expire and remind, and re-evaluate patients whose last evaluation is old."""
    maintenance.expire()
    maintenance.remind()
    maintenance.evaluate_stale_patients()


@accelerator_task("recommendations.learn")
def learn() -> None:
    """Retrain the ranker if there is enough data."""
    from apps.recommendations.ranking.training import train

    people = ranker_training.learners()
    if why := ranker_training.insufficient_data(people):
        logger.info("the ranker is not retrained: %s", why)
        return
    version = timezone.now().strftime("%Y.%-m.%-d%H%M")
    output = ranker_training.package_path(version)
    train(
        people,
        ranker_training.codes(),
        output,
        version=version,
        data="own patients",
        how=ranker_training.HOW,
        source=ranker_training.SOURCE,
    )
    ranker_training.adopt(output, version)
