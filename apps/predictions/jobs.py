"""The worker's side of predictions."""

from __future__ import annotations

from apps.inference.analysis import verified_package
from apps.inference.engines.runtime_cache import loaded_model
from apps.inference.packages.card import Package
from apps.jobs.errors import Refusal
from apps.jobs.runner import JobRunner
from apps.notes.nlp.understanding import gravity
from apps.predictions import prediction_jobs
from apps.predictions.models import Prediction, PredictionKind
from apps.predictions.risk import fusion, trajectory
from apps.records.access import require_ai_consent


class Predict(JobRunner[Prediction, None, dict[str, object]]):
    """Ask a model about a case as it is now, or as it might be."""

    model = Prediction

    def check(self, job: Prediction) -> None:
        """Refuse without consent."""
        require_ai_consent(job.case)

    def load(self, job: Prediction) -> None:
        """What each kind of model reads is gathered in :meth:`run`."""

    def run(self, job: Prediction, loaded: None) -> dict[str, object]:
        """The model's answer as it is stored."""
        return _predict(job)

    def save(self, job: Prediction, result: dict[str, object]) -> None:
        """Store it; of the case as it is, also log it and hold it against the alarm rules."""
        prediction_jobs.record(job, result)


predict = Predict.as_task()


def _predict(prediction: Prediction) -> dict[str, object]:
    package = verified_package(prediction.package)
    if prediction.kind == PredictionKind.DETERIORATION:
        given = prediction_jobs.stay_of(prediction)
        return trajectory.answer(
            package, hour=given.hour, measured=given.measured, person=given.person, supposed=given.supposed,
            explained=prediction.asker_id is None,
        )  # fmt: skip
    if prediction.kind == PredictionKind.NEXT_EVENT:
        model = loaded_model(package)
        return {"following": model.following(prediction_jobs.tokens_of(prediction.case))[:5]}
    return _joined(prediction, package)


def _joined(prediction: Prediction, package: Package) -> dict[str, object]:
    from scipy.special import expit

    sources = prediction_jobs.sources_of(prediction.case)
    if not sources:
        raise Refusal("nothing_to_fuse")
    probabilities = {name: source["probability"] for name, source in sources.items() if "probability" in source}
    grave: list[str] = []
    if "text" in sources:
        odds, grave = gravity(sources["text"]["mentions"])
        probabilities["text"] = float(expit(odds))
    return {**fusion.joined(package, probabilities), "grave": grave, "film": sources.get("image", {}).get("what")}
