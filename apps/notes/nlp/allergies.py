"""Detect drug mentions that are allergies or intolerances, or discontinued medication."""

from __future__ import annotations

import re

_REACTIONS = (
    r"anaphyla\w+|hives|urticaria|angio-?o?edema|rash(?:es)?|swelling|itching|pruritus|nausea|vomiting|wheez\w+"
)
_BEFORE = re.compile(
    r"\b(?:allerg(?:y|ies|ic)(?:\s+(?:reactions?|history))?\s*(?:to|include[sd]?|:|-|of)|"
    r"(?:intoleran(?:t|ces?)|hypersensitiv\w*|sensitiv\w*|adverse\s+reactions?|reactions?|reacts?|reacted)\s*(?:of|to|with)|"
    rf"(?:{_REACTIONS})\s+(?:to|after|with|from|on|following))\s*(?P<between>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_AFTER = re.compile(
    r"^(?:\s*(?:,|/|and|or|&|[a-z][\w-]+))?\s*[-–]?\s*"
    r"(?:allerg(?:y|ies|ic)\b|intoleran\w+|hypersensitiv\w*|anaphyla\w+|(?:caused?|causes|gives?|gave|produce[sd]?|led\s+to)\b"
    rf"[^.;]{{0,25}}\b(?:{_REACTIONS}))",
    re.IGNORECASE,
)
_AFTER_ZH = re.compile(r"^[^，。；,;：:但]{0,20}?(?:过敏|不耐受)")
_OTHER_CLAUSE = re.compile(
    r"[.;:]|\b(?:but|however|except|takes?|taking|took|on|given|giving|started?|starting|treated|prescribed|switched|"
    r"continued?|tolerate[sd]?|tolerating|received?|use[sd]?|instead)\b",
    re.IGNORECASE,
)
_NONE_KNOWN = re.compile(
    r"\bn\.?k\.?d?\.?a\b\.?|\bno\s+known\s+(?:drug\s+|medication\s+|medicine\s+)?allerg\w*|^\W*(?:none|nil|no)\b|^\s*无",
    re.IGNORECASE,
)
_STOPPED = re.compile(
    r"\b(?:discontinue[sd]?|discontinuing|stop(?:s|ped|ping)?|d/c(?:'?ed)?|hold(?:ing)?|held|withhold|withheld|no\s+longer\s+(?:on|takes|taking))"
    r"(?:\s+(?:the|his|her|your|home|taking|all))*\s+$|(?:停用|停服|暂停)\s*$",
    re.IGNORECASE,
)


def names_allergy(text: str, start: int, end: int, *, sentence: tuple[int, int], section_body: int | None) -> bool:
    """Whether the drug mention ``text[start:end]`` is an allergy or intolerance.

    Args:
        sentence: start and end offset of the drug's sentence.
        section_body: start offset of the enclosing allergies section's body; None outside such a section.
    """
    if section_body is not None and not _NONE_KNOWN.search(text[section_body:start]):
        return True
    before, after = text[max(sentence[0], 0) : start], text[end : sentence[1]]
    cue = _BEFORE.search(before)
    if cue and not _OTHER_CLAUSE.search(cue["between"]):
        return True
    return bool(_AFTER.match(after) or _AFTER_ZH.match(after))


def names_stopped(text: str, start: int, *, sentence_start: int) -> bool:
    """Whether the words directly before the drug at ``start`` discontinue or hold it."""
    return bool(_STOPPED.search(text[sentence_start:start]))
