"""Allergens: drug classes, drugs and other substances in allergy entries, and what they mean for an ordered drug."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Literal

from apps.terminology.candidates import Candidate
from apps.terminology.data_files import own_lines
from apps.terminology.drug_classes import DrugClass, classes_by_ingredient, drug_classes, expanded
from apps.terminology.drug_resolution import resolve_drug
from apps.terminology.drugs import drug_names, ingredients_of_code
from apps.terminology.names import NameIndex, Token, is_chinese, key_of, tokens_of
from apps.terminology.unread_words import unread_words
from apps.terminology.vaccines import vaccines_in_text

Severity = Literal["contraindicated", "high", "moderate", "low"]
SEVERITIES: Final[tuple[Severity, ...]] = ("contraindicated", "high", "moderate", "low")
"""Worst first."""
Kind = Literal["allergy", "class", "cross-reactivity"]
_SEVERE = re.compile(
    r"anaphyl|angio-?o?edema|shock|stevens|sjs|toxic epidermal|\bten\b|dress\b|airway|throat|tongue|intubat|hypotens|"
    r"bronchospasm|respiratory|过敏性休克|休克|喉头|喉水肿|血管性?水肿|严重|呼吸困难|剥脱|大疱",
    re.IGNORECASE,
)
_ANGIOEDEMA = re.compile(
    r"angio-?o?edema|血管性?水肿|(?:face|facial|lip|tongue|throat)\w*\s+(?:\w+\s+)?(?:swell|swollen|edema)|"
    r"(?:swelling|swollen|edema)\s+(?:of|in|around)?\s*(?:the|his|her|my|both)?\s*(?:face|lip|tongue|throat|mouth|eye)|"
    r"[唇舌喉]\w{0,2}(?:水肿|肿)|(?:面部?|颜面部?|眼睑)(?:水肿|肿)",
    re.IGNORECASE,
)
_EXCEPT = re.compile(
    r"\b(?:except|other than|apart from|besides|but(?! no| not| denies))\b(?:\s+(?:for|to))?|"
    r"除了?(?=[^外]{1,20}(?:外|以外|之外)?)",
    re.IGNORECASE,
)
_DENIES = re.compile(
    r"^\W*(?:nk[dfe]?a|none|nil|no|negative|n/?a|denied|denies|deny|unremarkable|not known|no known|noncontributory|"
    r"nothing|zero|0|-+)\W*(?:known|reported|noted|recorded|to (?:his|her|the|my) knowledge)?\W*$|"
    r"\bn\.?k\.?[dfe]?\.?a\b(?!\w)|\b(?:no|nil|without|none)\b\s+(?:[\w,/-]+\s+){0,8}(?:allerg|intoleran|sensitivit|reaction)\w*|"
    r"\b(?:denies|denied|deny|denying|not|isn'?t|never|negative for|no longer)\b.*\b(?:allerg|intoleran|sensitiv)\w*|"
    r"\ballerg\w*\s*(?:[:\-]|is|are|to)?\s*(?:none|nil|no|nkd?a|negative|denied|denies|not known|unknown none)\W*$|"
    r"\bnone (?:are |is )?known|\b(?:are|is) (?:none|negative)\b|\bnone (?:by history|reported|per)\b|"
    r"\bnot allergic\b|\b(?:ruled out|disproved|refuted|de-?labell?ed|entered in error)\b|"
    r"否认|^\W*(?:无|没有|暂无|未发现|不详无)|(?:无|没有|未见|未发现).{0,8}过敏|"
    r"不过敏|过敏史?\W*(?:无|阴性|\(-\)|（-）)\W*$|皮试\W*阴性",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[;；。，\n]|\.\s+(?=[A-Z])|,\s*(?=(?:but|however|allergic|has|is|reacts|reaction)\b)")
_TOLERATES = re.compile(
    r"[(（][^()（）]*\b(?:ok|okay|fine|tolerat\w*|safe|no problems?)\b[^()（）]*[)）]|"
    r"[,;(]?\s*(?:but\s+|and\s+|has\s+|can\s+|able to\s+|he\s+|she\s+|patient\s+)*"
    r"\b(?:tolerat\w*|ok with|okay with|fine with)\b.*|"
    r"[，；（(]?\s*(?:可|能)耐受.*",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Reaction:
    """What an allergy means for a drug.

    Attributes:
        kind: the drug itself or the class that is named (``allergy``), another member of the class (``class``),
            another class (``cross-reactivity``).
        text: a note in English, may be empty.
        note: the same by Django language code.
    """

    kind: Kind
    severity: Severity
    text: str
    note: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AllergyEntry:
    """An entry of an allergy list.

    Attributes:
        allergens: what is named; several for "penicillin, sulfa".
        denied: the entry says that there is no allergy.
        unread: words that may name something else, and were not understood for certain.
        is_severe, has_angioedema: of the reaction that the entry describes.
    """

    text: str
    allergens: tuple[Candidate, ...]
    denied: bool = False
    is_severe: bool = False
    has_angioedema: bool = False
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Rule:
    allergen: str
    exact: bool
    drugs: frozenset[str]
    kind: Kind
    severity: Severity
    after: str
    note: dict[str, str]


def read_allergy(text: str) -> AllergyEntry:
    """Read an entry of an allergy list: "Lisinopril - angioedema", "NKDA", "No allergies except PCN", 青霉素过敏."""
    stated: list[str] = []
    denied = False
    for clause in filter(str.strip, _CLAUSE.split(text)):
        denies = bool(_DENIES.search(clause))
        excepted = _EXCEPT.search(clause)
        continues = denied and is_chinese(clause) and "过敏" not in clause
        if denies and excepted:
            stated.append(clause[excepted.end() :])
        elif not (denies or continues):
            stated.append(_TOLERATES.sub("", clause))
        denied = denied or denies
    allergens: list[Candidate] = []
    unread: list[str] = []
    for clause in stated:
        named, strange = _read_clause(clause)
        allergens += named
        unread += strange
    return AllergyEntry(
        text,
        tuple({allergen.code: allergen for allergen in allergens}.values()),
        denied and not "".join(stated).strip(),
        bool(_SEVERE.search(text)),
        bool(_ANGIOEDEMA.search(text)),
        tuple(unread) if allergens else (),
    )


def _read_clause(clause: str) -> tuple[list[Candidate], list[str]]:
    """The allergens of a part of an entry, and its words that name none for certain; misspelt drugs are in both."""
    named = allergens_in_text(clause, tokens_of(clause))
    strange = unread_words(clause, [(start, end) for start, end, _candidate in named])
    found = [candidate for _start, _end, candidate in named]
    if not named:
        vaccines = [row for _start, _end, row in vaccines_in_text(clause, tokens_of(clause))]
        if vaccines:
            return vaccines, []
        guesses = resolve_drug(clause)
        return [_as_allergen(guess) for guess in guesses], [guess.matched for guess in guesses if guess.certainty < 0.9]
    for word in strange:
        found += [_as_allergen(guess) for guess in resolve_drug(word)]
    return list(dict.fromkeys(found)), strange


def resolve_allergen(text: str) -> list[Candidate]:
    """The allergens that a text names, in its order: classes, drugs, foods and materials; drugs also if misspelt."""
    found = [candidate for _start, _end, candidate in allergens_in_text(text, tokens_of(text))]
    return list(dict.fromkeys(found)) or [_as_allergen(candidate) for candidate in resolve_drug(text)]


def _as_allergen(candidate: Candidate) -> Candidate:
    """A drug as an allergen; the class where the drug's name is that of its class ("penicillin")."""
    drug_class = _class_names().get(key_of(candidate.name))
    if drug_class:
        title = drug_class.titles["en"]
        return Candidate("allergen", drug_class.code, title, candidate.matched, candidate.certainty)
    code = candidate.code or candidate.name
    return Candidate("allergen", code, candidate.name, candidate.matched, candidate.certainty, candidate.ingredients)


