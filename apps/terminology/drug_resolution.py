"""Resolve the names of drugs: typed ones with dose, form and salt, misspelt ones, and those in running text."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Final

from apps.terminology.candidates import Candidate
from apps.terminology.drugs import DrugName, Ingredient, drug_names, everyday_words, guards
from apps.terminology.names import HAN, Token, key_of, tokens_of
from apps.terminology.spelling import Vocabulary

MISSPELT: Final = {1: 0.8, 2: 0.6}
"""Certainty of the only drug near a misspelt word, by the number of errors."""


_WORDS_BESIDE = """
mg mcg ug µg μg g gm gram grams kg ml l cc units unit u iu meq mmol puff puffs percent drop drops gtt gtts
daily bid b tid t qid q qd qod qhs qam qpm qac prn po p o d s iv im sc sq sl pr hs od bd tds qds om on nocte mane stat
every each once twice three four times time at bedtime weekly monthly hourly hours hour hrs hr h day days week weeks
month months morning night evening noon before after with meals food low high dose doses dosed strength max maximum
needed as for x per total take takes taking taken use give apply start started continue current home medication
tablet tablets tab tabs capsule capsules cap caps pill pills injection injections inj injectable solution suspension
susp cream ointment oint gel lotion patch patches spray inhaler inhalation inhaled nebulizer nebulized nebuliser
nebulised neb nebs syrup elixir suppository supp vial ampoule ampule infusion drip oral orally topical topically nasal
ophthalmic otic intravenous intravenously intramuscular subcutaneous sublingual mouth er xr sr xl cr la ec dr cd od odt
extended release delayed sustained controlled modified immediate enteric coated chewable dispersible effervescent
powder granules lozenge pen prefilled syringe kit pack eye ear nose mdi hfa dpi iv ivpb bolus loading push
mwf ttss tts tth injector autoinjector auto cartridge device needle syringes
ivgtt ivdrip ivp ih hypo diem stat sos cap inj aa ac pc hn pom biw tiw qw qm q4h q6h q8h q12h
sodium potassium calcium magnesium hydrochloride hcl hydrobromide hbr sulfate sulphate succinate tartrate bitartrate
besylate besilate maleate mesylate citrate acetate phosphate fumarate nitrate trihydrate monohydrate dihydrate
anhydrous hyclate stearate hydrate dipropionate propionate furoate valerate lactate gluconate bromide chloride iodide
macrocrystals macrocrystal crystals day pack
tromethamine trometamol disodium dihydrochloride estolate axetil proxetil medoxomil cilexetil pivoxil
a an the to of and or from in is was tablets generic brand name formulation adult child pediatric paediatric
"""
WORDS_BESIDE: Final = frozenset(_WORDS_BESIDE.split())
"""Words about dose, time, route, form and salt that leave open nothing about which drug is meant."""
CHINESE_BESIDE: Final = re.compile(
    r"盐酸|硫酸|枸橼酸|酒石酸|重酒石酸|琥珀酸|马来酸|富马酸|磷酸|甲磺酸|苯磺酸|醋酸|乳酸|氢溴酸|丙酸|糠酸|注射用|注射液|注射剂|注射|"
    r"口服液|口服|静滴|静脉滴注|静脉注射|静脉|静推|肌注|肌内注射|皮下注射|皮下|外用|吸入|雾化|含服|舌下|缓释|控释|肠溶|分散|咀嚼|泡腾|"
    r"双释放|普通|片剂|片|胶囊|颗粒|混悬液|干混悬剂|气雾剂|粉雾剂|喷雾剂|乳膏|软膏|凝胶|贴剂|贴|滴眼液|滴剂|栓剂|栓|糖浆|溶液|粉针|"
    r"钠|钾|钙|镁|每日|每天|一日|每晚|每次|每周|次|日|天|晚|早|睡前|餐前|餐后|饭前|饭后|小时|毫克|微克|克|毫升|单位|万单位|"
    r"一|二|两|三|四|粒|支|瓶|袋|丸|滴|服用|服|给予|予|使用|用|长期|复方|剂|的"
)
_DOSE_AFTER = re.compile(
    r"[\s,:(]{0,3}(?:(?!and\b|or\b)[A-Za-z]{2,12}[\s,]+)?\d[\d.,/-]*\s*(?:mg|mcg|ug|µg|g|gm|grams?|ml|cc|meq|units?|iu|%|"
    r"tabs?|tablets?|capsules?|puffs?|drops)\b(?!\s*(?:/|per)\s*(?:d?l|ml|hour|hr)\b)(?!\s*%)|"
    rf"[{HAN}]{{0,4}}\d[\d.]*\s*(?:mg|g|ml|ug|μg|u|片|粒|支|丸|毫克|克|微克|单位|万单位)(?![/A-Za-z{HAN}]*L)|"
    r"\s+(?:tablets?|capsules?|tabs?|caps?|pills?|supplement\w*|ointment|cream|drip|infusion|patch|patches|inhaler|"
    r"suspension|injections?|elixir|syrup|suppositor\w+|(?:po|p\.o\.|iv|i\.v\.|im|sl|subq|prn|bid|b\.i\.d\.|tid|t\.i\.d\.|"
    r"qd|q\.d\.|daily|q\d+h)(?=[\s,.;]|$))",
    re.IGNORECASE,
)
_DOSE_BEFORE = re.compile(r"\d\s*(?:mg|mcg|g|meq|units?|iu|tablets?|tabs?|capsules?)\s+(?:of\s+)?$", re.IGNORECASE)


def resolve_drug(text: str) -> list[Candidate]:
    """Say which drug a text names: the exact name, else the only names in it, else the nearest spelling."""
    text = text.strip()
    exact = drug_names().rows(key_of(text))
    if exact:
        return _candidates(exact, text)
    tokens = tokens_of(text)
    core = [token for token in tokens if token.key not in WORDS_BESIDE and not token.key[0].isdigit()]
    if core and len(core) < len(tokens):
        bare = text[core[0].start : core[-1].end]
        rows = drug_names().rows(key_of(bare))
        if rows:
            return _candidates(rows, bare)
    named = names_in(text, tokens, guarded=False)
    if named:
        return _of_names(text, tokens, named)
    return _misspelt(text, tokens)


def _of_names(text: str, tokens: list[Token], named: list[tuple[int, int, str]]) -> list[Candidate]:
    covered = {number for first, after, _key in named for number in range(first, after)}
    rest = words_left(tokens, covered)
    factor = 0.9 if rest else 1.0
    contents = {
        tuple(part.name for part in row.ingredients) for _f, _a, key in named for row in drug_names().rows(key)[:1]
    }
    matched = text[tokens[named[0][0]].start : tokens[named[-1][1] - 1].end]
    if len(named) > 1 and len(contents) > 1 and _is_mixture(text, tokens, named):
        parts = {part for _f, _a, key in named for part in drug_names().rows(key)[0].ingredients}
        return [_candidate(DrugName(matched, "name", "text", tuple(sorted(parts, key=_by_name))), matched, factor)]
    found: list[Candidate] = []
    for first, after, key in named:
        words = text[tokens[first].start : tokens[after - 1].end]
        found += [
            replace(candidate, certainty=round(candidate.certainty * factor / (len(contents) or 1), 3))
            for candidate in _candidates(drug_names().rows(key), words)
            if candidate.ingredients not in {other.ingredients for other in found}
        ]
    return sorted(found, key=lambda candidate: -candidate.certainty)


def _is_mixture(text: str, tokens: list[Token], named: list[tuple[int, int, str]]) -> bool:
    """Whether the names are joined as one preparation: "lisinopril/HCTZ", "amoxicillin and clavulanate"."""
    for (_first, after, _key), (following, _after, _other) in pairwise(named):
        between = text[tokens[after - 1].end : tokens[following].start]
        if not re.fullmatch(r"\s*(?:[/+-]|and|with|w/)?\s*(?:[\d.]+\s*(?:mg|mcg|g)?\s*[/+-])?\s*", between):
            return False
    return True


def _by_name(ingredient: Ingredient) -> str:
    return ingredient.name


def _misspelt(text: str, tokens: list[Token]) -> list[Candidate]:
    for token in tokens:
        near = _near(token)
        contents = {row.ingredients: (distance, row) for distance, row in near}
        if contents:
            words = text[token.start : token.end]
            return [
                _candidate(row, words, round(MISSPELT[distance] / len(contents), 3))
                for distance, row in contents.values()
            ]
    return []


def _near(token: Token) -> list[tuple[int, DrugName]]:
    """The names that a word may be a misspelling of, with the number of errors."""
    if token.key in WORDS_BESIDE or token.key in everyday_words() or drug_names().rows(token.key):
        return []
    return [(distance, row) for distance, key in _vocabulary().near(token.key) for row in drug_names().rows(key)[:1]]


def suggestions(text: str) -> list[str]:
    """Names that the unknown words of a text may be misspellings of, a brand with its ingredients; at most five."""
    found = []
    for token in tokens_of(text):
        for _distance, row in _near(token):
            contents = " / ".join(part.name for part in row.ingredients)
            same = key_of(row.shown) == key_of(contents)
            found.append(contents if same else f"{row.shown} ({contents})")
    return list(dict.fromkeys(found))[:5]


@cache
def _vocabulary() -> Vocabulary:
    return Vocabulary(drug_names().single_words())


def _candidates(rows: tuple[DrugName, ...], matched: str) -> list[Candidate]:
    return [_candidate(row, matched, round(1 / len(rows), 3)) for row in rows]


def _candidate(row: DrugName, matched: str, certainty: float) -> Candidate:
    names = tuple(part.name for part in row.ingredients)
    code = row.ingredients[0].rxcui if len(row.ingredients) == 1 else ""
    return Candidate("drug", code, " / ".join(names), matched, certainty, names)


def words_left(tokens: list[Token], covered: set[int]) -> list[str]:
    """Words beside the names that are not about dose, time, route, form or salt."""
    left = [
        token.key
        for number, token in enumerate(tokens)
        if number not in covered
        and token.key not in WORDS_BESIDE
        and not token.key[0].isdigit()
        and (len(token.key) > 1 or not token.key.isascii())
    ]
    chinese = "".join(key for key in left if "\u3400" <= key[0] <= "\u9fff")
    return [key for key in left if not "\u3400" <= key[0] <= "\u9fff"] + [
        part for part in [CHINESE_BESIDE.sub("", chinese)] if part
    ]


def names_in(text: str, tokens: list[Token], *, guarded: bool) -> list[tuple[int, int, str]]:
    """Drug names as (first token, token after the last, key).

    Args:
        guarded: running text: names with an everyday meaning count only beside a dose, rare ones not at all.
    """
    names = drug_names()

    def accepts(key: str, start: int, end: int) -> bool:
        rows = names.rows(key)
        if not rows or not guarded:
            return not rows or any(row.use != "query" for row in rows)
        use = min((row.use for row in rows), key=["text", "guarded", "query"].index)
        return use == "text" or (
            use == "guarded" and not set(key.split()) <= guards()["package"] and has_dose(text, start, end)
        )

    return [row for row in names.index.longest_names(text, tokens, accepts) if names.rows(row[2])]


def has_dose(text: str, start: int, end: int) -> bool:
    """Whether a dose or a dosage form stands beside the words."""
    return bool(_DOSE_AFTER.match(text[end : end + 60]) or _DOSE_BEFORE.search(text[max(start - 20, 0) : start]))


def drugs_in_text(text: str, tokens: list[Token]) -> list[tuple[int, int, Candidate]]:
    """Drugs that running text names: start, end, best candidate."""
    found = []
    for first, after, key in names_in(text, tokens, guarded=True):
        start, end = tokens[first].start, tokens[after - 1].end
        rows = tuple(row for row in drug_names().rows(key) if row.use != "query")
        found.append((start, end, _candidates(rows, text[start:end])[0]))
    return found
