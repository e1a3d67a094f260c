"""Names of conditions that mean something else where they stand: "ST depression", "hepatitis B second injection"."""

from __future__ import annotations

import re

from apps.notes.nlp.assertions import Context
from apps.terminology.lexicon import Concept

_DRAINING = re.compile(
    r"\b(?:vaginal|nasal|urethral|penile|nipple|ear|eye|ocular|wound|purulent|bloody|clear|yellow|green\w*|white|foul|thick|watery|"
    r"malodorous|mucoid|mucopurulent|serous|serosanguin\w*|no|any|copious|abnormal|without|or|denies|drainage)\W+$",
    re.IGNORECASE,
)
_DRAINS_FROM = re.compile(
    r"^\s+from\s+(?:the\s+|his\s+|her\s+)?(?:\w+\s+)?(?:wound|incision|nose|ear|eye|nipple|vagina|penis|site|urethra)",
    re.I,
)
_SENSES = {  # words before a lexicon name that give it another sense
    "depression": re.compile(
        r"\b(?:ST|ST[- ]segment|T[- ]wave|PR|J[- ]point|respiratory|CNS|marrow|myocardial|tongue)\s+$", re.IGNORECASE
    ),
    "stroke": re.compile(r"\b(?:heat|sun|back|breast|two)\s*$", re.IGNORECASE),
    "mass": re.compile(r"\b(?:body|bone|muscle|lean|fat|air|critical)\s+$", re.IGNORECASE),
    "weakness": re.compile(r"\b(?:a|the)\s+$", re.IGNORECASE),
    "pain": re.compile(
        r"\b(?:withdraw\w*|responds?|respon\w+|locali[sz]\w+|reacts?|grimac\w+|purposeful)\s+(?:only\s+)?(?:to|from)\s+(?:deep\s+)?$",
        re.IGNORECASE,
    ),
    "pallor": re.compile(r"\b(?:disk|disc|nerve)\s+$", re.IGNORECASE),
    "rub": re.compile(r"\b(?:to|alcohol|vapor)\s+$", re.IGNORECASE),
}
_SENSES_AFTER = {  # and words after it
    "stroke": re.compile(r"^\s+(?:volume|work|rehab\w*|unit|center)", re.IGNORECASE),
    "mass": re.compile(r"^\s+(?:index|effect|spec\w+|general)", re.IGNORECASE),
    "pain": re.compile(
        r"^\s+(?:control|management|medication\w*|clinic|scale|score|medicine|relief|free|killer\w*|contract|buster|pump|tolerance|"
        r"analog|specialist|team|reliever\w*|threshold|assessment)",
        re.IGNORECASE,
    ),
    "smoking": re.compile(r"^\s*(?:cessation|status|history|marijuana|cannabis|pot\b|weed\b|crack\b)", re.IGNORECASE),
    "lesion": re.compile(r"^\s+(?:removal)", re.IGNORECASE),
    "urinary_frequency": re.compile(r"^\s+(?:of|domain|range|ablation|band)\b", re.IGNORECASE),
}
_ADJECTIVES = {  # words after an adjective that take it to themselves
    "depressed": re.compile(
        r"^\s+(?:breath|skull|fracture|level|ST\b|mental status|sensorium|ejection|left ventricular|LV|immune|gag|reflexes|consciousness|"
        r"respirat\w+)",
        re.IGNORECASE,
    ),
    "anxious": re.compile(r"^\s+(?:to|for (?:the|his|her))\b", re.IGNORECASE),
    "hypertensive": re.compile(
        r"^\s+(?:response|reaction|effects?|etiolog\w+|readings?|range|values?|levels?|meds?\b|medication\w*)",
        re.IGNORECASE,
    ),
}
_VOIDING = re.compile(
    r"urgen|dysuria|hematuria|nocturia|\burin|burning|hesitan|\bvoid|incontinen|\bGU\b|genitourinary|urolog|bladder|polyuria",
    re.IGNORECASE,
)
"""Beside one of these words "frequency" is a symptom."""
_BLOOD_LOSS_BEFORE = re.compile(
    r"\b(?:estimated|minimal|intraoperative|operative|total|negligible|expected)\s+$", re.IGNORECASE
)
_BLOOD_LOSS_AFTER = re.compile(
    r"^\s*(?:[:,]|was\b|is\b|of\b|less\b|minimal|approximately|estimated|about\b|\d)", re.IGNORECASE
)
_INTENDED = re.compile(
    r"\b(?:should|recommend\w*|advis\w+|encourag\w+|attempts? (?:at|of)|goals?|counsel\w*|for|nonsurgical|surgical|obtain|achieve)\b[^.;]{0,40}$",
    re.IGNORECASE,
)
_PROGRAMME = re.compile(
    r"^\s+(?:program\w*|surgery|goals?|attempts?|counsel\w*|clinic|diet|efforts?|plan)\b", re.IGNORECASE
)
"""Around a loss of weight that somebody is to reach: no symptom."""
_NO_CONDITION_AFTER = re.compile(
    r"^\s+stimul(?:i|us|ation)\b|^\s+(?:catheter|pathway|protocol|precautions|counsel\w+|education|clinic|drinks?|beverages?|syrup|drops|diet|plexus|artery|axis|trunk)\b|"
    r"^\s+(?:(?:was|were|is|are)\s+)?(?:(?:not )?performed|sent|swabs?|cultures? (?:was|were|is|sent)|PCR|probe|smear)\b",
    re.IGNORECASE,
)
"""After the name of a condition: a thing, a plan or a test that is called after it ("bronchiolitis pathway")."""
_PROPHYLAXIS = re.compile(r"^\s*(?:\([A-Z]{2,5}\)|\))?[\s-]*prophyla\w+", re.IGNORECASE)
_NORMAL = re.compile(r"\bnormal\s+$", re.IGNORECASE)
_PREVENTABLE = re.compile(
    r"^(?:(?:viral )?hepatitis|tetanus|influenza|flu|pneumo\w+|measles|mumps|rubella|varicella|chicken ?pox|(?:herpes )?zoster|shingles|hpv|polio\w*|"
    r"diphtheria|pertussis|mening\w+|rabies|typhoid|covid\S*|乙肝|乙型肝炎|甲肝|流感|破伤风|肺炎|水痘|带状疱疹|狂犬病)",
    re.IGNORECASE,
)
_VACCINE_AFTER = re.compile(
    r"^\s*(?:[AB]\s+)?(?:virus\s+)?(?:(?:#?\d|first|second|third|fourth|1st|2nd|3rd|next|final|booster)\s+)*"
    r"(?:dose|vaccin\w*|injections?|shots?|immuni[sz]\w+|series|booster|immune|immunity)\b|^\s*(?:第.针|疫苗|加强针)",
    re.IGNORECASE,
)
_VACCINATED = re.compile(
    r"\b(?:immuni[sz]ations?|immuni[sz]ed|vaccinations?|vaccinated|vaccines?)\b|疫苗|接种", re.IGNORECASE
)
_ILL = re.compile(
    r"\b(?:despite|although|but|diagnosed|infection|symptoms?|positive|treated|history of|not|no|never|unvaccinated|possible|suspected)\b|患|感染|确诊|未",
    re.IGNORECASE,
)
"""Beside a vaccine: the disease itself may be meant."""
_TREATED = re.compile(r"(?:[抗防]|\banti-)$", re.IGNORECASE)
"""Before a name: what is meant is the treatment (抗感染, "anti-psychotic")."""


