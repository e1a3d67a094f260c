"""Case summaries: input sentences, stored result, similarity vector."""

from __future__ import annotations

import io
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from apps.accounts import audit
from apps.accounts.actors import System
from apps.explainability.models import FilmEmbedding
from apps.jobs.errors import Refusal
from apps.jobs.models import State
from apps.notes.models import Note, NoteExtraction, Summary
from apps.notes.similar_cases import store_case_vector
from apps.protection import blobs
from apps.records.models import Case

ACTOR = System("case summary")
NOTHING_WRITTEN = "nothing written"
"""Method of a summary whose generative model returned nothing: extractive, and the page says so."""
MAX_NOTES = 40
"""Newest notes that are summarised."""


@dataclass(frozen=True)
class NoteSentence:
    """A sentence of a note, with its vector."""

    text: str
    note: uuid.UUID
    start: int
    end: int
    section: str
    vector: npt.NDArray[np.float32]


def sentences_of(case: Case) -> list[NoteSentence]:
    """The sentences of the case's newest notes with their vectors, oldest note first.

    Raises:
        Refusal: ``nothing_to_summarise``.
    """
    notes = list(Note.objects.filter(case=case).select_related("case").order_by("-written_at")[:MAX_NOTES])
    readings = NoteExtraction.objects.filter(note__in=notes, state=State.SUCCEEDED).select_related("note__case")
    current = {reading.note_id: reading for reading in readings if reading.revision == reading.note.revision}
    sentences: list[NoteSentence] = []
    for note in reversed(notes):
        reading = current.get(note.pk)
        if reading is not None and reading.embedding:
            sentences += _sentences(note, reading)
    makers = {current[row.note].found["maker"] for row in sentences}
    if len(makers) > 1:  # the encoder was changed: vectors of different encoders do not compare
        newest = current[sentences[-1].note].found["maker"]
        sentences = [row for row in sentences if current[row.note].found["maker"] == newest]
    if not sentences:
        raise Refusal("nothing_to_summarise")
    return sentences


def maker_of(case: Case) -> str:
    """Name of the encoder that made the vectors of the case's newest extraction."""
    rows = NoteExtraction.objects.filter(note__case=case, state=State.SUCCEEDED).select_related("note__case")
    newest = rows.order_by("-finished_at").first()
    return newest.found["maker"] if newest is not None else ""


def store_summary(summary: Summary, sentences: Sequence[dict[str, Any]], how: str) -> None:
    """Store the summary.

    Args:
        sentences: dicts of ``text``, ``sources`` and ``supported``.
        how: ``extractive``, NOTHING_WRITTEN or the name of the generative model.
    """
    summary.content = {"sentences": list(sentences), "how": how}
    summary.save(update_fields=["content"])
    audit.record(ACTOR, "case.summarised", summary, how=how)


def update_case_vector(case: Case, text: npt.NDArray[np.floating] | None, maker: str) -> None:
    """Store the case's vector: image and text embeddings, normalised and concatenated.

    A missing half is zero; without both nothing is stored.
    """
    parts, halves = [], []
    film = _film(case)
    for name, half in (("image", film), ("text", text)):
        if half is not None and len(half):
            parts.append(name)
            halves.append(half / max(float(np.linalg.norm(half)), 1e-9))
        else:
            halves.append(
                np.zeros(FILM_WIDTH if name == "image" else (len(text) if text is not None else 0), dtype=np.float32)
            )
    if not parts:
        return
    whole = np.concatenate(halves)
    store_case_vector(
        case, whole / max(float(np.linalg.norm(whole)), 1e-9), parts=parts, maker=f"{maker}+film{FILM_WIDTH}"
    )


FILM_WIDTH = 576
"""Features of cxr-pneumonia's last layer (MobileNetV3-small); image embeddings of other widths are skipped."""


def _film(case: Case) -> npt.NDArray[np.float32] | None:
    rows = FilmEmbedding.objects.filter(analysis__series__study__cases=case).select_related("analysis__series__study")
    for row in rows.order_by("-analysis__queued_at")[:1]:
        vector = np.load(io.BytesIO(blobs.read(row.blob, holder=row.key_holder)), allow_pickle=False)
        if vector.shape == (FILM_WIDTH,):
            return np.asarray(vector, dtype=np.float32)
    return None


def _sentences(note: Note, reading: NoteExtraction) -> list[NoteSentence]:
    vectors = np.load(io.BytesIO(blobs.read(reading.blob, holder=reading.key_holder)), allow_pickle=False)
    sections = reading.found["sections"]
    text = note.text

    def section(offset: int) -> str:
        return next((name for name, start, _body, end in sections if start <= offset < end), "")

    return [
        NoteSentence(text[start:end].strip(), note.pk, start, end, section(start), vector.astype(np.float32))
        for (start, end), vector in zip(reading.found["sentences"], vectors, strict=False)
    ]
