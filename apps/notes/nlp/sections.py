"""Split a note into sections by their headings."""

from __future__ import annotations

import re
from dataclasses import dataclass

NAMES = {
    "complaint": ("chief complaint", "reason for visit", "presenting complaint", "主诉"),
    "history": (
        "history of present illness", "hpi", "history", "brief history", "present illness", "subjective", "interval history",
        "indication", "indications", "indication for procedure", "现病史", "病史",
    ),
    "past": (
        "past medical history", "pmh", "pmhx", "past medical hx", "past surgical hx", "psh", "pshx", "medical history", "past surgical history", "past history", "past ocular history",
        "past cardiac history", "past psychiatric history", "past medical and surgical history", "past medical/surgical history",
        "past illnesses", "既往史",
    ),
    "family": ("family history", "fh", "fhx", "family hx", "family medical history", "家族史"),
    "social": ("social history", "sh", "shx", "social hx", "personal history", "habits", "个人史", "社会史"),
    "allergies": (
        "allergies", "allergy", "medication allergies", "drug allergies", "allergies to medications", "allergies to medication",
        "allergies to drugs", "allergies to medicines", "medicine allergies", "known allergies", "allergies and intolerances",
        "allergies/intolerances", "drug allergies/intolerances", "allergies/reactions", "allergies and reactions", "adverse reactions",
        "过敏史", "药物过敏史", "过敏反应史",
    ),
    "medications": ("medications", "current medications", "meds", "home medications", "prescriptions", "用药", "用药史"),
    "review": ("review of systems", "ros", "constitutional", "系统回顾"),
    "exam": (
        "physical examination", "physical exam", "exam", "examination", "objective", "vitals", "vital signs", "heent",
        "neck", "lungs", "chest", "heart", "cardiac", "cardiovascular", "respiratory", "abdomen", "extremities", "neurologic",
        "gu", "musculoskeletal", "general", "skin", "体格检查", "查体",
    ),
    "findings": ("findings", "gross findings", "diagnostic data", "laboratory data", "labs", "imaging", "影像所见", "检查所见", "辅助检查"),
    "impression": (
        "impression", "assessment", "assessment and plan", "diagnosis", "diagnoses", "preoperative diagnosis",
        "postoperative diagnosis", "conclusion", "诊断", "影像诊断", "印象", "初步诊断", "结论",
    ),
    "plan": ("plan", "recommendation", "recommendations", "disposition", "处理", "治疗计划", "诊疗计划", "建议"),
    "procedure": ("procedure", "procedures", "procedure performed", "operation", "description of procedure", "手术经过", "手术"),
}  # fmt: skip
_KNOWN = {heading: name for name, headings in NAMES.items() for heading in headings}
_HISTORIES = {
    "social": ("SOCIAL", "PERSONAL", "OCCUPATION"),
    "family": ("FAMILY",),
    "past": ("PAST", "SURGICAL", "PREVIOUS"),
}
_HEADING = re.compile(
    r"(?:^|(?<=[\n.;,。；]))[ \t]*(?P<heading>[A-Za-z][A-Za-z /&-]{1,40}|[\u4e00-\u9fff]{2,6})[ \t]*[:：]", re.MULTILINE
)


@dataclass(frozen=True)
class Section:
    """A section: ``text[start:end]``.

    Attributes:
        name: a key of NAMES or empty.
        body: offset of the end of its heading.
    """

    name: str
    start: int
    body: int
    end: int


def _name(heading: str) -> str | None:
    """The section that a heading begins: a known one, or a history in capitals ("FAMILY HISTORY AND SOCIAL HISTORY")."""
    if heading.lower() in _KNOWN:
        return _KNOWN[heading.lower()]
    if not heading.isupper() or not heading.endswith("HISTORY"):
        return None
    return next((name for name, words in _HISTORIES.items() if any(word in heading for word in words)), None)


def sections(text: str) -> list[Section]:
    """Split a text into consecutive sections without gaps; unknown headings do not start a section."""
    starts = [("", 0, 0)]
    for heading in _HEADING.finditer(text):
        name = _name(heading["heading"].strip())
        if name is not None:
            starts.append((name, heading.start("heading"), heading.end()))
    ends = [start for _name, start, _body in starts[1:]] + [len(text)]
    return [Section(*begun, end) for begun, end in zip(starts, ends, strict=True) if end > begun[1]]
