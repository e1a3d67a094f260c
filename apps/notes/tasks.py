"""The worker's side of notes."""

from __future__ import annotations

import numpy as np
from django.conf import settings

from apps.explainability.explainers.answering import answer
from apps.inference.analysis import verified_package
from apps.inference.packages.card import Package
from apps.inference.runtimes.sentences import encoder
from apps.jobs.errors import ReadableError
from apps.jobs.leases import working
from apps.jobs.tasks import accelerator_task
from apps.notes import note_extraction, summaries
from apps.notes.nlp import generation, summary
from apps.notes.nlp.understanding import OPENING, understand


@accelerator_task("notes.extract_note")
def read_note(pk: str) -> None:
    """Understand a note."""
    taken = note_extraction.take(pk)
    with working(*taken):
        for one in taken:
            note_extraction.record(
                one, understand(note_extraction.text_of(one), encoder(settings.SENTENCE_MODEL), _specialties())
            )


@accelerator_task("notes.explain_specialty")
def explain_note(pk: str) -> None:
    """Say why a note was given its specialty."""
    taken = note_extraction.take_why(pk)
    with working(*taken):
        for one in taken:
            note_extraction.record_why(
                one, answer(verified_package(one.package), {"text": note_extraction.text_of(one.reading)[:OPENING]})
            )


@accelerator_task("notes.summarise_case")
def summarise(pk: str) -> None:
    """Sum a case up, and keep what it is like."""
    taken = summaries.take(pk)
    with working(*taken):
        for one in taken:
            said = summaries.sentences_of(one.case)
            sentences, how = _summary(said)
            summaries.record(one, sentences, how)
            mean = np.stack([sentence.vector for sentence in said]).mean(axis=0)
            summaries.keep_vector(one.case, mean, summaries.maker_of(one.case))


def _specialties() -> list[Package]:
    found = []
    for row in note_extraction.specialties():
        try:
            found.append(verified_package(row))
        except ReadableError:
            continue
    return found


def _summary(said: list[summaries.Said]) -> tuple[list[dict[str, object]], str]:
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
    return (written, settings.SUMMARY_MODEL) if written else (extracted, summaries.NOTHING_WRITTEN)
