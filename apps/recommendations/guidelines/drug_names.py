"""Recognise the lexicon's drugs in text, by whole names only.

"Spironolactone" contains "iron" and "insulin glargine" starts with "insulin": a name only counts if the adjacent words
are about dose, form, salt or reaction, so that a drug is never mistaken for one whose name it contains.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from apps.terminology.lexicon import concepts

COMBINATIONS = {
    "amoxicillin-clavulanate": ("amoxicillin",),
    "ampicillin-sulbactam": ("ampicillin",),
    "paracetamol-codeine": ("paracetamol", "codeine"),
    "hydrocodone-paracetamol": ("hydrocodone", "paracetamol"),
    "oxycodone-paracetamol": ("oxycodone", "paracetamol"),
    "insulin-glargine": ("insulin",),
    "insulin-lispro": ("insulin",),
}
"""Further codes by which rules know a drug: ingredients of combinations, the substance of insulin analogues."""
_NEUTRAL = """
mg mcg ug µg g kg ml l units unit iu meq mmol puff puffs daily bid tid qid qd qod qhs prn po iv im sc sq sl pr hs
every each once twice three four times time at bedtime weekly monthly hourly hours hour day days week morning night
night evening before after meals low high dose doses strength max maximum needed
tablet tablets tab tabs capsule capsules cap caps pill pills injection injections inj injectable solution suspension
cream ointment gel lotion patch patches spray inhaler inhalation nebulizer nebulized nebulised drops drop syrup
elixir suppository vial ampoule infusion drip oral orally topical topically nasal ophthalmic intravenous
intravenously intramuscular subcutaneous mouth er xr sr xl cr la ec dr extended release delayed enteric coated
chewable
sodium potassium calcium magnesium hydrochloride hcl hydrobromide sulfate sulphate succinate tartrate bitartrate
besylate besilate maleate mesylate citrate acetate phosphate fumarate nitrate trihydrate monohydrate dihydrate
anhydrous hyclate stearate hydrate
a an the to of and or with from on in as for is was has had by per not allergy allergies allergic reaction reactions
reacts reacted intolerance intolerant intolerances sensitivity hypersensitivity hypersensitive severe mild moderate
anaphylaxis anaphylactic shock hives urticaria rash angioedema swelling itching pruritus nausea vomiting diarrhea
wheezing causes caused cause gives gave developed patient pt reports reported known history possible probable drug
drugs class medication medications medicine takes take taking start started stop stopped continue avoid therapy
"""
"""Words about doses and times, dosage forms, salts, and reactions in allergy lists."""
NEUTRAL = frozenset(_NEUTRAL.split())
"""Words that may stand next to a drug's name without changing which drug it is."""
_WORD = re.compile(r"#?[^\W_\u3400-\u9fff]+(?:['.-][^\W_\u3400-\u9fff]+)*|[^\w\s\u3400-\u9fff]")
_IDEOGRAPHS = re.compile(r"[\u3400-\u9fff]+")
_ZH_BESIDE = re.compile(
    r"^(?:患者|既往|对|因|口服|静滴|静脉滴注|静脉|肌注|注射用|注射|盐酸|硫酸|枸橼酸|酒石酸|琥珀酸|马来酸|磷酸|服用|长期|使用)+"
    r"|(?:过敏性休克|过敏史|过敏|不耐受|皮疹|类药物|类|缓释片|肠溶片|分散片|咀嚼片|片|缓释胶囊|肠溶胶囊|胶囊|注射液|口服液|"
    r"混悬液|颗粒|气雾剂|乳膏|软膏|滴眼液|钠|钾|钙|口服|静滴|每日|每天|一日)+$"
)
_ZH_LIST = re.compile(r"[、，和及与或]")
_NO_ALLERGY = re.compile(
    r"^\W*(?:nkd?a|none|nil|no)\W*$|\bn\.?k\.?d?\.?a\b|\bno\s+(?:known\s+)?(?:\w+\s+)?(?:allerg|intoleran)\w*|"
    r"\b(?:denies|denied|deny|not)\b.*\b(?:allerg|intoleran)\w*|\btolerates?\b|否认|^无|无.{0,6}过敏|不过敏",
    re.IGNORECASE,
)


def drugs_in(text: str) -> list[str]:
    """Lexicon codes of the drugs named in a text: English names in order, then Chinese ones, without duplicates."""
    codes = [*_by_words(text.casefold()), *_by_ideographs(text)]
    return list(dict.fromkeys(codes))


def drug_of(text: str) -> str:
    """The lexicon code of the only drug named in a text; the normalised lowercase text if there is none or several."""
    codes = drugs_in(text)
    return codes[0] if len(codes) == 1 else " ".join(text.casefold().split())


def ingredients_of(code: str) -> tuple[str, ...]:
    """The drug's own code followed by the codes of its ingredients."""
    return (code, *COMBINATIONS.get(code, ()))


def denies_allergy(text: str) -> bool:
    """Whether an allergy entry states the absence of allergies ("NKDA", "denies allergy to penicillin")."""
    return bool(_NO_ALLERGY.search(text))


def _by_words(folded: str) -> Iterator[str]:
    words = _WORD.findall(folded)
    names, longest = _names("en")
    at = 0
    while at < len(words):
        for length in range(min(longest, len(words) - at), 0, -1):
            code = names.get(tuple(words[at : at + length]))
            if code and _stands_alone(words, at, at + length, names):
                yield code
                at += length
                break
        else:
            at += 1


def _stands_alone(words: list[str], start: int, end: int, names: dict[tuple[str, ...], str]) -> bool:
    """Whether the adjacent words leave the name unchanged: none, neutral words, numbers, punctuation, other drugs."""
    beside = [*words[max(start - 1, 0) : start], *words[end : end + 1]]
    return all(
        word in NEUTRAL or not word[0].isalpha() or (word,) in names or word.replace(".", "") in NEUTRAL
        for word in beside
    )


def _by_ideographs(text: str) -> Iterator[str]:
    names, _longest = _names("zh")
    for run in _IDEOGRAPHS.findall(text):
        for part in _ZH_LIST.split(run):
            bare = part
            while (shorter := _ZH_BESIDE.sub("", bare)) != bare and (bare,) not in names:
                bare = shorter
            if (bare,) in names:
                yield names[bare,]


@cache
def _names(language: str) -> tuple[dict[tuple[str, ...], str], int]:
    """Drug code by the words of its name, and the number of words of the longest name."""
    names: dict[tuple[str, ...], str] = {}
    for concept in concepts().values():
        if concept.kind == "drug":
            for term in concept.terms[language]:
                words = tuple(_WORD.findall(term.casefold())) if language == "en" else (term,)
                if term and words:
                    names[words] = concept.code
    return names, max(map(len, names), default=0)
