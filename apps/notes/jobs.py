"""Background jobs of notes: extraction, specialty explanation, summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
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
from apps.notes.nlp.understanding import OPENING, NoteAnalysis, analyse_note
from apps.records.access import require_ai_consent


class ExtractNote(JobRunner[NoteExtraction, str, NoteAnalysis]):
    """Extract problems, symptoms, medication and measurements from a note and classify its specialty."""

    model = NoteExtraction

    def check(self, job: NoteExtraction) -> None:
        """Refuse if the patient has not consented to AI."""
        require_ai_consent(job.note.case)

    def load(self, job: NoteExtraction) -> str:
        """The text of the revision."""
        return note_extraction.text_of(job)

    def run(self, job: NoteExtraction, loaded: str) -> NoteAnalysis:
        """Extract concepts, sentence vectors and specialty."""
        return analyse_note(loaded, encoder(settings.SENTENCE_MODEL), _specialties())

    def save(self, job: NoteExtraction, result: NoteAnalysis) -> None:
        """Store concepts and vectors and trigger the dependent work."""
        note_extraction.store_extraction(job, result)


class ExplainSpecialty(JobRunner[SpecialtyExplanation, str, dict[str, Any]]):
    """Explain a note's predicted specialty with SHAP values of its words."""

    model = SpecialtyExplanation

    def check(self, job: SpecialtyExplanation) -> None:
        """Refuse if the patient has not consented to AI."""
        require_ai_consent(job.reading.note.case)

    def load(self, job: SpecialtyExplanation) -> str:
        """The first OPENING characters of the text, which are the model's input."""
        return note_extraction.text_of(job.reading)[:OPENING]

    def run(self, job: SpecialtyExplanation, loaded: str) -> dict[str, Any]:
        """The model's output with its attributions."""
        return answer(verified_package(job.package), {"text": loaded})

    def save(self, job: SpecialtyExplanation, result: dict[str, Any]) -> None:
        """Store the explanation."""
        note_extraction.store_specialty_explanation(job, result)


@dataclass(frozen=True)
class CaseSummary:
    """A summary as computed.

    Attributes:
        sentences: with their sources.
        method: what produced them.
        vector: mean of the sentence vectors, by which similar cases are found.
    """

    sentences: list[dict[str, object]]
    method: str
    vector: npt.NDArray[np.floating]


class SummariseCase(JobRunner[Summary, list[summaries.NoteSentence], CaseSummary]):
    """Summarise a case, and update the vector by which similar cases are found."""

    model = Summary

    def check(self, job: Summary) -> None:
        """Refuse without consent."""
        require_ai_consent(job.case)

    def load(self, job: Summary) -> list[summaries.NoteSentence]:
        """The sentences of the case's notes with their vectors."""
        return summaries.sentences_of(job.case)

    def run(self, job: Summary, loaded: list[summaries.NoteSentence]) -> CaseSummary:
        """The summary and the case's vector."""
        vector = np.stack([sentence.vector for sentence in loaded]).mean(axis=0)
        return CaseSummary(*_summary(loaded), vector)

    def save(self, job: Summary, result: CaseSummary) -> None:
        """Store both."""
        summaries.store_summary(job, result.sentences, result.method)
        summaries.update_case_vector(job.case, result.vector, summaries.maker_of(job.case))


read_note = ExtractNote.as_task()
explain_note = ExplainSpecialty.as_task()
summarise = SummariseCase.as_task()


def _specialties() -> list[Package]:
    packages = []
    for row in note_extraction.specialties():
        try:
            packages.append(verified_package(row))
        except UserError:
            continue
    return packages


def _summary(rows: list[summaries.NoteSentence]) -> tuple[list[dict[str, object]], str]:
    """Summarise extractively, or with the configured generative model plus citations and a support check."""
    sentences = [summary.Sentence(row.text, str(row.note), row.start, row.end, row.section) for row in rows]
    chosen = summary.summarise(sentences, np.stack([row.vector for row in rows]))
    sources = [
        {"note": sentences[index].note, "start": sentences[index].start, "end": sentences[index].end}
        for index in chosen
    ]
    extracted: list[dict[str, object]] = [
        {"text": sentences[index].text, "sources": [source], "supported": True}
        for index, source in zip(chosen, sources, strict=True)
    ]
    if not settings.SUMMARY_MODEL:
        return extracted, "extractive"
    writer = generation.generator(settings.SUMMARY_MODEL)
    selected = [sentences[index] for index in chosen]
    claims = generation.abstract(selected, writer, encoder(settings.SENTENCE_MODEL))
    cited = [
        {"text": claim.text, "sources": [sources[index] for index in claim.cites], "supported": claim.supported}
        for claim in claims
    ]
    return (cited, settings.SUMMARY_MODEL) if cited else (extracted, summaries.NOTHING_WRITTEN)
