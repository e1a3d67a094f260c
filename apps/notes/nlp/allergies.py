"""Allergies and intolerances: the substance, the reaction, and whether none are known."""

from __future__ import annotations

import re
from dataclasses import dataclass

ALLERGY, INTOLERANCE, DENIED = "allergy", "intolerance", "denied"
CONFIRMED, UNCONFIRMED = "confirmed", "unconfirmed"
REACTION = (
    r"anaphyla\w+(?: shock| reaction)?|hives|urticaria|angio-?o?edema|(?:skin |maculopapular |itchy |diffuse |severe )*rash(?:es)?|"
    r"(?:facial |lip |tongue |throat |face )?swelling|swelling of (?:the |his |her )?(?:face|lips?|tongue|throat)|swollen (?:face|lips?|tongue)|"
    r"itch(?:ing|y|iness)?|pruritus|nausea(?: and vomiting)?|vomiting|wheez\w+|bronchospasm|shortness of breath|dyspnea|"
    r"stevens-?\s?johnson(?: syndrome)?|sjs|toxic epidermal necrolysis|ten\b|dress\b|red man syndrome|diarrhea|stomach upset|gi upset|upset stomach|"
    r"gi intolerance|abdominal (?:pain|cramps)|cough|myalgias?|muscle (?:pain|aches)|dizziness|headaches?|confusion|disorientation|hallucinations?|"
    r"seizures?|syncope|hypotension|flushing|throat (?:closing|tightness)|laryngospasm|laryngeal edema|dystonia|dystonic reaction|agitation|"
    r"blisters?|blistering|photosensitivity|hepatitis|interstitial nephritis|serum sickness|palpitations|tachycardia|drowsiness|hyperkalemia|"
    r"neutropenia|agranulocytosis|thrombocytopenia|bleeding|tinnitus|malignant hyperthermia|respiratory (?:distress|arrest|depression)|"
    r"nause(?:ated|ous)|drows[yi]\w*|dizzy|(?:gi|gastrointestinal|stomach|gastric) (?:bleed\w*|ulcers?)|constipation|loopy|jittery|"
    r"contact dermatitis|dermatitis|fever|chills|"
    r"过敏性休克|皮疹|荨麻疹|风团|红斑|药疹|瘙痒|皮肤瘙痒|呕吐|恶心呕吐|恶心|腹泻|呼吸困难|喉头水肿|血管性水肿|哮喘|胸闷|休克|头晕|干咳|咳嗽|发热|面部水肿|水肿|剥脱性皮炎|皮炎|腹痛|心悸"
)
MENTIONS = (
    "allerg", "intoleran", "hypersensitiv", "anaphyla", "reaction", "toler", "rash", "hives", "swelling", "swells", "itch",
    "vomit", "causes", "gives", "过敏", "不耐受", "皮疹", "皮试",
)  # fmt: skip
"""Words, in small letters, in whose sentence substances other than drugs may be allergens."""
_BEFORE = re.compile(
    r"(?:\b(?:allerg(?:y|ies|ic)(?:\s+(?:reactions?|history|and intoleran\w+|or intoleran\w+))?\s*(?:to|include[sd]?|:|-|of|are|is|with)|"
    r"(?P<intolerance>(?:intoleran(?:t|ces?))\s*(?:of|to|:|include[sd]?)|(?:unable to|cannot|could not|can't|did not|does not|didn't|doesn't|not able to)\s+tolerate|not tolerat\w+|failed to tolerate)|"
    r"(?:hypersensitiv\w*|adverse\s+(?:drug\s+)?(?:reactions?|effects?)|(?:bad |severe |allergic )?reactions?|reacts?|reacted|sensitivity)\s*(?:of|to|with|from)|"
    r"(?P<sensitive>sensitive|sensitivities)\s*(?:to|:)|"
    rf"(?P<reaction>{REACTION})\s+(?:(?:occurred|developed|reaction|reactions)\s+)?(?:to|after(?: (?:taking|receiving|getting))?|with|from|on|following|secondary to|due to|caused by)|"
    r"(?:develop(?:s|ed)|had|gets|got|gives?|experienced|broke out in|breaks out in)\s+(?:an?\s+|severe\s+)*"
    rf"(?P<reaction2>{REACTION})(?:\s+\w+){{0,2}}\s+(?:to|after(?: (?:taking|receiving|getting))?|with|from|on|following|when (?:taking|given)))|"
    r"对|过敏药物[：:]|药物过敏史?[：:]|过敏史[：:]|过敏原[：:]?)\s*(?P<between>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_AFTER = re.compile(
    r"^(?:\s*(?:,|/|and|or|&|、|和|及)\s*[A-Za-z\u4e00-\u9fff][\w-]*(?: [\w-]+)?){0,6}?\s*[-–]?\s*\(?(?:drug |medication )?"
    r"(?:allerg(?:y|ies|ic)\b|(?P<intolerance>intoleran\w+)|hypersensitiv\w*|anaphyla\w+|"
    rf"(?:caused?|causes|causing|gives?|gave|produce[sd]?|led\s+to|leads\s+to|results?\s+in|resulted\s+in|makes? (?:him|her)|made (?:him|her))\b[^.;]{{0,25}}?\b(?P<effect>{REACTION}|sick))",
    re.IGNORECASE,
)
_AFTER_ZH = re.compile(
    r"^(?P<list>[^，。；,;：:但]{0,20}?)(?:类)?(?:药物?|抗生素)?(?P<cue>过敏|不耐受|致敏|皮试(?:阳性|\(\+\)|（\+）)|引起过敏|过敏史|(?:后|时)?(?:出现|引起|导致|发生)[^，。；]{0,6}?(?:皮疹|过敏性休克|荨麻疹|呕吐|瘙痒|喉头水肿|呼吸困难|药疹|红斑|恶心|干咳))"
)
_NOT_ALLERGIC_ZH = re.compile(r"(?:否认|无|未发现|没有|未曾|不|排除)[^，。；]{0,20}$")
_NOT_AFTER_ZH = re.compile(r"^[^，。；,;：:但]{0,20}?(?:不|未|没有|并无)(?:会|曾)?(?:出现)?过敏")
_REFUTED = re.compile(
    r"^(?:\s*(?:label|status|history|testing|test))?[^.;。；,，]{0,40}?\b(?:(?:ruled|rules) out|excluded|de-?label\w*|disprove[nd]|refuted|"
    r"not (?:been )?(?:confirmed|allerg\w+)|(?:was|has been|label) removed|(?:was|is|were) (?:tested )?negative|test\w* negative|(?:has )?outgr[eo]wn?)\b|"
    r"^[^。；]{0,14}?(?:已排除|被排除|予排除|排除$|已解除|不成立|阴性)",
    re.IGNORECASE,
)
"""Behind the word for allergy: a test or a challenge has refuted it."""
_REFUTED_BEFORE = re.compile(r"\b(?:outgr[eo]wn?|de-?label\w*)\b[^.;,]{0,30}$", re.IGNORECASE)
_UNSURE_BEFORE = re.compile(
    r"(?:\b(?:possibl[ey]|probabl[ey]|suspected|suspicion of|questionable|question of|presumed|likely|may(?: be| have)?|might(?: be| have)?|"
    r"unclear|unsure|unverified|unconfirmed|uncertain|vague|reportedly|doubtful|potential(?:ly)?|concern for|thinks|believes|unknown)\b[^.;]{0,30}|"
    r"\?\s*(?:\w+\s+){0,3}|(?:可疑|疑似|怀疑|可能|疑|不确定|不排除|不能排除|待排除?)[^，。；]{0,15})$",
    re.IGNORECASE,
)
_UNSURE_AFTER = re.compile(
    r"^[^.;。；,，\n]{0,30}?(?:[?？]|\b(?:possibl[ey]|suspected|questionable|unconfirmed|unverified|uncertain|unclear|unlikely|not sure)\b|"
    r"待查|待排|可能|可疑|(?<!具体)(?<!反应)不详|不确定)|^[^.;]{0,40}?\bnot (?:a )?(?:true|real) (?:allerg|hypersens)",
    re.IGNORECASE,
)
"""Words that leave open whether there is an allergy; it is then recorded as unconfirmed."""
_OTHER_CLAUSE = re.compile(
    r"[.;:；。]|\b(?:but|however|except|takes?|taking|took|on|given|giving|started?|starting|treated|prescribed|switched|chang(?:ed|ing|e)|replaced|converted|transitioned|"
    r"continued?|tolerate[sd]?|tolerating|received?|use[sd]?|instead|has|have|den(?:ies|ied|y)|can)\b|但|目前|服用",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"\b(?:no|not|denies|denied|without|never|nor|negative for|isn't|wasn't|(?:ruled|rule|rules) out|excluded)\b(?:\s+(?:any|known|history|of|a|an|"
    r"drug|medication|prior|true|truly|really|actually|currently|in fact|evidence|other|be|have|had|to|real|documented|reported|previous|"
    r"significant|is|was|he|she|longer|to)){0,6}\s*$",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"\b(?:no|not|denies|denied|without|never|isn't|wasn't|negative for|(?:ruled|rules|rule) out|excluded)\b[^,;]{0,30}$",
    re.IGNORECASE,
)
_INTOLERANT = re.compile(r"^\s*(?:intoleran\w+|不耐受)", re.IGNORECASE)
_NONE_OF_LIST = re.compile(
    r"(?:^|[.;:]\s*,?\s*)no\s+(?!known\b)(?:(?!\w*allerg)[\w/-]+(?:,\s*|\s+)){0,8}$", re.IGNORECASE
)
"""Before one of a list that is denied as a whole ("No shrimp, seafood, or dye allergy")."""
_NONE_KNOWN = re.compile(
    r"\bn\.?k\.?d\.?a\b\.?|\bno\s+(?:known\s+)?(?:drug|medication|medicine|medicinal)\s*(?:/\s*food\s*)?allerg\w*|"
    r"\b(?:denies|denied)\s+(?:any\s+)?(?:known\s+)?(?:drug|medication|medicine)\s+allerg\w*|\bno (?:known )?allerg\w+ to (?:any )?(?:medications?|drugs|medicines?)\b|"
    r"\bdenies (?:any )?allerg\w+ to (?:any )?(?:medications?|drugs|medicines?)\b|\bnot allergic to (?:any )?(?:medications?|drugs|medicines?)\b|"
    r"(?:否认|无|未发现|没有|未诉)(?:有|明确|已知|明显)?(?:食物[、及和或]?)?药物?[、及和或]?(?:食物)?(?:及食物|、食物)?(?:等)?过敏|药物过敏史?[：:]\s*(?:无|否认|没有|未发现)|(?:否认|无)食物、?药物过敏",
    re.IGNORECASE,
)
_NO_ALLERGIES = re.compile(
    r"\bn\.?k\.?a\b\.?|\bno\s+known\s+allerg\w*|\bno\s+allerg(?:y|ies)\b(?!\s+to)|\b(?:denies|denied)\s+(?:any\s+)?(?:known\s+)?allerg(?:y|ies)\b(?!\s+to)|"
    r"\ballerg(?:y|ies)\s*[:\-–]\s*,?\s*(?:none|nil|no\b(?=\s*(?:[.;,\n]|$|known\b))|negative|denies)|(?:否认|无|没有)(?:明确|已知|明显)?过敏史|过敏史\s*[：:]\s*(?:无|否认|没有|未发现)",
    re.IGNORECASE,
)
_SECTION_NONE = re.compile(r"^\W*(?:none|nil|no\b|denies|negative|无|否认|没有)", re.IGNORECASE)
_EXCEPT = re.compile(
    r"\b(?:allerg\w*|nk[d]?a)\b[^.;]{0,20}\b(?:except|other than|besides|apart from|aside from)(?:\s+(?:for|to))?\s+"
    r"(?:[\w-]+(?:,| and| or)\s+){0,5}$",
    re.IGNORECASE,
)
_TOLERATED = re.compile(
    r"\b(?:allergic|allergy) to [^.;]{0,40}\b(?:except|other than|but not)(?:\s+(?:for|to))?\s+(?:[\w-]+(?:,| and| or)\s+){0,5}$",
    re.IGNORECASE,
)
"""Before what is not part of an allergy: "allergic to all antibiotics except" azithromycin."""
_EXCEPT_ZH = re.compile(r"除了?[^，。；]{0,12}$")
_EXCEPTED_ZH = re.compile(r"[^，。；]{0,10}(?:外|以外|之外)[，,]?[^，。；]{0,12}过敏")
_HEADING = re.compile(rf"[.,;\n]\s*[A-Z][A-Za-z /&-]{{3,40}}:(?!\s*(?i:{REACTION}))")
"""A heading that the sections do not know ends a section of allergies all the same."""
_TESTED = re.compile(
    r"\b(?:test(?:ing|ed|s)?|screen\w*)\s+(?:was\s+|were\s+)?(?:done\s+|performed\s+)?for\b[^.;]{0,40}$", re.IGNORECASE
)
"""Before what an allergy is only looked for ("RAST testing for food allergies")."""
_LEAVES = re.compile(
    r"\bcan (?:get|take|have|tolerate|receive)\b|\b(?:takes?|taking|medications?|meds|currently|started|given|continue|prescribed|she is on|he is on|tolerat\w+|plan)\b|服用|用药|口服",
    re.IGNORECASE,
)
_ORGANISM = re.compile(
    r"\b(?:cultures?|organisms?|coli|aureus|mrsa|pseudomonas|klebsiella|enterococc\w+|strep\w*|staph\w*|bacteria\w*|isolates?|strain|grew|sensitivities)\b",
    re.IGNORECASE,
)
_SEVERE = re.compile(
    r"anaphyla|angio-?o?edema|stevens|sjs|necrolysis|throat|laryn|bronchospasm|shock|respiratory|休克|喉头水肿|呼吸困难|血管性水肿|severe|life-threatening|严重",
    re.I,
)
_LISTED = re.compile(rf"\s*(?:[:：–—-]|->|→|\()\s*(?:causes\s+)?(?P<reaction>{REACTION})(?![A-Za-z])", re.IGNORECASE)
_SURE = re.compile(
    r"anaphyla|hives|urticaria|angio|rash|swell|swollen|stevens|sjs|necrolysis|\bdress\b|red man|serum sickness|wheez|bronchospasm|laryn|"
    r"throat|dermatitis|blister|agranulocytosis|itch|prurit|过敏性休克|皮疹|药疹|荨麻疹|喉头水肿|血管性水肿|皮炎|风团|瘙痒",
    re.IGNORECASE,
)
"""Reactions that are allergies even where the text does not say so; nausea may be a symptom that the drug is for."""
_CONTEXT = re.compile(r"allerg|intoleran|过敏", re.IGNORECASE)
_REACTION = re.compile(rf"(?<![A-Za-z])(?:{REACTION})(?![A-Za-z])", re.IGNORECASE)

