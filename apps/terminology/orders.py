"""Read the drugs of an order or a medication list: one drug with its dose, or many in one line, table or mixture."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from apps.terminology.candidates import Candidate
from apps.terminology.drug_resolution import has_dose, names_in, resolve_drug, words_left
from apps.terminology.drugs import drug_names
from apps.terminology.names import key_of, tokens_of
from apps.terminology.unread_words import unread_words
from apps.terminology.vaccines import resolve_vaccine

_SEGMENT = re.compile(r"[\n;|\t；、，。]|,(?!\d{3}\b)|\s\+\s|\s{3,}")
_TOPICAL = re.compile(
    r"\b(?:cream|ointment|gel|lotion|shampoo|topical(?:ly)?|ophthalmic|otic|eye\s*drops?|ear\s*drops?|nasal|mouthwash|"
    r"vaginal|foam|drops? (?:in|to|into) (?:\w+ ){0,2}(?:eyes?|ears?)|o\.?[dsu]\.?\b(?=\s*$))\b|"
    r"乳膏|软膏|凝胶|滴眼|滴耳|外用|鼻喷|洗剂|栓",
    re.IGNORECASE,
)
_SAME_AGAIN = re.compile(
    r"(?:[(（\[【]|\b(?:generic|brand|brand name|aka|a\.k\.a\.|also known as|i\.?e\.?|trade name)|=|"
    r"商品名|通用名|即)[\s:：]*$",
    re.IGNORECASE,
)
"""Before a name: it says a second time what stands before it, "ipratropium (Atrovent)"."""
_INVERTED = re.compile(r"\binsulin,\s*(?=[a-z])", re.IGNORECASE)
_INSTRUCTION = re.compile(
    r"^\W*(?:for|to|take|takes|taken|with|without|if|as|until|when|while|after|before|during|not|no|do|may|please|hold|"
    r"check|recheck|consider|call|given|see|start|stop|continue|repeat|refill|refills|dispense|disp|quantity|qty|sig|indication|dx|per|by|then|x|and|"
    r"max|maximum|total|route|dose|frequency|duration|number|patient|pt|use|apply|give|inject|inhale|in|on|at|"
    r"dr|md|prn|which|but|she|he|her|his|they|who|however|includes?|including|the|following|there|are|were|was|is|has|have|"
    r"had|history|prior|refer|all|any|also|other|unsure|does|did|this|that|these|those|its?|we|you|please|because|one|half|outpatient|inpatient|admission|transfer|prescribed|mondays?|tuesdays?|wednesdays?|thursdays?|fridays?|"
    r"saturdays?|sundays?|daily|first|last|next|discontinue|monitor|goal|target|titrate|taper|followed|order|new|home|current|"
    r"medications?|meds?|drug|name|strength|unit|units|用于|如|若|必要时|需|共|疗程|适应证|诊断)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class OrderedDrug:
    """A drug of an order.

    Attributes:
        words: as written.
        ingredients: names in small letters.
        context: the part of the text about this drug, with dose and form.
    """

    words: str
    ingredients: tuple[str, ...]
    context: str = ""

    @property
    def is_topical(self) -> bool:
        """Whether it acts where it is applied: a cream, eye drops, a nasal spray."""
        return bool(_TOPICAL.search(self.context))


def read_order(text: str) -> tuple[list[OrderedDrug], list[str]]:
    """The drugs of an order, and the parts of it that name something unknown."""
    drugs: list[OrderedDrug] = []
    unknown: list[str] = []
    for segment in _segments(text):
        found, strange = _read_segment(segment)
        if not (found or strange) and drugs and _TOPICAL.search(segment):
            drugs[-1] = OrderedDrug(drugs[-1].words, drugs[-1].ingredients, f"{drugs[-1].context}, {segment}")
        drugs += found
        if strange and (found or not (drugs and _INSTRUCTION.match(segment))):
            unknown.append(strange)
    if not drugs and not unknown:
        unknown = [text.strip()]
    return drugs, unknown


def _segments(text: str) -> Iterable[str]:
    """Parts of the text, but never a part of a name that has the separator inside ("insulin, regular")."""
    text = _INVERTED.sub("insulin ", text)
    exact = drug_names().rows(key_of(text))
    parts = [text] if exact else _SEGMENT.split(text)
    return [part.strip() for part in parts if part.strip()]


def _read_segment(segment: str) -> tuple[list[OrderedDrug], str]:
    """Drugs of a part of an order, and its words if they name something that is not known."""
    tokens = tokens_of(segment)
    resolved = _best(resolve_drug(segment))
    if (
        resolved
        and resolved[0].certainty == 1
        and not words_left(tokens_of(segment.replace(resolved[0].matched, "", 1)), set())
    ):
        return [OrderedDrug(row.matched, row.ingredients, segment) for row in resolved], ""
    named = names_in(segment, tokens, guarded=False)
    plain = [row for row in named if any(name.use == "text" for name in drug_names().rows(row[2]))]
    drugs: list[OrderedDrug] = []
    for first, after, key in named:
        start, end = tokens[first].start, tokens[after - 1].end
        if (first, after, key) in plain or not plain or has_dose(segment, start, end):
            candidates = _best(resolve_drug(segment[start:end]))
            again = drugs[-1:] if _SAME_AGAIN.search(segment[:start]) else []
            drugs += [
                OrderedDrug(segment[start:end], row.ingredients, segment[start:])
                for row in candidates
                if row.ingredients not in {drug.ingredients for drug in again}
            ]
    if drugs:
        return _with_unread(
            drugs, segment, [(tokens[first].start, tokens[after - 1].end) for first, after, _k in named]
        )
    vaccines = resolve_vaccine(" ".join(word for word in words_left(tokens, set()))) or resolve_vaccine(segment)
    if vaccines:
        return [OrderedDrug(segment[:60], (vaccines[0].name,), segment)], ""
    if all(_INSTRUCTION.match(word) for word in words_left(tokens, set())):
        return [], ""
    guesses = [row for row in resolve_drug(segment) if row.certainty < 1]
    return [OrderedDrug(guess.matched, guess.ingredients, segment) for guess in guesses], segment


def _with_unread(drugs: list[OrderedDrug], segment: str, named: list[tuple[int, int]]) -> tuple[list[OrderedDrug], str]:
    """The drugs, with those that the other words may mean if misspelt, and these words."""
    strange = unread_words(segment, named)
    for word in strange:
        drugs = drugs + [OrderedDrug(word, guess.ingredients, segment) for guess in resolve_drug(word)]
    return drugs, ", ".join(strange)


def _best(candidates: list[Candidate]) -> list[Candidate]:
    """One reading of a name: of several contents, the one that all others contain; else one drug of all of them."""
    if len(candidates) < 2:
        return candidates
    smallest = min(candidates, key=lambda row: len(row.ingredients))
    if all(set(smallest.ingredients) <= set(row.ingredients) for row in candidates):
        return [smallest]
    everything = sorted({name for row in candidates for name in row.ingredients})
    return [Candidate("drug", "", smallest.matched, smallest.matched, smallest.certainty, tuple(everything))]
