"""The worker's side of rule evaluation."""

from __future__ import annotations

import logging

from apps.jobs.runner import JobRunner
from apps.recommendations import ordering, proposing
from apps.recommendations.models import Reckoning

logger = logging.getLogger(__name__)


class EvaluateRules(JobRunner[Reckoning, None, proposing.Reckoned]):
    """Ask rules and ranker about a patient, and propose what they call for."""

    model = Reckoning

    def load(self, job: Reckoning) -> None:
        """Facts are gathered in :meth:`run`, which reads and writes nothing else."""

    def run(self, job: Reckoning, loaded: None) -> proposing.Reckoned:
        """The verdict and its order."""
        return proposing.reckon(job.patient, *ordering.active())

    def save(self, job: Reckoning, result: proposing.Reckoned) -> None:
        """Propose, renew, hold back, recall."""
        proposing.record(job, result)


reckon = EvaluateRules.as_task()