def allergens_in_text(text: str, tokens: list[Token]) -> list[tuple[int, int, Candidate]]:
    """Allergens that a text about allergies names: start, end, candidate.

    In any other text most names of foods and materials are no allergens.
    """
    found = []
    for first, after, key in _allergen_index().longest_names(text, tokens, lambda key, start, end: _has_meaning(key)):
        start, end = tokens[first].start, tokens[after - 1].end
        found += [(start, end, candidate) for candidate in _candidates(key, text[start:end])]
    return found


def reacts_with(allergen: str, drug: str) -> Reaction | None:
    """The worst that an allergy means for a drug; None if nothing is known against it.

    Args:
        allergen: id of a candidate (class or RXCUI), or words ("PCN", "Lisinopril - angioedema").
        drug: RXCUI, name of an ingredient, or words ("Bicillin L-A").
    """
    entry = _entry(allergen)
    names = [part.name for part in ingredients_of_code(drug)] if drug.isdigit() else []
    names = names or ([drug] if drug in drug_names().by_name else [])
    names = names or [name for candidate in resolve_drug(drug)[:1] for name in candidate.ingredients]
    return worst(reaction for name in names for reaction in reactions(entry, name))


def worst(found: Iterable[Reaction]) -> Reaction | None:
    """The reaction to warn of: the most direct of the most severe."""
    kinds = ("allergy", "class", "cross-reactivity")
    return min(found, key=lambda row: (SEVERITIES.index(row.severity), kinds.index(row.kind)), default=None)


