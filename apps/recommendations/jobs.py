"""The worker's side of rule evaluation."""

from __future__ import annotations

import logging

from apps.jobs.runner import JobRunner
from apps.recommendations import active_ranker, engine
from apps.recommendations.models import RuleEvaluation

logger = logging.getLogger(__name__)


class EvaluateRules(JobRunner[RuleEvaluation, None, engine.EvaluatedRules]):
    """Ask rules and ranker about a patient, and propose what they call for."""

    model = RuleEvaluation

    def load(self, job: RuleEvaluation) -> None:
        """Facts are gathered in :meth:`run`, which reads and writes nothing else."""

    def run(self, job: RuleEvaluation, loaded: None) -> engine.EvaluatedRules:
        """The verdict and its order."""
        return engine.evaluate_rules(job.patient, *active_ranker.active())

    def save(self, job: RuleEvaluation, result: engine.EvaluatedRules) -> None:
        """Propose, renew, hold back, recall."""
        engine.record(job, result)


evaluate_rules = EvaluateRules.as_task()
