"""Check drug orders against allergies and medication: one function for CDS Hooks, the case page and hospitals' tests.

An empty answer means that everything was understood and nothing is known against the order. What was not understood is
a warning of its own, never silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from django.utils.translation import gettext as _

from apps.terminology.allergens import SEVERITIES, AllergyEntry, Severity, reactions, reactions_to, read_allergy, worst
from apps.terminology.candidates import Candidate
from apps.terminology.cautions import cautions_about
from apps.terminology.drug_classes import classes_by_ingredient, drug_classes
from apps.terminology.drug_resolution import suggestions
from apps.terminology.drugs import ingredients_of_code
from apps.terminology.interactions import interaction_between
from apps.terminology.localisation import in_language
from apps.terminology.orders import OrderedDrug, read_order

Kind = Literal[
    "allergy", "class", "cross-reactivity", "interaction", "duplicate", "pregnancy", "renal", "not-recognised"
]
UNREMARKABLE: Final = frozenset(
    {"sodium chloride", "water", "glucose", "potassium chloride", "clavulanate", "insulin", "oxygen", "multivitamin"}
)
"""Ingredients that are rightly ordered more than once, or never as a therapy of their own."""
_KINDS: Final[tuple[Kind, ...]] = (
    "allergy", "class", "cross-reactivity", "interaction", "pregnancy", "renal", "duplicate", "not-recognised",
)  # fmt: skip
_NO_MEDICATION = re.compile(
    r"^\W*(?:none|nil|no|n/?a|no (?:known )?(?:current |regular |home )*(?:medications?|meds|medicines|drugs)|denies.*|"
    r"not (?:on|taking) any.*|unknown|无|没有|否认.*|无用药史|未服药|暂无)?\W*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Warning:
    """A warning about an order.

    Attributes:
        severity: ``contraindicated``, ``high``, ``moderate`` or ``low``.
        subject: words of the order that it is about.
    """

    kind: Kind
    severity: Severity
    text: str
    subject: str = ""


def check_order(
    order: str,
    *,
    allergies: Iterable[str] = (),
    medications: Iterable[str] = (),
    codes: Iterable[str] = (),
    pregnant: bool = False,
    egfr: float | None = None,
) -> list[Warning]:
    """Warnings about an order, worst first.

    Args:
        order: text; one drug or a list of them. May be empty if there are codes.
        allergies: entries of the allergy list; "NKDA" and the like are understood.
        medications: what the patient takes, as text or RxNorm codes.
        codes: RxNorm codes of what is ordered; used where they are known, else the text.
        pregnant: whether a pregnancy is known.
        egfr: estimated GFR in mL/min/1.73 m², where known.
    """
    found: list[Warning] = []
    ordered, unknown = _ordered(order, [code for code in codes if code])
    found += [_not_recognised(words) for words in unknown]
    entries = [read_allergy(text) for text in allergies if text.strip()]
    found += _unread_allergies(entries)
    taken: list[OrderedDrug] = []
    for text in medications:
        if not _NO_MEDICATION.match(text):
            drugs, unknown = _ordered("" if text.isdigit() else text, [text] if text.isdigit() else [])
            taken += drugs
            found += [_not_recognised(words) for words in unknown]
    for number, drug in enumerate(ordered):
        found += _allergy_warnings(drug, entries)
        found += _cautions(drug, pregnant=pregnant, egfr=egfr)
        for other in [*taken, *ordered[:number]]:
            found += _pair_warnings(drug, other)
    unique = {(row.kind, row.text): row for row in found}
    return sorted(unique.values(), key=lambda row: (SEVERITIES.index(row.severity), _KINDS.index(row.kind)))


def _ordered(text: str, codes: list[str]) -> tuple[list[OrderedDrug], list[str]]:
    by_code = {code: tuple(part.name for part in ingredients_of_code(code)) for code in codes}
    drugs = [OrderedDrug(text.strip() or " / ".join(names), names, text) for names in by_code.values() if names]
    if drugs:
        return drugs, []
    if text.strip():
        return read_order(text)
    return [], [_("RxNorm code %(code)s") % {"code": code} for code in codes] or [_("an order without text")]


def _not_recognised(words: str) -> Warning:
    names = suggestions(words)
    if names:
        text = _("not recognised: %(words)s; did you mean %(names)s? Check by hand")
    else:
        text = _("not recognised: %(words)s; not checked, check by hand")
    return Warning("not-recognised", "moderate", text % {"words": words[:120], "names": " / ".join(names)}, words)


def _unread_allergies(entries: list[AllergyEntry]) -> Iterable[Warning]:
    for entry in entries:
        if not entry.allergens and not entry.denied:
            yield _allergy_not_recognised(entry.text)
        for words in entry.unread:
            yield _allergy_not_recognised(words)


def _allergy_not_recognised(words: str) -> Warning:
    names = suggestions(words)
    if names:
        text = _("not recognised: allergy “%(words)s”; did you mean %(names)s? Check by hand")
    else:
        text = _("not recognised: allergy “%(words)s”; not checked, check by hand")
    return Warning("not-recognised", "moderate", text % {"words": words[:120], "names": " / ".join(names)}, words)


def _allergy_warnings(drug: OrderedDrug, entries: list[AllergyEntry]) -> Iterable[Warning]:
    for entry in entries:
        reaction = worst(row for name in drug.ingredients for row in reactions(entry, name))
        if reaction is None:
            continue
        causes = [one for one in entry.allergens if any(reactions_to(one, entry, name) for name in drug.ingredients)]
        allergy = ", ".join(_name_of(allergen) for allergen in causes)
        summary = {
            "allergy": _("%(drug)s: the patient has an allergy or intolerance to %(allergy)s"),
            "class": _(
                "%(drug)s: in the same drug class as %(allergy)s, to which the patient has an allergy or intolerance"
            ),
            "cross-reactivity": _(
                "%(drug)s may cross-react with %(allergy)s, to which the patient has an allergy or intolerance"
            ),
        }[reaction.kind] % {"drug": drug.words, "allergy": allergy}
        yield Warning(
            reaction.kind,
            reaction.severity,
            _with_note(summary, in_language(reaction.note) if reaction.note else ""),
            drug.words,
        )


def _cautions(drug: OrderedDrug, *, pregnant: bool, egfr: float | None) -> Iterable[Warning]:
    if drug.is_topical:
        return
    for caution in cautions_about(drug.ingredients, pregnant=pregnant, egfr=egfr):
        reason = _("the patient is pregnant") if caution.kind == "pregnancy" else _("eGFR %(egfr)s") % {"egfr": egfr}
        text = f"{drug.words}: {reason}: {in_language(caution.note)} ({caution.source})"
        yield Warning(caution.kind, caution.severity, text, drug.words)


def _pair_warnings(drug: OrderedDrug, other: OrderedDrug) -> Iterable[Warning]:
    if drug.is_topical != other.is_topical:
        return
    duplicate = _duplicate(drug, other)
    if duplicate:
        yield duplicate
    if drug.is_topical:
        return
    interaction = interaction_between(drug.ingredients, other.ingredients)
    if interaction:
        summary = _("%(drug)s with %(other)s") % {"drug": drug.words, "other": other.words}
        text = f"{summary}: {interaction.effect} ({interaction.source})"
        yield Warning("interaction", interaction.severity, text, drug.words)


def _duplicate(drug: OrderedDrug, other: OrderedDrug) -> Warning | None:
    shared = [name for name in drug.ingredients if name in other.ingredients and name not in UNREMARKABLE]
    words = {"drug": drug.words, "other": other.words}
    if shared:
        text = _("%(drug)s: the patient already has %(shared)s (%(other)s)") % {**words, "shared": ", ".join(shared)}
        return Warning("duplicate", "moderate", text, drug.words)
    common = {
        code
        for name in drug.ingredients
        for partner in other.ingredients
        for code in classes_by_ingredient().get(name, frozenset()) & classes_by_ingredient().get(partner, frozenset())
    }
    for code in sorted(common):
        drug_class = drug_classes()[code]
        if drug_class.is_therapy:
            title = in_language(drug_class.titles)
            text = _("%(drug)s: a second drug of the class %(class)s beside %(other)s") % {**words, "class": title}
            return Warning("duplicate", "moderate", text, drug.words)
    return None


def _name_of(allergen: Candidate) -> str:
    """An allergen in the current language: a class by its title, a drug as the entry has it."""
    drug_class = drug_classes().get(allergen.code)
    return in_language(drug_class.titles) if drug_class else allergen.matched


def _with_note(summary: str, note: str) -> str:
    return f"{summary} ({note})" if note else summary