_ALLERGIC_TO = re.compile(
    r"\b(?:(?:allergic|anaphylactic|adverse)(?: reactions?)?|anaphylaxis|allerg(?:y|ies)|intoleran(?:t|ces?)|hypersensitiv\w+) (?:to|of) "
    r"(?P<words>[A-Za-z][\w' -]*(?:(?:, (?:and )?| and | or |/)[A-Za-z][\w' -]*)*)",
    re.IGNORECASE,
)
_ALLERGEN_WORDS = re.compile(r"(?<![\w'-])(?:(?!(?:and|or)\b)[\w'-]+ ?){1,4}(?<! )", re.IGNORECASE)
_LIST_ENDS = re.compile(
    r"[ ,]+(?:and |or )?(?:but|except|which|that|who|when|with|since|in|as|because|for|he|she|is|was|has|had|does|takes?|denies|causing)\b.*$",
    re.IGNORECASE | re.DOTALL,
)
_LISTED_ALLERGEN = re.compile(
    rf"(?:^|[:：,;，；\n])\s*(?P<words>[A-Za-z][\w-]*(?: [\w-]+)?)\s*(?:\(|[-–—=]+>?|→|:)\s*(?:{REACTION})(?![A-Za-z])",
    re.IGNORECASE | re.MULTILINE,
)
_EXCEPTED = re.compile(
    r"\b(?:allergies|nkd?a|none(?: known)?)\b[^.;]{0,20}\b(?:except|other than|besides|apart from|aside from)(?: for| to)? (?P<words>[A-Za-z][\w-]*)",
    re.IGNORECASE,
)
_ALLERGIC_TO_ZH = re.compile(r"对(?P<words>[^，。；、：:对过敏\s]{1,12})(?:等)?(?:药物)?(?:有)?过敏")
_NO_ALLERGEN = re.compile(
    rf"(?:{REACTION})$|"
    r"(?:\w+ )?(?:mother|father|parents?|brothers?|sisters?|sons?|daughters?|wife|husband|family|aunt|uncle|grand\w+|patient)\b|"
    r"allerg|(?:(?:as|for|noted|mentioned|above|listed|below|stated|per|see)\b|(?:any|the|this|that|these|those|it|them|no|none|which|what|something|either|a|an|be|have|other)\b|"
    r"(?:un)?known(?: reactions?)?$|(?:medications?|drugs?|medicines?|foods?)$|"
    r"(?:currently|takes?|taking|on|denies|presents?|here|today|tolerates?|will|please)\b|何|什么|上述|任何|该药|此药|其|药物$|食物$)",
    re.IGNORECASE,
)
"""What is not the name of an allergen after "allergic to"."""


