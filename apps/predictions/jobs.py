"""Background job of predictions."""

from __future__ import annotations

from apps.inference.analysis import verified_package
from apps.inference.engines.runtime_cache import loaded_model
from apps.inference.packages.card import Package
from apps.jobs.errors import Refusal
from apps.jobs.runner import JobRunner
from apps.notes.nlp.understanding import severity_log_odds
from apps.predictions import prediction_jobs
from apps.predictions.models import Prediction, PredictionKind
from apps.predictions.risk import fusion, trajectory
from apps.records.access import require_ai_consent


class Predict(JobRunner[Prediction, None, dict[str, object]]):
    """Run a model on a case as it is, or on a what-if question."""

    model = Prediction

    def check(self, job: Prediction) -> None:
        """Refuse if the patient has not consented to AI."""
        require_ai_consent(job.case)

    def load(self, job: Prediction) -> None:
        """Load nothing: :meth:`run` collects the inputs of each kind of model."""

    def run(self, job: Prediction, loaded: None) -> dict[str, object]:
        """Return the model's output as it is stored."""
        return _predict(job)

    def save(self, job: Prediction, result: dict[str, object]) -> None:
        """Store the prediction; unless it is a what-if, also log it and check the alarm rules."""
        prediction_jobs.store_prediction(job, result)


predict = Predict.as_task()


def _predict(prediction: Prediction) -> dict[str, object]:
    package = verified_package(prediction.package)
    if prediction.kind == PredictionKind.DETERIORATION:
        stay = prediction_jobs.stay_input(prediction)
        return trajectory.answer(
            package, hour=stay.hour, measured=stay.measured, person=stay.person, supposed=stay.supposed,
            explained=prediction.asker_id is None,
        )  # fmt: skip
    if prediction.kind == PredictionKind.NEXT_EVENT:
        model = loaded_model(package)
        return {"following": model.following(prediction_jobs.tokens_of(prediction.case))[:5]}
    return _fuse(prediction, package)


def _fuse(prediction: Prediction, package: Package) -> dict[str, object]:
    from scipy.special import expit

    sources = prediction_jobs.sources_of(prediction.case)
    if not sources:
        raise Refusal("nothing_to_fuse")
    probabilities = {name: source["probability"] for name, source in sources.items() if "probability" in source}
    grave: list[str] = []
    if "text" in sources:
        odds, grave = severity_log_odds(sources["text"]["mentions"])
        probabilities["text"] = float(expit(odds))
    return {**fusion.fuse(package, probabilities), "grave": grave, "film": sources.get("image", {}).get("what")}
