"""A note's text with its sections and the names of substances in it, known and unknown."""

from __future__ import annotations

import re
from bisect import bisect_left

from apps.notes.nlp.allergies import mentions, unknown_allergens
from apps.notes.nlp.assertions import Context
from apps.notes.nlp.qualities import Span
from apps.notes.nlp.sections import Section
from apps.terminology.resolution import Candidate, find_names, resolve

_SUBSTANCE_ITEM = re.compile(
    r"(?:[:,;，、]|\band|\n)\s*(?:and\s+)?(?P<name>potassium|calcium|iron|magnesium|zinc|folate|thyroid|fish oil|vitamin [A-Z]\d*|叶酸|钙片|铁剂)"
    r"(?=\s*(?:[,.;，、。；\n]|$|and\b|supplement|\d|(?:one|two|three|daily|once|twice)\b))",
    re.IGNORECASE,
)
_ALLERGY_WORD = re.compile(r"(?:\s*(?:allerg\w*|intoleran\w*|过敏|不耐受))?$", re.IGNORECASE)
"""The word for allergy in the name of an allergen ("Penicillin allergy") is no part of the substance."""


class NoteText:
    """A note while it is read: where its sections are, and which substances it names."""

    def __init__(self, text: str, context: Context, parts: list[Section]) -> None:
        self.text, self.context, self.sections = text, context, parts
        self.reactions: list[tuple[int, int]] = []
        self.sizes: list[Span] = []
        self.names = find_names(text, ("drug", "condition"), context.language)
        self._headings = [(part.start, part.body) for part in parts if part.body > part.start]

    def section_at(self, offset: int) -> Section | None:
        return next((part for part in self.sections if part.start <= offset < part.end), None)

    def in_heading(self, start: int) -> bool:
        return any(first <= start < end for first, end in self._headings)

    def listed_substances(self) -> list[tuple[int, int, Candidate]]:
        """Substances with an everyday meaning that are items of a medication list ("Norvasc, potassium, Lasix")."""
        rows = []
        for part in self.sections:
            if part.name == "medications":
                for item in _SUBSTANCE_ITEM.finditer(self.text, part.body, part.end):
                    found = resolve(item["name"], "drug")
                    if len(found) == 1 and found[0].certainty == 1:
                        rows.append((*item.span("name"), found[0]))
        return rows

    def with_allergens(self, drugs: list[tuple[int, int, Candidate]]) -> list[tuple[int, int, Candidate]]:
        """The drugs and, in sentences about allergies, other allergens ("sulfa", "latex"): their names mean much else."""
        rows = {start: (start, end, candidate) for start, end, candidate in drugs}
        starts = [start for start, _end, _candidate in drugs]
        for start, end in self._sentences_about_allergies():
            near = drugs[bisect_left(starts, start) : bisect_left(starts, end)]
            for first, last, candidate in find_names(self.text[start:end], ("allergen",), self.context.language):
                if last - first < 3 and self.text[start + first : start + last].islower():  # "as mentioned above"
                    continue
                span = (start + first, start + last - len(_ALLERGY_WORD.search(candidate.matched)[0]))  # type: ignore[index]
                shorter = [row for row in near if row[0] < span[1] and span[0] < row[1]]
                if all(span[1] - span[0] > row[1] - row[0] for row in shorter) and not self.in_heading(span[0]):
                    for row in shorter:
                        rows.pop(row[0], None)
                    rows[span[0]] = (*span, candidate)
            rows |= self._unknown_allergens(start, end, [row[:2] for row in rows.values()])
        return sorted(rows.values(), key=lambda row: row[0])

    def _unknown_allergens(
        self, start: int, end: int, known: list[tuple[int, int]]
    ) -> dict[int, tuple[int, int, Candidate]]:
        """What somebody is allergic to in a sentence and no list knows: kept in the note's own words, without a code."""
        section = self.section_at(end - 1)
        rows, listed = {}, section is not None and section.name == "allergies"
        for first, last in unknown_allergens(self.text, (start, end), listed=listed):
            if not any(other[0] < last and first < other[1] for other in known):
                words = self.text[first:last]
                rows[first] = (first, last, Candidate("allergen", "", words.lower(), words, 0.0))
        return rows

    def _sentences_about_allergies(self) -> list[tuple[int, int]]:
        parts = [part for part in self.sections if part.name == "allergies"]
        within = {row for row in self.context.sentences for part in parts if row[0] < part.end and part.start < row[1]}
        return sorted(within | {self.context.sentence_at(at) for at in mentions(self.text)})