@dataclass(frozen=True)
class Allergy:
    """An allergy or intolerance to a substance that the text names.

    Attributes:
        type: ALLERGY, INTOLERANCE, or DENIED.
        reaction: as written, in small letters; empty if not said.
        severity: ``severe`` if the reaction or the text says so, else empty.
        span: offsets of the reaction, None if not said.
        certainty: CONFIRMED, or UNCONFIRMED if the text only suspects it.
    """

    type: str
    reaction: str = ""
    severity: str = ""
    span: tuple[int, int] | None = None
    certainty: str = CONFIRMED


def allergy_to(
    text: str, start: int, end: int, *, sentence: tuple[int, int], following: int, section_body: int | None
) -> Allergy | None:
    """The allergy to the substance ``text[start:end]``, of type DENIED if there is none; None if the text speaks of none.

    Args:
        sentence: start and end offset of the substance's sentence.
        following: start of the next substance in the sentence, or its end.
        section_body: start offset of the enclosing allergies section's body; None outside such a section.
    """
    before, after = text[sentence[0] : start], text[end : sentence[1]]
    kind = _stated(before, after)
    if kind is not None and _TESTED.search(before):
        return None
    if kind == ALLERGY and _INTOLERANT.match(after):
        kind = INTOLERANCE
    if kind is None and section_body is not None and not _leaves_section(text, section_body, start):
        kind = ALLERGY
    if kind == DENIED or (kind is not None and _is_refuted(before, after)):
        return Allergy(DENIED)
    if kind is None and _has_sign(text, end, text[max(start - 200, 0) : start]):
        kind = ALLERGY
    if kind is None:
        return None
    span = _reaction(text, start, end, sentence, following)
    reaction = " ".join(text[slice(*span)].lower().split()) if span else ""
    severe = _SEVERE.search(reaction) or re.search(r"severe|严重", after[:30], re.IGNORECASE)
    return Allergy(kind, reaction, "severe" if severe else "", span, _certainty(before, after, following - end))


