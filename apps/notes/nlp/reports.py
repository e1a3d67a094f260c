"""Findings of chest radiology reports: present, absent or possible.

A finding that a report does not mention is left out: nothing is known of it. Statements of normality ("the lungs are clear")
deny lists of findings, but never outweigh a finding that is named. A finding that was there before ("old fracture") is
present; one that has resolved is absent; what shall only be excluded or watched for is not mentioned. "Likely" and
"consistent with" are a radiologist's reading and count as present; "may", "could", "versus" and "cannot exclude" are possible.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

from apps.notes.nlp.assertions import ABSENT, HISTORICAL, POSSIBLE, PRESENT, Context

FILE = Path(__file__).parent / "report_findings.tsv"
NAMED, SIGN, NORMAL = "named", "sign", "normal"
FINDINGS = (
    "atelectasis", "cardiomegaly", "consolidation", "oedema", "emphysema", "fracture", "granuloma", "hernia", "infiltrate",
    "lesion/nodule", "opacity", "pleural effusion", "pleural thickening", "pneumonia", "pneumothorax", "scarring/fibrosis", "scoliosis",
    "spondylosis/degenerative", "atherosclerosis", "device",
)  # fmt: skip
_HEADING = re.compile(r"(?:^|(?<=[\n.;,:]))[ \t]*(?P<heading>[A-Za-z][A-Za-z /&-]{2,45}?)[ \t]*:", re.MULTILINE)
_READ = re.compile(
    r"finding|impression|conclusion|interpretation|opinion|diagnosis|result|summary|lung|heart|pleura|bone|mediast|cardi|"
    r"osseous|chest|soft|line|tube|support|device|upper abdomen|airway|other|spine|addendum|report",
    re.IGNORECASE,
)
_NOT_READ = re.compile(
    r"indication|history|comparison|technique|reason|clinical|exam|procedure|view|protocol|date|dictat|recommend|symptom|complaint|"
    r"contrast|patient|physician|signed|accession|mrn|name|age|sex|study|priors?$|prior stud|electronically|cc$",
    re.IGNORECASE,
)
_LIKELY = re.compile(
    r"\b(?:most |very |more )?(?:likely|probabl[ey]|suggestive of|suggests?|suggesting|suspected|presumed|apparent|borderline|favor(?:s|ed|ing)?(?: to (?:be|represent))?|"
    r"appears to (?:be|represent)|thought to represent|felt to represent|suspicious for)\W+(?:\w+\W+){0,8}$",
    re.IGNORECASE,
)
_DOUBT = re.compile(
    r"\b(?:may|might|could|possibl[ey]|cannot|can ?not|versus|vs|questionable|question of|rule out|exclude|if|or|unlikely|less likely|not likely|whether|consider|difficult)\b",
    re.IGNORECASE,
)
_TO_EXCLUDE = re.compile(
    r"\b(?:(?:to|further|for)\s+(?:exclude|rule out|evaluate|assess|exclusion)|evaluat\w+ for|assess\w* for|(?:to|can|could) confirm)\W+(?:\w+\W+){0,8}$",
    re.IGNORECASE,
)
"""What is to be examined is not mentioned as a finding."""
_OR = re.compile(r"\s+(?:[A-Za-z-]+\s+){0,2}?(?:and/)?or\s+(?:[A-Za-z-]+\s+){0,3}", re.IGNORECASE)


@dataclass(frozen=True)
class Pattern:
    """A pattern and the findings that it names, signals or denies."""

    findings: tuple[str, ...]
    strength: str
    pattern: re.Pattern[str]


@dataclass(frozen=True)
class _Said:
    """What ``text[start:end]`` says of findings."""

    start: int
    end: int
    findings: tuple[str, ...]
    strength: str
    verdict: str


@cache
def patterns() -> list[Pattern]:
    """Load the vocabulary of chest reports."""
    rows = []
    for line in FILE.read_text().splitlines():
        if line and not line.startswith("#"):
            findings, strength, pattern = line.split("\t")
            compiled = re.compile(rf"(?<![A-Za-z])(?:{pattern})(?![A-Za-z])", re.IGNORECASE)
            rows.append(Pattern(tuple(findings.split(",")), strength, compiled))
    return rows


def read_report(text: str) -> dict[str, str]:
    """Read a chest report in English.

    Returns:
        ``present``, ``absent`` or ``possible`` of every finding (FINDINGS) that the report says something of.
    """
    body = _body(text)
    context = Context.of(body, "en")
    said: dict[str, set[tuple[str, str]]] = {}
    for row in _alternatives(body, _said(context)):
        for finding in row.findings:
            said.setdefault(finding, set()).add((row.strength, row.verdict))
    weighed = {finding: _weighed(said[finding]) for finding in FINDINGS if finding in said}
    return {finding: verdict for finding, verdict in weighed.items() if verdict}


def _said(context: Context) -> list[_Said]:
    rows = []
    for row in patterns():
        for match in row.pattern.finditer(context.text):
            verdict = ABSENT if row.strength == NORMAL else _verdict(context, match)
            if verdict:
                rows.append(_Said(match.start(), match.end(), row.findings, row.strength, verdict))
    return sorted(rows, key=lambda said: said.start)


def _alternatives(text: str, rows: list[_Said]) -> list[_Said]:
    """Of "scarring or atelectasis" each is only possible; "no scarring or atelectasis" stays as it is."""
    doubtful: set[_Said] = set()
    named = [row for row in rows if row.strength == NAMED and row.verdict == PRESENT]
    for first, second in pairwise(named):
        if first.findings != second.findings and _OR.fullmatch(text, first.end, max(second.start, first.end)):
            doubtful |= {first, second}
    return [replace(row, verdict=POSSIBLE) if row in doubtful else row for row in rows]


def _weighed(said: set[tuple[str, str]]) -> str:
    """The strongest of what was said; a sign is only a possibility, and only where the finding is not named."""
    for evidence, verdict in (
        ((NAMED, PRESENT), PRESENT),
        ((NAMED, POSSIBLE), POSSIBLE),
        ((NAMED, ABSENT), ABSENT),
        ((SIGN, PRESENT), POSSIBLE),
        ((SIGN, POSSIBLE), POSSIBLE),
        ((NORMAL, ABSENT), ABSENT),
    ):
        if evidence in said:
            return verdict
    return ""


def _verdict(context: Context, match: re.Match[str]) -> str:
    """What the report says of one mention; empty if it only speaks of the finding."""
    names = [name for name in ("at", "at2") if match.groupdict().get(name)]
    start, end = match.span(names[0]) if names else match.span()
    verdict, before = context.assertion(start, end), context.text[context.sentence_at(start)[0] : start]
    if _TO_EXCLUDE.search(before):
        return ""
    if verdict == HISTORICAL:
        return ABSENT if context.resolved(start, end) else PRESENT
    if verdict == POSSIBLE:
        likely = _LIKELY.search(before)
        return PRESENT if likely and not _DOUBT.search(before[likely.start() :]) else POSSIBLE
    return verdict if verdict in (PRESENT, ABSENT) else ""


def _body(text: str) -> str:
    """The text with what is no finding (indication, comparison, technique …) blanked out; offsets stay."""
    parts, keep, position = [], True, 0
    for heading in _HEADING.finditer(text):
        name = heading["heading"]
        if not (_READ.search(name) or _NOT_READ.search(name)):
            continue
        parts.append(text[position : heading.start()] if keep else " " * (heading.start() - position))
        keep, position = (
            not _NOT_READ.search(name) or bool(re.search(r"finding|impression|interpretation", name, re.I)),
            heading.start(),
        )
        parts.append("\n\n".ljust(heading.end() - position))  # ends the sentence before it
        position = heading.end()
    parts.append(text[position:] if keep else " " * (len(text) - position))
    return "".join(parts)
