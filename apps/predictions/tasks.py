"""The worker's side of predictions."""

from __future__ import annotations

from apps.inference.analysis import verified_package
from apps.inference.packages.card import Package
from apps.inference.runtimes.events import events_model
from apps.jobs.errors import Refusal
from apps.jobs.leases import working
from apps.jobs.tasks import accelerator_task
from apps.notes.nlp.understanding import gravity
from apps.predictions import prediction_jobs
from apps.predictions.models import Prediction, PredictionKind
from apps.predictions.risk import fusion, trajectory


@accelerator_task("predictions.predict")
def predict(pk: str) -> None:
    """Foretell."""
    taken = prediction_jobs.take(pk)
    with working(*taken):
        for one in taken:
            prediction_jobs.record(one, _foretold(one))


def _foretold(prediction: Prediction) -> dict[str, object]:
    package = verified_package(prediction.package)
    if prediction.kind == PredictionKind.DETERIORATION:
        given = prediction_jobs.stay_of(prediction)
        return trajectory.answer(
            package, hour=given.hour, measured=given.measured, person=given.person, supposed=given.supposed,
            explained=prediction.asker_id is None,
        )  # fmt: skip
    if prediction.kind == PredictionKind.NEXT_EVENT:
        model = events_model(package)
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