def all_reactions(text: str, span: tuple[int, int], end: int) -> list[tuple[int, int]]:
    """The further reactions of a list that begins with the reaction at ``span`` ("hives, GI upset and fever")."""
    spans, last = [], span[1]
    for match in _REACTION.finditer(text, span[1], end):
        if not re.fullmatch(r"\s*(?:,|/|and|or|&|、|和|及|,\s*and)\s*", text[last : match.start()], re.IGNORECASE):
            break
        spans.append(match.span())
        last = match.end()
    return spans


def _is_refuted(before: str, after: str) -> bool:
    """Whether a test has refuted the allergy ("penicillin allergy was ruled out by skin testing")."""
    return bool(_REFUTED.match(after) or _REFUTED_BEFORE.search(before))


def _certainty(before: str, after: str, room: int) -> str:
    """CONFIRMED, or UNCONFIRMED if words around the substance leave the allergy open.

    Args:
        room: characters after the substance up to the next one.
    """
    lead = re.split(r"[,，;；]", before)[-1]
    unsure = _UNSURE_BEFORE.search(lead) or _UNSURE_AFTER.match(after[: max(room, 0)])
    return UNCONFIRMED if unsure else CONFIRMED


def mentions(text: str) -> list[int]:
    """Offsets of the words of MENTIONS."""
    lower, found = text.lower(), []
    for word in MENTIONS:  # several times faster than one pattern
        at = lower.find(word)
        while at >= 0:
            found.append(at)
            at = lower.find(word, at + 1)
    return found