def reactions(entry: AllergyEntry, ingredient: str) -> list[Reaction]:
    """Everything that an allergy entry means for an ingredient."""
    return [found for allergen in entry.allergens for found in reactions_to(allergen, entry, ingredient)]


def reactions_to(allergen: Candidate, entry: AllergyEntry, ingredient: str) -> list[Reaction]:
    """What one of the allergens of an entry means for an ingredient."""
    drug_class = drug_classes().get(allergen.code)
    names = drug_class.members if drug_class else frozenset(allergen.ingredients or (allergen.name,))
    found = [Reaction("allergy", "high", "")] if ingredient in names else []
    found += [
        Reaction(rule.kind, rule.severity, rule.note["en"], rule.note)
        for rule in _rules()
        if ingredient in rule.drugs and _applies(rule, drug_class, allergen, entry)
    ]
    return found


def subsumes(general: str, special: str) -> bool:
    """Whether one class or drug includes another: ``penicillins`` includes ``amoxicillin``."""
    classes = drug_classes()
    if general not in classes:
        return general == special
    if special in classes:
        return classes[special].members <= classes[general].members
    return general in classes_by_ingredient().get(special, frozenset())


def _applies(rule: _Rule, drug_class: DrugClass | None, allergen: Candidate, entry: AllergyEntry) -> bool:
    if rule.after == "severe" and not entry.is_severe:
        return False
    if rule.after == "angioedema" and not entry.has_angioedema:
        return False
    if drug_class:
        return drug_class.code == rule.allergen or (not rule.exact and subsumes(rule.allergen, drug_class.code))
    names = allergen.ingredients or (allergen.name,)
    return not rule.exact and any(name in expanded(rule.allergen) for name in names)


@cache
def _rules() -> tuple[_Rule, ...]:
    rows = [line.split("\t") for line in own_lines("allergy_relations.tsv")]
    return tuple(
        _Rule(
            allergen.lstrip("="),
            allergen.startswith("="),
            expanded(drug) - (expanded(exempt) if exempt else frozenset()),
            kind,  # type: ignore[arg-type]
            severity,  # type: ignore[arg-type]
            after,
            {"en": english, "zh-hans": chinese},
        )
        for allergen, drug, kind, severity, after, exempt, english, chinese, _source in rows
    )


def _entry(allergen: str) -> AllergyEntry:
    classes = drug_classes()
    if allergen in classes:
        return AllergyEntry(allergen, (_class_candidate(classes[allergen], allergen),))
    if allergen.isdigit():
        names = tuple(part.name for part in ingredients_of_code(allergen))
        return AllergyEntry(allergen, (Candidate("allergen", allergen, " / ".join(names), allergen, 1.0, names),))
    return read_allergy(allergen)


@cache
def _class_names() -> dict[str, DrugClass]:
    return {key_of(name): row for row in drug_classes().values() for name in (row.code, *row.aliases)}


@cache
def _other_names() -> dict[str, str]:
    """Allergens that are no drugs: preferred name by key."""
    names: dict[str, str] = {}
    for line in own_lines("allergens.tsv"):
        name, others = line.split("\t")
        for other in [name, *filter(None, others.split("|"))]:
            names.setdefault(key_of(other), name)
    for line in own_lines("allergens_zh.tsv"):
        name, others = line.split("\t")
        for other in others.split("|"):
            names[key_of(other)] = name
    return names


@cache
def _allergen_index() -> NameIndex:
    return NameIndex([*drug_names().index.keys, *_class_names(), *_other_names()])


def _has_meaning(key: str) -> bool:
    if key in _class_names() or key in _other_names():
        return True
    rows = drug_names().rows(key)
    return any(row.use == "text" or (row.use == "guarded" and row.kind != "brand") for row in rows)


def _candidates(key: str, matched: str) -> list[Candidate]:
    if key in _class_names():
        return [_class_candidate(_class_names()[key], matched)]
    rows = [row for row in drug_names().rows(key) if row.use != "query"]
    if rows and not (key in _other_names() and rows[0].use == "guarded"):
        return [_as_allergen(candidate) for candidate in resolve_drug(matched)]
    name = _other_names()[key]
    return [Candidate("allergen", name, name, matched, 1.0)]


def _class_candidate(drug_class: DrugClass, matched: str) -> Candidate:
    return Candidate("allergen", drug_class.code, drug_class.titles["en"], matched, 1.0)
