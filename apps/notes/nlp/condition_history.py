"""When a condition was: what "history of" it means for its code and status, and the year from which it dates."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from apps.notes.nlp.assertions import Context

HISTORY_FILE = Path(__file__).parent / "history_codes.tsv"
ACTIVE, RESOLVED = "active", "resolved"
_MONTH = (
    r"(?:(?:january|february|march|april|may|june|july|august|september|october|november|december|[a-z]{3})\.?\s+"
    r"(?:of\s+)?)?"
)
_YEAR = re.compile(
    r"^(?:\s*\(?|[^.;,。；，]{0,40}?\b(?:in|since|from|around|circa|diagnosed|dx|dx'd)\s*(?:(?:early|late|mid)\s*-?\s*)?"
    rf"{_MONTH})(?P<year>(?:19|20)\d\d)\b|^[^。；，]{{0,6}}?(?P<zh>(?:19|20)\d\d)年",
    re.IGNORECASE,
)
_YEAR_BEFORE = re.compile(
    r"(?:\bin\s+(?P<year>(?:19|20)\d\d),?\s*(?:(?!who\b|which\b|and\b|then\b|but\b)\w+\s+){0,5}|(?P<zh>(?:19|20)\d\d)年[^。；，]{0,10})$",
    re.IGNORECASE,
)
_AGE = re.compile(r"^[^.;]{0,25}?\b(?:since|at|from)\s+(?:the\s+)?age\s+(?:of\s+)?(?P<age>\d{1,2})\b", re.IGNORECASE)


@cache
def history_codes() -> dict[str, str]:
    """Beginnings of codes, and the code for the history of them (see the file)."""
    rows = [line.split("\t") for line in HISTORY_FILE.read_text().splitlines() if line and not line.startswith("#")]
    return dict(rows)


def is_history(code: str) -> bool:
    """Whether a code says by itself that something has passed."""
    return code.startswith(("Z85", "Z86", "Z87", "I25.2"))


def history_only(code: str) -> str:
    """The code for the history of a condition whose own code is in doubt within one category; empty if there is none."""
    return next(
        (history for prefix, history in history_codes().items() if code.startswith(prefix) and history != "="), ""
    )


def lasts(code: str) -> bool:
    """Whether a condition lasts a lifetime."""
    prefix = next((code[:length] for length in range(len(code), 2, -1) if code[:length] in history_codes()), "")
    return history_codes().get(prefix, "") == "="


def of_the_past(code: str, *, resolved: bool) -> tuple[str, str]:
    """(code, status) of something of the past: lasting diseases are still there, others are over."""
    if is_history(code):
        return code, RESOLVED
    prefix = next((code[:length] for length in range(len(code), 2, -1) if code[:length] in history_codes()), "")
    history = history_codes().get(prefix, "")
    if code.startswith("Z33"):  # a pregnancy that is over
        return "", RESOLVED
    if code.startswith("Z"):  # a stent, a transplant: put in once, and still there
        return code, ACTIVE
    if history == "=":
        return (code, ACTIVE) if not resolved else ("", RESOLVED)
    return history, RESOLVED


def onset(context: Context, start: int, end: int) -> str:
    """The year, or "age 9", from which the note dates the condition; empty if it does not."""
    sentence = context.sentence_at(start)
    after, before = context.text[end : sentence[1]], context.text[sentence[0] : start]
    if match := _YEAR.match(after) or _YEAR_BEFORE.search(before):
        return match["year"] or match["zh"]
    age = _AGE.match(after)
    return f"age {age['age']}" if age else ""