def unknown_allergens(text: str, sentence: tuple[int, int], *, listed: bool) -> list[tuple[int, int]]:
    """Spans of what a sentence says somebody is allergic to, whether or not it is the name of a known substance.

    Args:
        listed: whether the sentence is in a section of allergies, where a reaction behind a name is enough.
    """
    rows = [match.span("words") for match in _EXCEPTED.finditer(text, *sentence)]
    if listed:
        rows += [match.span("words") for match in _LISTED_ALLERGEN.finditer(text, *sentence)]
    for match in _ALLERGIC_TO.finditer(text, *sentence):
        if not _NEGATED.search(text[sentence[0] : match.start()]):
            words = _LIST_ENDS.sub("", match["words"])
            first = match.start("words")
            rows += [(first + part.start(), first + part.end()) for part in _ALLERGEN_WORDS.finditer(words)]
    for match in _ALLERGIC_TO_ZH.finditer(text, *sentence):
        if not _NOT_ALLERGIC_ZH.search(text[sentence[0] : match.start()]):
            rows.append(match.span("words"))
    return [row for row in rows if row[0] < row[1] and not _NO_ALLERGEN.match(text[slice(*row)])]


def denies_drug_allergies(text: str) -> bool:
    """Whether the text says that no drug allergies are known."""
    return bool(_NONE_KNOWN.search(text))


