"""Comparison of decrypted values with search keys (PS3.4 section C.2.2.2)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from datetime import date

from apps.imaging.dicom.query import Condition
from apps.imaging.dicom.query_attributes import Form
from apps.imaging.models import Series, Study
from apps.patients.names import words

REQUESTS = "RequestAttributesSequence."
_SEPARATORS = frozenset(" ^=,.'’-\t")


def glob(pattern: str, text: str) -> bool:
    """Match a text with the wildcards ``*`` and ``?``, in time of at most the product of the lengths."""
    place = position = 0
    star, resume = -1, 0
    while position < len(text):
        if place < len(pattern) and pattern[place] == "*":
            star, resume = place, position
            place += 1
        elif place < len(pattern) and pattern[place] in ("?", text[position]):
            place, position = place + 1, position + 1
        elif star >= 0:
            resume += 1
            place, position = star + 1, resume
        else:
            return False
    return not pattern[place:].strip("*")


def folded(name: str) -> str:
    """Fold a name for comparison: without case, accents and trailing empty components."""
    decomposed = unicodedata.normalize("NFKD", name)
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return unicodedata.normalize("NFC", bare).casefold().rstrip("^= ")


def name_matches(pattern: str, name: str, *, fuzzy: bool = False) -> bool:
    """Compare a person name, regardless of case and accents (PS3.4 sections C.2.2.2.1 and C.2.2.2.4).

    Args:
        pattern: compared with the whole name and, if it has no "=", with each component group.
        fuzzy: whether it is enough that each word of the pattern begins a word of the name.
    """
    if fuzzy:
        wanted, present = fuzzy_words(pattern), words(name)
        return all(any(word.startswith(start) for word in present) for start in wanted)
    groups = [name] if "=" in pattern else [name, *name.split("=")]
    return any(glob(folded(pattern), folded(group)) for group in groups)


def fuzzy_words(pattern: str) -> list[str]:
    """Return the words of a fuzzy search, without wildcards."""
    return words(pattern.replace("*", " ").replace("?", " "))


def name_starts(pattern: str) -> list[tuple[str, bool]]:
    """Return the words that a matching name must contain, as (folded start, whether it is the complete word).

    Only what follows a separator is known to begin a word.
    """
    starts = []
    for chunk in _chunks(pattern):
        literal = chunk.split("*")[0].split("?")[0]
        folded_words = words(literal)
        if len(folded_words) == 1:
            starts.append((folded_words[0], literal == chunk))
    return starts


def _chunks(pattern: str) -> list[str]:
    text = "".join("\n" if character in _SEPARATORS else character for character in pattern)
    return [chunk for chunk in text.split("\n") if chunk]


def study_checks(conditions: Iterable[Condition], *, fuzzy: bool) -> list[Callable[[Study], bool]]:
    """Return a predicate for each condition that the database does not settle.

    These are conditions on sealed values of the study or its patient, and patterns of modalities: the database sees
    only their list.
    """
    checks = []
    for condition in conditions:
        if condition.attribute.path in _STUDY_VALUES:
            checks.append(_study_check(condition, fuzzy))
        elif condition.attribute.path == "ModalitiesInStudy" and condition.has_wildcard:
            checks.append(_modality_check(condition.texts))
    return checks


def _modality_check(patterns: Iterable[str]) -> Callable[[Study], bool]:
    return lambda study: any(glob(pattern, modality) for pattern in patterns for modality in study.modality_list)


def _study_check(condition: Condition, fuzzy: bool) -> Callable[[Study], bool]:
    read = _STUDY_VALUES[condition.attribute.path]
    return lambda study: accepts(condition, read(study), fuzzy=fuzzy)


def series_checks(conditions: Iterable[Condition]) -> list[Callable[[Series], bool]]:
    """Return predicates on sealed values of the series; the keys of one sequence must match in the same item."""
    described = [condition for condition in conditions if condition.attribute.path == "SeriesDescription"]
    requested = [condition for condition in conditions if condition.attribute.path.startswith(REQUESTS)]
    checks: list[Callable[[Series], bool]] = [
        lambda series, condition=condition: accepts(condition, series.headers.get("series_description", ""))  # type: ignore[misc]
        for condition in described
    ]
    if requested:
        checks.append(lambda series: _requests_match(requested, series.headers.get("requests") or [("", "")]))
    return checks


def _requests_match(conditions: list[Condition], items: list[tuple[str, str]]) -> bool:
    def value(condition: Condition, item: tuple[str, str]) -> str:
        return item[0] if condition.attribute.path.endswith("ScheduledProcedureStepID") else item[1]

    return any(all(accepts(condition, value(condition, item)) for condition in conditions) for item in items)


def accepts(condition: Condition, value: str | date | None, *, fuzzy: bool = False) -> bool:
    """Return whether a decrypted value matches."""
    if condition.empty:
        return not value
    if condition.dates is not None:
        return condition.dates.holds(value if isinstance(value, date) else None)
    text = str(value or "").strip(" ")
    if not text:
        return False
    if condition.attribute.form is Form.NAME:
        return any(name_matches(pattern, text, fuzzy=fuzzy) for pattern in condition.texts)
    return any(glob(pattern, text) for pattern in condition.texts)


def _header(key: str) -> Callable[[Study], str]:
    return lambda study: study.headers.get(key, "")


_STUDY_VALUES: dict[str, Callable[[Study], str | date | None]] = {
    "PatientName": lambda study: study.patient.name,
    "PatientID": lambda study: study.patient.mrn,
    "IssuerOfPatientID": lambda study: study.patient.mrn_issuer,
    "PatientBirthDate": lambda study: study.patient.birth_date,
    "AccessionNumber": _header("accession_number"),
    "StudyDescription": _header("study_description"),
    "StudyID": _header("study_id"),
    "ReferringPhysicianName": _header("referring_physician"),
}
