"""What the pages of a note show of its extraction: highlighted text, and mentions under review."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from apps.jobs.models import State
from apps.notes import note_extraction
from apps.notes.labels import ASSERTIONS, COMPARED, KINDS, LATERALITIES, SECTIONS
from apps.notes.models import Concept, ConceptVerdict, Note, NoteExtraction
from apps.notes.nlp.qualities import organs
from apps.notes.proposals import NO_SUBSTANCE
from apps.notes.queries import concepts_by_kind
from apps.notes.views.review_items import Item, build_item
from apps.records.access import models_permitted
from apps.records.dosage_words import shown_dosage
from apps.records.models import StatementKind
from apps.terminology.localisation import in_language
from apps.terminology.units import SHOWN


@dataclass(frozen=True)
class Stretch:
    """A span of a note's text: plain, or an extracted concept."""

    text: str
    concept: Concept | None = None
    start: int = 0

    @property
    def css(self) -> str:
        """CSS classes of the highlight."""
        if self.concept is None:
            return ""
        doubtful = " said-negated" if self.concept.negated else " said-uncertain" if self.concept.uncertain else ""
        return f"said said-{self.concept.kind}{doubtful}"

    @property
    def words(self) -> str:
        """Description of the concept."""
        return _description(self.concept) if self.concept is not None else ""


def extraction_context(note: Note, items: Mapping[Any, Item] | None = None) -> dict[str, Any]:
    """Template context: the text with its highlights, and the mentions under review by kind.

    Args:
        items: mentions that a form sent, by id; the others are built from the note.
    """
    extraction: NoteExtraction | None = note_extraction.newest(note) if models_permitted(note.case.patient) else None
    if extraction is None or extraction.state != State.SUCCEEDED:
        return {"reading": extraction, "stretches": [Stretch(note.text)], "groups": []}
    concepts = mentions_of(extraction)
    highlighted = [
        concept for concept in concepts if concept.verdict != ConceptVerdict.REJECTED and concept.kind != "anatomy"
    ]
    groups = concepts_by_kind(concepts)
    known = items or {}

    def listed_item(concept: Concept) -> Item | None:
        """Return the item of a mention; None for the mere word allergy, beside which the allergen has its own line."""
        item = known.get(concept.pk) or item_of(concept, note.text)
        return item if item.lines or item.title.casefold() not in NO_SUBSTANCE else None

    listed = [
        (title, rows)
        for kind, title in KINDS.items()
        if kind != "anatomy"
        and (rows := [row for concept in groups.get(kind, []) if (row := listed_item(concept)) is not None])
    ]
    specialty = extraction.found.get("specialty") or {}
    return {
        "reading": extraction,
        "stretches": _stretches(note.text, highlighted, [start for start, _end in extraction.found["sentences"]]),
        "groups": listed,
        "pending": any(item.lines for _title, rows in listed for item in rows),
        "more": extraction.found.get("more", 0),
        "specialty": {**specialty, "title": in_language(specialty["title"]), "percent": 100 * specialty["probability"]}
        if specialty
        else None,
    }


def mentions_of(extraction: NoteExtraction) -> list[Concept]:
    """Return the mentions of an extraction with what their pages show."""
    return list(extraction.concepts.select_related("reading__note__case__patient", "decided_by"))


def item_of(concept: Concept, text: str, *, posted: Mapping[str, str] | None = None, acted: bool = False) -> Item:
    """Return a mention as it is reviewed, with the note's own wording."""
    words = " ".join(text[concept.start : concept.end].split())
    title = in_language(concept.details["title"]) if concept.kind == "measurement" else words
    return build_item(concept, words, title, _description(concept), posted=posted, acted=acted)


def _stretches(text: str, concepts: list[Concept], sentences: list[int]) -> list[Stretch]:
    """Split the text into spans; plain spans also end at sentence starts, so that citations can link to them."""
    pieces: list[Stretch] = []
    at = 0

    def plain(end: int) -> None:
        cuts = [at, *sentences[bisect_right(sentences, at) : bisect_left(sentences, end)], end]
        pieces.extend(Stretch(text[a:b], start=a) for a, b in itertools.pairwise(cuts) if b > a)

    for concept in sorted(concepts, key=lambda row: (row.start, -row.end)):
        if concept.start < at:
            continue
        plain(concept.start)
        pieces.append(Stretch(text[concept.start : concept.end], concept, concept.start))
        at = concept.end
    plain(len(text))
    return pieces


def quality_words(details: Mapping[str, Any]) -> list[str]:
    """Side, organ, size, date and comparison of a finding, in words."""
    words = [str(LATERALITIES[details["laterality"]])] if details.get("laterality") in LATERALITIES else []
    if details.get("organ") in organs():
        words.append(in_language(organs()[details["organ"]]))
    words += [str(details[name]) for name in ("size", "date") if details.get(name)]
    if details.get("comparison") in COMPARED:
        words.append(str(COMPARED[details["comparison"]]))
    return words


def _description(concept: Concept) -> str:
    """Describe a concept, for example "denied or absent · Family history · J18.9"."""
    details = concept.details
    parts = [str(StatementKind.ALLERGY.label)] if details.get("allergy") else []
    said = details.get("assertion", "present")
    names = [said] if said in ASSERTIONS else concept.assertions
    parts += [str(ASSERTIONS[name]) for name in names]
    if details.get("stopped"):
        parts.append(_("discontinued or on hold"))
    parts += shown_dosage({**details, "frequency": details.get("frequency") or details.get("schedule")})
    if concept.kind == "measurement":
        parts.append(
            f"{' × '.join(f'{value:g}' for value in details['values'])} {SHOWN.get(details['unit'], details['unit'])}"
        )
    parts += quality_words(details)
    if details.get("section"):
        parts.append(str(SECTIONS.get(details["section"], details["section"])))
    if details.get("icd10") and (code := note_extraction.code_of(concept)):
        parts.append(code)
    return " · ".join(parts)
