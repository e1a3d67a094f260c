"""Where a nodule lies of which a note speaks, and whether guidelines for solid ones apply to it."""

from __future__ import annotations

import re

LUNG = "lung"
_LUNG = re.compile(
    r"\b(?:lungs?|pulmonary|intrapulmonary|lingula\w*|(?:upper|middle|lower)[\s-]+(?:lobes?|zones?)|[rl][uml]l|"
    r"perifissural|subpleural|bibasilar|basal segment|chest\s+(?:ct|x-?ray|radiograph|film)|"
    r"(?:ct|computed tomography)(?:\s+scan)?(?:\s+of)?(?:\s+the)?\s+(?:chest|thorax))\b|"
    r"肺|胸部(?:CT|ct|平扫|增强)|(?:上|中|下)叶",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"\b(?:thyroid\w*|parathyroid\w*|liver|hepatic|renal|kidneys?|adrenals?|breasts?|axilla\w*|prostat\w*|skin|cutaneous|"
    r"subcutaneous|dermal|soft\s+tissues?|chest\s+wall|scalp|neck|cervical|vocal\s+(?:cords?|folds?)|lymph\s+nodes?|"
    r"parotid|salivary|submandibular|pancrea\w*|spleen|splenic|ovar\w*|uter\w*|testic\w*|testis|scrot\w*|epididym\w*|"
    r"bladder|colon\w*|rect(?:al|um)|gastric|stomach|tongue|oral|lips?|nasal|eyelids?|brain|cerebral|fingers?|hands?|"
    r"elbows?|knees?|joints?|tendons?|umbilic\w*|peritone\w*|omental|abdom\w*|mesenter\w*|rheumatoid)\b|"
    r"甲状腺|肝|肾(?!上腺)|肾上腺|乳腺|乳房|腋|前列腺|皮肤|皮下|胸壁|头皮|颈|声带|淋巴结|腮腺|胰|脾|卵巢|子宫|睾丸|膀胱|结肠|直肠|胃|舌|脑|关节|腹",
    re.IGNORECASE,
)
_SUBSOLID = re.compile(
    r"\bground[\s-]*glass\b|\b(?:sub|part|semi|non)[\s-]*solid\b|\bgg[no]s?\b|磨玻璃|毛玻璃|亚实性|部分实性",
    re.IGNORECASE,
)


def site_of(text: str, mention: tuple[int, int], sentence: tuple[int, int]) -> str:
    """Where the nodule lies: ``lung``, the word of another place, or empty if the note does not say.

    The place nearest to the mention in its sentence counts; without one there, the last that was named before it
    ("CT chest: … A nodule of 9 mm.").
    """
    start, end = mention
    places = [
        (max(found[1] - end, start - found[2], 0), found[0])
        for found in _places(text[sentence[0] : sentence[1]], sentence[0])
    ]
    if places:
        return min(places)[1]
    before = _places(text[: sentence[0]], 0)
    return max(before, key=lambda found: found[2])[0] if before else ""


def is_subsolid(sentence: str) -> bool:
    """Whether the sentence calls the nodule ground-glass or part-solid, for which other rules hold."""
    return bool(_SUBSOLID.search(sentence))


def _places(text: str, offset: int) -> list[tuple[str, int, int]]:
    """Site, start and end of every place that a text names."""
    lungs = [(LUNG, found.start() + offset, found.end() + offset) for found in _LUNG.finditer(text)]
    others = [
        (found[0].casefold(), found.start() + offset, found.end() + offset) for found in _ELSEWHERE.finditer(text)
    ]
    return lungs + others
