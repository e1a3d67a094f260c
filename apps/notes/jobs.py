"""The worker's side of notes."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.conf import settings

from apps.explainability.explainers.registry import answer
from apps.inference.analysis import verified_package
from apps.inference.engines.sentence_head.encoder import encoder
from apps.inference.packages.card import Package
from apps.jobs.errors import UserError
from apps.jobs.runner import JobRunner
from apps.notes import note_extraction, summaries
from apps.notes.models import NoteExtraction, SpecialtyExplanation, Summary
from apps.notes.nlp import generation, summary
from apps.notes.nlp.understanding import OPENING, Understood, understand
from apps.records.access import require_ai_consent


class ExtractNote(JobRunner[NoteExtraction, str, Understood]):
    """Find problems, signs, medication and measurements in a note, and its specialty."""

    model = NoteExtraction

    def check(self, job: NoteExtraction) -> None:
        """Refuse without consent."""
        require_ai_consent(job.note.case)

    def load(self, job: NoteExtraction) -> str:
        """The text of the revision."""
        return note_extraction.text_of(job)

    def run(self, job: NoteExtraction, loaded: str) -> Understood:
        """What is in it."""
        return understand(loaded, encoder(settings.SENTENCE_MODEL), _specialties())

    def save(self, job: NoteExtraction, result: Understood) -> None:
        """Store concepts and vectors, and have done what follows from them."""
        note_extraction.record(job, result)


class ExplainSpecialty(JobRunner[SpecialtyExplanation, str, dict[str, Any]]):
    """Why a note was given its specialty: SHAP over its words."""

    model = SpecialtyExplanation

    def check(self, job: SpecialtyExplanation) -> None:
        """Refuse without consent."""
        require_ai_consent(job.reading.note.case)

    def load(self, job: SpecialtyExplanation) -> str:
        """The beginning of the text, which is what the model reads."""
        return note_extraction.text_of(job.reading)[:OPENING]

    def run(self, job: SpecialtyExplanation, loaded: str) -> dict[str, Any]:
        """The answer with its attributions."""
        return answer(verified_package(job.package), {"text": loaded})

    def save(self, job: SpecialtyExplanation, result: dict[str, Any]) -> None:
        """Store it."""
        note_extraction.store_specialty_explanation(job, result)


class SummariseCase(JobRunner[Summary, list[summaries.NoteSentence], tuple[list[dict[str, object]], str]]):
    """Sum a case up, and keep what it is like."""

    model = Summary

    def check(self, job: Summary) -> None:
        """Refuse without consent."""
        require_ai_consent(job.case)

    def load(self, job: Summary) -> list[summaries.NoteSentence]:
        """The sentences of the case's notes with their vectors."""
        return summaries.sentences_of(job.case)

    def run(self, job: Summary, loaded: list[summaries.NoteSentence]) -> tuple[list[dict[str, object]], str]:
        """Sentences of the summary with their sources, and how they were made."""
        self._mean = np.stack([sentence.vector for sentence in loaded]).mean(axis=0)
        return _summary(loaded)

    def save(self, job: Summary, result: tuple[list[dict[str, object]], str]) -> None:
        """Store the summary and the case's vector."""
        summaries.record(job, *result)
        summaries.keep_vector(job.case, self._mean, summaries.maker_of(job.case))


read_note = ExtractNote.as_task()
explain_note = ExplainSpecialty.as_task()
summarise = SummariseCase.as_task()


def _specialties() -> list[Package]:
    found = []
    for row in note_extraction.specialties():
        try:
            found.append(verified_package(row))
        except UserError:
            continue
    return found


def _summary(said: list[summaries.NoteSentence]) -> tuple[list[dict[str, object]], str]:
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