def denies_allergies(text: str) -> bool:
    """Whether the text says that no allergies of any kind are known."""
    return bool(_NO_ALLERGIES.search(text))


def tolerates(before: str) -> bool:
    """Whether a substance is only said to be tolerated, among allergies ("PCN allergy, tolerates cephalexin")."""
    return bool(
        _CONTEXT.search(before)
        and re.search(r"\btolerat\w+\s+(?:[\w-]+(?:,| and| or)\s+){0,4}$", before, re.IGNORECASE)
    )


def _stated(before: str, after: str) -> str | None:
    """The type of allergy that the words around the substance state."""
    cue = _last_cue(before)
    if cue and _is_mere_symptom(cue, before, after):
        cue = None
    if _TOLERATED.search(before) or (_NONE_OF_LIST.search(before) and _CONTEXT.search(before + after)):
        return DENIED
    if _EXCEPT.search(before) or (_EXCEPT_ZH.search(before) and _EXCEPTED_ZH.match(after)):
        return ALLERGY
    if _NOT_AFTER_ZH.match(after):
        return DENIED
    if cue and not _OTHER_CLAUSE.search(cue["between"]) and not _is_chinese_object(cue, after):
        lead = before[: cue.start()]
        if _NEGATED.search(lead) or (cue["sensitive"] and _ORGANISM.search(before)) or _NOT_ALLERGIC_ZH.search(lead):
            return DENIED
        return INTOLERANCE if cue["intolerance"] else ALLERGY
    match = _AFTER.match(after)
    if match:
        effect = match["intolerance"] or (match["effect"] and not _SURE.search(match[0]))
        return DENIED if _DENIED.search(before) else INTOLERANCE if effect else ALLERGY
    chinese = _AFTER_ZH.match(after)
    if chinese and not _NOT_ALLERGIC_ZH.search(before) and not re.search(r"[否无]", chinese["list"]):
        return INTOLERANCE if "不耐受" in chinese["cue"] else ALLERGY
    return None


