"""The worker's side of cases."""

from __future__ import annotations

import numpy as np
from django.conf import settings

from apps.cases import following, predicting, reading, summarising
from apps.cases.models import Prediction, PredictionKind
from apps.cases.nlp import generation, summary
from apps.cases.nlp.understanding import OPENING, gravity, understand
from apps.cases.risk import course, joining
from apps.explainability.explainers.answering import answer
from apps.inference.analysis import verified_package
from apps.inference.packages.card import Package
from apps.inference.runtimes.events import events_model
from apps.inference.runtimes.sentences import encoder
from apps.jobs.errors import ReadableError, Refusal
from apps.jobs.leases import working
from apps.jobs.tasks import accelerator_task, short_task


@short_task("cases.follow_analysis")
def follow_analysis(pk: str) -> None:
    """An analysis has ended."""
    following.follow(pk)


@accelerator_task("cases.read_note")
def read_note(pk: str) -> None:
    """Understand a note."""
    taken = reading.take(pk)
    with working(*taken):
        for one in taken:
            reading.record(one, understand(reading.text_of(one), encoder(settings.SENTENCE_MODEL), _specialties()))


@accelerator_task("cases.explain_note")
def explain_note(pk: str) -> None:
    """Say why a note was given its specialty."""
    taken = reading.take_why(pk)
    with working(*taken):
        for one in taken:
            reading.record_why(
                one, answer(verified_package(one.package), {"text": reading.text_of(one.reading)[:OPENING]})
            )


@accelerator_task("cases.summarise")
def summarise(pk: str) -> None:
    """Sum a case up, and keep what it is like."""
    taken = summarising.take(pk)
    with working(*taken):
        for one in taken:
            said = summarising.sentences_of(one.case)
            sentences, how = _summary(said)
            summarising.record(one, sentences, how)
            mean = np.stack([sentence.vector for sentence in said]).mean(axis=0)
            summarising.keep_vector(one.case, mean, summarising.maker_of(one.case))


@accelerator_task("cases.predict")
def predict(pk: str) -> None:
    """Foretell."""
    taken = predicting.take(pk)
    with working(*taken):
        for one in taken:
            predicting.record(one, _foretold(one))


def _specialties() -> list[Package]:
    found = []
    for row in reading.specialties():
        try:
            found.append(verified_package(row))
        except ReadableError:
            continue
    return found


def _summary(said: list[summarising.Said]) -> tuple[list[dict[str, object]], str]:
    """Extractive, or by the configured generative model with each statement's sources and support."""
    sentences = [summary.Sentence(one.text, str(one.note), one.start, one.end, one.section) for one in said]
    chosen = summary.summarise(sentences, np.stack([one.vector for one in said]))
    sources = [
        {"note": sentences[place].note, "start": sentences[place].start, "end": sentences[place].end}
        for place in chosen
    ]
    extracted: list[dict[str, object]] = [
        {"text": sentences[place].text, "sources": [source], "supported": True}
        for place, source in zip(chosen, sources, strict=True)
    ]
    if not settings.SUMMARY_MODEL:
        return extracted, "extractive"
    writer = generation.generator(settings.SUMMARY_MODEL)
    given = [sentences[place] for place in chosen]
    claims = generation.abstract(given, writer, encoder(settings.SENTENCE_MODEL))
    written = [
        {"text": claim.text, "sources": [sources[place] for place in claim.cites], "supported": claim.supported}
        for claim in claims
    ]
    return (written, settings.SUMMARY_MODEL) if written else (extracted, summarising.NOTHING_WRITTEN)


def _foretold(prediction: Prediction) -> dict[str, object]:
    package = verified_package(prediction.package)
    if prediction.kind == PredictionKind.DETERIORATION:
        given = predicting.stay_of(prediction)
        return course.answer(
            package, hour=given.hour, measured=given.measured, person=given.person, supposed=given.supposed,
            explained=prediction.asker_id is None,
        )  # fmt: skip
    if prediction.kind == PredictionKind.NEXT_EVENT:
        model = events_model(package)
        return {"following": model.following(predicting.tokens_of(prediction.case))[:5]}
    return _joined(prediction, package)


def _joined(prediction: Prediction, package: Package) -> dict[str, object]:
    from scipy.special import expit

    sources = predicting.sources_of(prediction.case)
    if not sources:
        raise Refusal("nothing_to_fuse")
    probabilities = {name: source["probability"] for name, source in sources.items() if "probability" in source}
    grave: list[str] = []
    if "text" in sources:
        odds, grave = gravity(sources["text"]["mentions"])
        probabilities["text"] = float(expit(odds))
    return {**joining.joined(package, probabilities), "grave": grave, "film": sources.get("image", {}).get("what")}
