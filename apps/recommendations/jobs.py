"""Background job of rule evaluation."""

from __future__ import annotations

import logging

from apps.jobs.runner import JobRunner
from apps.recommendations import active_ranker, engine
from apps.recommendations.models import RuleEvaluation

logger = logging.getLogger(__name__)


class EvaluateRules(JobRunner[RuleEvaluation, None, engine.EvaluatedRules]):
    """Evaluate rules and ranker for a patient and store the resulting recommendations."""

    model = RuleEvaluation

    def load(self, job: RuleEvaluation) -> None:
        """Load nothing: :meth:`run` collects the facts; it writes nothing."""

    def run(self, job: RuleEvaluation, loaded: None) -> engine.EvaluatedRules:
        """Return the verdict and the ranked order."""
        return engine.evaluate_rules(job.patient, *active_ranker.active())

    def save(self, job: RuleEvaluation, result: engine.EvaluatedRules) -> None:
        """Create, update and recall recommendations."""
        engine.store_evaluation(job, result)


evaluate_rules = EvaluateRules.as_task()