def is_vaccine(context: Context, start: int, end: int) -> bool:
    """Whether the name of a disease stands for a vaccine against it ("hepatitis B second injection")."""
    text = context.text
    if not _PREVENTABLE.match(text[start:end]):
        return False
    sentence = text[slice(*context.sentence_at(start))]
    return bool(
        _VACCINE_AFTER.match(text[end : end + 80]) or (_VACCINATED.search(sentence) and not _ILL.search(sentence))
    )


def means_something_else(concept: Concept | None, context: Context, start: int, end: int) -> bool:
    """Whether the name ``text[start:end]`` stands for no finding in its place.

    Args:
        concept: the lexicon's concept of the name, if it has one.
    """
    text = context.text
    words, before, after = text[start:end].lower(), text[max(start - 40, 0) : start], text[end : end + 80]
    if _TREATED.search(before):
        return True
    if _PROPHYLAXIS.match(after) or (words == "ganglion" and before.lower().endswith("basal ")):
        return True
    if _NO_CONDITION_AFTER.match(after) or (words == "thickening" and _NORMAL.search(before)):
        return True
    if words in ("weight loss", "losing weight") and (_INTENDED.search(before) or _PROGRAMME.match(after)):
        return True
    if words in _ADJECTIVES and _ADJECTIVES[words].match(after):
        return True
    if words == "blood loss" and (_BLOOD_LOSS_BEFORE.search(before) or _BLOOD_LOSS_AFTER.match(after)):
        return True
    if words == "frequency" and not _VOIDING.search(text, *context.sentence_at(start)):
        return True
    return concept is not None and _has_other_sense(concept, text, start, end)


def _has_other_sense(concept: Concept, text: str, start: int, end: int) -> bool:
    before, after = text[max(start - 40, 0) : start], text[end : end + 80]
    if concept.code == "discharge" and not re.search(r"[\u4e00-\u9fff]", before[-2:] + after[:2]):
        return not (_DRAINING.search(before) or _DRAINS_FROM.match(after))  # "discharge home"
    sense, following = _SENSES.get(concept.code), _SENSES_AFTER.get(concept.code)
    return bool((sense and sense.search(before)) or (following and following.match(after)))
