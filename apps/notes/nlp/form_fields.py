"""Forms in notes: what fields ("Smoking: No") and check boxes answer."""

from __future__ import annotations

import re
from itertools import zip_longest

_ANSWER = (
    r"(?P<no>no|none|n|neg|negative|absent|denie[sd]|never|not (?:present|seen|identified|noted|detected|found|observed)|nil|false|无|否|没有|阴性|未见|否认|\(-\)|（-）|-)|"
    r"(?P<yes>yes|y|pos|positive|present|true|有|是|阳性|\(\+\)|（\+）|\+)|"
    r"(?P<unknown>unknown|not known|unsure|不详|不清楚|未知)"
)
_ANSWERED = re.compile(
    rf"(?:[:：=?？|\t]|(?<=[ ])[-–—](?=[ ]))(?:[ \t]*,)?[ \t]*(?:{_ANSWER})"
    r"(?=[ \t]*(?:[.;,。，；)|]|$|\n|\t|[ ]{2}|[A-Z][A-Za-z /-]{1,40}[:?]|[\u4e00-\u9fff]{2,8}[:：]))",
    re.IGNORECASE | re.MULTILINE,
)
_LABEL = re.compile(r"[A-Za-z\u4e00-\u9fff][A-Za-z\u4e00-\u9fff0-9 /,()'、-]{1,59}$")
"""What stands before an answer in a form."""
_MARK = re.compile(r"\((?P<mark>[+-])\)")
_LEADS = re.compile(r"(?:^|[:：,;，]|\n)\s*$")
"""Before the first mark of a row of marks that stand before what they answer ("ROS: (-) fever (+) cough")."""
_NOUGHT = re.compile(r"(?<![\d/])0\s*(?:/|out of)\s*10\b", re.IGNORECASE)
_NO_PAIN = re.compile(
    r"\b(?:[a-z]+\s){0,2}pain\b(?![^.;,]{0,25}\bfrom\b)[^.;,\d]{0,25}(?<![\d/])0\s*(?:/|out of)\s*10\b|(?<![\d/])0\s*(?:/|out of)\s*10\s+(?:[a-z]+\s+){0,2}pain\b",
    re.IGNORECASE,
)
"""A pain score of nought."""
_BOX = re.compile(r"(?P<off>☐|□|\[\s?\]|\(\s\))|(?P<on>☑|☒|■|√|✓|✔|\[[xX√✓]\]|\([xX√✓]\))")


def answers(text: str) -> list[tuple[int, int, str]]:
    """(start, end, answer) of what form fields and check boxes answer, in order: ``yes``, ``no`` or ``unknown``."""
    rows, last = [], 0
    for match in _ANSWERED.finditer(text):
        start = max(last, match.start() - 60)
        label = _LABEL.search(text[start : match.start()].rstrip(" \t"))
        last = match.end()
        if label is not None:
            rows.append((start + label.start(), start + label.end(), str(match.lastgroup)))
    if _NOUGHT.search(text):  # rare, and much faster to find
        rows += [(match.start(), match.end(), "no") for match in _NO_PAIN.finditer(text)]
    rows += _marked(text)
    boxes = list(_BOX.finditer(text))
    for box, following in zip_longest(boxes, boxes[1:]):
        stop = min(following.start() if following else len(text), box.end() + 60)
        line = text.find("\n", box.end(), stop)
        rows.append((box.end(), stop if line < 0 else line, "no" if box["off"] else "yes"))
    return sorted(rows)


def _marked(text: str) -> list[tuple[int, int, str]]:
    """What the marks (+) and (-) say of what follows them; a mark behind a finding is read as its answer elsewhere."""
    rows, leading, last = [], False, 0
    marks = list(_MARK.finditer(text))
    for mark, following in zip_longest(marks, marks[1:]):
        between = text[last : mark.start()]
        leading = bool(_LEADS.search(between)) or (leading and "\n" not in between and len(between) < 80)
        last = mark.end()
        if leading:
            stop = min(following.start() if following else len(text), mark.end() + 60)
            cut = re.search(r"[,;.\n]", text[mark.end() : stop])
            end = mark.end() + cut.start() if cut else stop
            rows.append((mark.end(), end, "yes" if mark["mark"] == "+" else "no"))
    return rows