def _has_sign(text: str, end: int, before: str) -> bool:
    """Whether a reaction stands right behind the substance, as in lists of allergies ("Penicillin - hives")."""
    sign = _LISTED.match(text, end)
    return bool(sign and (_SURE.search(sign["reaction"]) or _CONTEXT.search(before)))


def _last_cue(before: str) -> re.Match[str] | None:
    """The cue whose clause the substance is in, else the first one: "not allergic to latex; allergic to" sulfa."""
    first = cue = _BEFORE.search(before)
    while cue is not None and _OTHER_CLAUSE.search(cue["between"]):
        cue = _BEFORE.search(before, cue.start() + 1)
    return cue or first


def _is_mere_symptom(cue: re.Match[str], before: str, after: str) -> bool:
    """Whether a symptom on a drug is no allergy by itself ("headache on nitroglycerin", "bleeding due to warfarin")."""
    symptom = cue["reaction"] or cue["reaction2"]
    return bool(symptom) and not (_SURE.search(symptom) or _CONTEXT.search(before) or _CONTEXT.search(after))


def _is_chinese_object(cue: re.Match[str], after: str) -> bool:
    """Whether a bare 对 ("to") is not followed by the word for allergy."""
    return cue[0].startswith("对") and not _AFTER_ZH.match(after)


def _leaves_section(text: str, body: int, start: int) -> bool:
    """Whether a substance within an allergies section is none: none are known, or the text has gone on to something else."""
    lead = text[body:start]
    return bool(
        _NONE_KNOWN.search(lead)
        or _NO_ALLERGIES.search(lead)
        or _SECTION_NONE.match(lead)
        or _LEAVES.search(lead)
        or _HEADING.search(lead)
        or "\n\n" in lead.strip()
    )


def _reaction(text: str, start: int, end: int, sentence: tuple[int, int], following: int) -> tuple[int, int] | None:
    """The reaction: after the substance up to the next one, or at the end of a list; else the one before the substance."""
    match = _REACTION.search(text, end, following)
    if match is not None and re.search(
        r"\b(?:no|not|without|denies)\b[^,;]*$|[无未否][^，；]*$", text[end : match.start()], re.IGNORECASE
    ):
        match = None
    if match is None and re.fullmatch(r"\s*(?:,|/|and|or|&|、|和|及)*\s*", text[end:following]):
        match = _REACTION.search(text, following, sentence[1])
    if match is None:
        cue = _BEFORE.search(text[sentence[0] : start])
        name = next((name for name in ("reaction", "reaction2") if cue and cue[name]), None)
        if cue and name:
            return sentence[0] + cue.start(name), sentence[0] + cue.end(name)
    return match.span() if match else None
