"""Site and texture of nodules mentioned in notes: pulmonary guidelines apply to solid lung nodules only."""

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
    """The nodule's site: ``lung``, the word for another site, or empty if the note does not say.

    The site closest to the mention in its sentence counts; without one, the last site named before that sentence
    ("CT chest: … A nodule of 9 mm.").

    Args:
        mention, sentence: start and end offset in the text.
    """
    start, end = mention
    candidates = [
        (max(site[1] - end, start - site[2], 0), site[0])
        for site in _sites(text[sentence[0] : sentence[1]], sentence[0])
    ]
    if candidates:
        return min(candidates)[1]
    before = _sites(text[: sentence[0]], 0)
    return max(before, key=lambda site: site[2])[0] if before else ""


def is_subsolid(sentence: str) -> bool:
    """Whether the sentence describes a ground-glass or part-solid nodule, to which other guidelines apply."""
    return bool(_SUBSOLID.search(sentence))


def _sites(text: str, offset: int) -> list[tuple[str, int, int]]:
    """Site, start and end offset of every site named in a text."""
    lungs = [(LUNG, site.start() + offset, site.end() + offset) for site in _LUNG.finditer(text)]
    others = [(site[0].casefold(), site.start() + offset, site.end() + offset) for site in _ELSEWHERE.finditer(text)]
    return lungs + others
