"""Names of conditions in notes: the lexicon's and the terminology's, without those that mean something else in a note."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from apps.notes.nlp.condition_history import is_history
from apps.terminology.condition_text import plain_words
from apps.terminology.lexicon import concepts
from apps.terminology.resolution import Candidate

GUARDS_FILE = Path(__file__).parent / "condition_guards.tsv"
_LASTING_FACTS = frozenset({"Z33", "Z94", "Z95", "Z99", "Z89", "Z90", "Z85", "Z86", "Z87"})
"""Chapter Z in the record: pregnancy, transplants, devices, dialysis, missing organs, personal history."""
_HISTORY_OF = re.compile(
    r"(?:(?:personal|past|previous|prior) )?(?:history of |hx of |h/o |s/p |status post )(?=\S)|既往", re.IGNORECASE
)


_EMBOLISM = re.compile(
    r"\b(?:CTP?A|CT|V/?Q|DVT|VTE|d-?\s?dimers?|Wells|PERC|embol\w*|thromb\w*|anticoagul\w*|heparin|unlikely|rule[ds]? out|r/o|saddle|segmental|"
    r"bilateral|acute|massive|submassive|provoked|unprovoked|negative for|positive for|evidence of|concern for|suspicion|suspected|"
    r"history of|h/o|hx|diagnosed|recent|no|or|and|for|with|had|has|exclude[ds]?)\b",
    re.IGNORECASE,
)
_NO_EMBOLISM = re.compile(
    r"^\s*(?:[:：-]|exam|tubes?\b|within|WNL|normal|unremarkable|notable|reveal|show|remarkable|significant)", re.I
)


@dataclass(frozen=True)
class Named:
    """A name of a finding: ``text[start:end]``, the lexicon's code or empty, and what the terminology knows it as."""

    start: int
    end: int
    concept: str
    candidate: Candidate | None = None


@cache
def guards() -> dict[str, frozenset[str]]:
    """Names to drop, names without a code (in small letters), and the abbreviations that are taken."""
    rows: dict[str, set[str]] = {}
    for line in GUARDS_FILE.read_text().splitlines():
        if line and not line.startswith("#"):
            action, names = line.split("\t")
            rows.setdefault(action, set()).update(names.split("|"))
    return {action: frozenset(names) for action, names in rows.items()}


PREGNANT = "Z33.1"
_GESTATION = re.compile(
    r"(?:(?:孕|妊娠|宫内孕)\s*\d{1,2}\s*(?:\+\s*\d)?\s*(?:余)?周|停经\s*\d{1,2}\s*(?:\+\s*\d)?\s*(?:余)?周(?=[^。]{0,40}(?:产|孕|胎|宫)))|"
    r"\b\d{1,2}(?:\s?(?:\+|and|&)\s?\d(?:/7)?|\s\d/7)?[- ]?weeks?(?:'s?)?(?:[- ]pregnant|\s(?:and \d days?\s)?(?:of\s)?(?:gestation(?:al age)?|pregnan(?:t|cy)|IUP|EGA))\b|"
    r"\b(?:IUP|intrauterine pregnancy)\s+at\s+\d{1,2}(?:\s?\+\s?\d|\s\d/7)?\s*(?:weeks?|wks?)\b|\bG\d+\s?P\d+[^.;]{0,30}?\bat\s+\d{1,2}(?:\s?\+\s?\d|\s\d/7)?\s*(?:weeks?|wks?)\b",
    re.IGNORECASE,
)
"""A pregnancy said by its weeks ("孕28周", "28 weeks pregnant", "IUP at 39 weeks")."""
_WEEKS = re.compile(r"\d[^\w\n]{0,3}(?:\d/7)?\s?(?:week|wk)|周", re.IGNORECASE)
_BORN = re.compile(
    r"(?:\b(?:born|birth|deliver\w*|premature\w*|preterm|miscarr\w*|abort\w*|terminat\w*|loss|demise|c-section|section)\b[^.;]{0,30}|"
    r"(?:胎龄|出生|早产|流产|引产|于|曾|剖宫产)[^，。；]{0,8})$",
    re.IGNORECASE,
)
"""Before weeks of gestation: those of a birth or of a pregnancy that is over."""


def _gestations(text: str) -> list[Named]:
    """The pregnancies that are said by their weeks."""
    if not _WEEKS.search(text):  # most notes, and much faster to find
        return []
    rows = []
    for match in _GESTATION.finditer(text):
        after = text[match.end() : match.end() + 20]
        if not _BORN.search(text[max(match.start() - 40, 0) : match.start()]) and not _ENDED_SO.match(after):
            pregnant = Candidate("condition", PREGNANT, "Pregnant state, incidental", match[0], 1.0)
            rows.append(Named(*match.span(), "pregnancy", pregnant))
    return rows


_ENDED_SO = re.compile(
    r"\s*(?:分娩|剖宫产|自然流产|流产|早产|引产|出生|胎停|by (?:c-section|cesarean)|miscarriage|delivery)",
    re.IGNORECASE,
)


def named_conditions(text: str, lexical: list[Named], names: Sequence[tuple[int, int, Candidate]]) -> list[Named]:
    """The names of the lexicon and of the terminology; of overlapping ones the longest.

    A longer name of the same category keeps the lexicon's concept ("community-acquired pneumonia" is a pneumonia).
    """
    lexical = [*lexical, *_gestations(text)]
    known = [
        Named(start + _lead(text[start:end], candidate), end, "", candidate)
        for start, end, candidate in names
        if candidate.system == "condition"
        and (_is_finding(text[start:end], candidate) or _is_embolism(text, start, end))
    ]
    lexical = [row for row in lexical if text[row.start : row.end] != "PE" or _is_embolism(text, row.start, row.end)]
    rows = sorted([*lexical, *known], key=lambda row: (row.start, row.start - row.end, row.candidate is None))
    merged: list[Named] = []
    for row in rows:
        last = merged[-1] if merged else None
        if last is None or row.start >= last.end:
            merged.append(row)
        elif row.end - row.start > last.end - last.start:
            merged[-1] = row
        elif row.concept and last.candidate and not last.concept and _same_concept(row, last, text):
            merged[-1] = Named(last.start, last.end, row.concept, last.candidate)
    return merged


def _is_embolism(text: str, start: int, end: int) -> bool:
    """Whether "PE" is pulmonary embolism and not the physical examination: by what is said beside it."""
    if text[start:end] != "PE" or _NO_EMBOLISM.match(text[end : end + 20]):
        return False
    near = (
        re.split(r"[.;\n]", text[max(start - 60, 0) : start])[-1] + " | " + re.split(r"[.;\n]", text[end : end + 60])[0]
    )
    return bool(_EMBOLISM.search(near))


def _lead(words: str, candidate: Candidate) -> int:
    """Length of "history of" at the beginning of a name: the finding is what follows."""
    lead = _HISTORY_OF.match(words) if is_history(candidate.code) else None
    return lead.end() if lead else 0


def _is_finding(words: str, candidate: Candidate) -> bool:
    """Whether the words name a finding in a note, and not a test, a visit, or an abbreviation of several meanings."""
    if candidate.code[0] in "VWXY" or (candidate.code[0] == "Z" and candidate.code[:3] not in _LASTING_FACTS):
        return False
    plain = " ".join(words.lower().split())
    if (
        plain in guards()["drop"]
        or " without " in plain
        or plain.startswith(("maternal ", "paternal ", "family history "))
    ):
        return False
    is_short = words.isascii() and words.isalnum() and len(words) <= 6 and words.isupper()
    return not is_short or words in guards()["abbreviation"] or words.lower() in plain_words() or len(words) == 6


def _same_concept(lexical: Named, row: Named, text: str) -> bool:
    """Whether a name of the lexicon within one of the terminology, or equal to it, is the same condition."""
    assert row.candidate is not None
    concept = concepts()[lexical.concept]
    if (lexical.start, lexical.end) == (row.start, row.end) and concept.denoted_by(text[row.start : row.end]):
        return True
    return concept.icd10[:3] == row.candidate.code[:3] or bool(concept.label and lexical.end == row.end)
