"""The mentions of a note as they are reviewed: what each would write, in a form that keeps what was typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms

from apps.jobs.errors import UserError
from apps.notes.forms import ObservationLineForm
from apps.notes.models import Concept, ConceptVerdict
from apps.notes.proposals import Proposal, proposals
from apps.records.dosage_words import shown_entry
from apps.records.forms import OverrideForm, StatementForm
from apps.records.models import AllergyType, Certainty, Intent, Severity, StatementKind, StatementStatus
from apps.records.observations import ValueQuestion
from apps.records.statement_entry import OrderQuestion
from apps.terminology.localisation import in_language
from apps.terminology.quantities import Choice, read_measure, shown

LABELLED = {
    "status": StatementStatus,
    "type": AllergyType,
    "severity": Severity,
    "certainty": Certainty,
    "intent": Intent,
}
NAMES = (
    "text", "dose", "route", "frequency", "type", "reaction", "severity", "certainty", "onset", "status",
    "ended_as_stated", "intent", "code",
)  # fmt: skip
"""The fields of a statement in the order in which a line names them."""


@dataclass
class Line:
    """One line of the record that confirming writes, with the form in which it may be changed."""

    proposal: Proposal
    form: forms.Form
    summary: str


@dataclass
class Item:
    """A mention under review.

    Attributes:
        warnings: of the order check; the drug is recorded only with a reason (``override``).
        choices: the values that an ambiguous one may stand for.
        error: why nothing was written.
        selected: whether its box is ticked.
    """

    row: Concept
    title: str
    said: str
    lines: list[Line] = field(default_factory=list)
    warnings: list[Any] = field(default_factory=list)
    override: OverrideForm | None = None
    choices: tuple[Choice, ...] = ()
    error: str = ""
    selected: bool = False

    @property
    def is_open(self) -> bool:
        """Whether its form has to be looked at."""
        return bool(self.error or self.warnings or self.choices or any(line.form.errors for line in self.lines))


def build_item(
    concept: Concept, words: str, title: str, said: str, *, posted: Mapping[str, str] | None = None, acted: bool = False
) -> Item:
    """Return a mention with its lines.

    Args:
        posted: what a form sent, by field name; typed words stay in the lines that were not confirmed.
        acted: whether this mention is being confirmed: then its forms are bound and validated.
    """
    item = Item(concept, title, said)
    if concept.verdict != ConceptVerdict.PENDING:
        return item
    for number, proposal in enumerate(proposals(concept, words)):
        prefix = f"{concept.pk}-{number}"
        form = _form(proposal, prefix, posted, acted)
        item.lines.append(Line(proposal, form, _summary(proposal)))
    item.selected = posted is not None and str(concept.pk) in posted.getlist("select")  # type: ignore[attr-defined]
    name = f"{concept.pk}-override"
    if posted is not None and name in posted:
        item.override = OverrideForm({name: posted[name]}, prefix=str(concept.pk))
    return item


def entries_of(item: Item, posted: Mapping[str, str]) -> list[dict[str, Any]] | None:
    """Return the lines as typed, or None if a form has errors."""
    if not all(line.form.is_valid() for line in item.lines):
        return None
    entries = [dict(line.form.cleaned_data) for line in item.lines]
    chosen = _number(posted.get(f"{item.row.pk}-chosen", ""))
    for line, entry in zip(item.lines, entries, strict=True):
        if line.proposal.measure is not None:
            entry["chosen"] = chosen
    return entries


def add_problem(item: Item, problem: UserError) -> None:
    """Show on the mention why it was not written."""
    item.error = str(problem)
    if isinstance(problem, OrderQuestion):
        item.warnings = problem.warnings
        item.override = item.override or OverrideForm(prefix=str(item.row.pk))
    if isinstance(problem, ValueQuestion):
        item.choices = problem.choices


def _form(proposal: Proposal, prefix: str, posted: Mapping[str, str] | None, acted: bool) -> forms.Form:
    if proposal.measure is not None:
        if posted is not None and acted:
            return ObservationLineForm(posted, prefix=prefix)
        return ObservationLineForm(initial=_kept(proposal.entry, prefix, posted), prefix=prefix)
    kind = (posted or {}).get(f"{prefix}-kind", proposal.kind)
    kind = kind if kind in StatementKind.values else proposal.kind
    if posted is not None and acted:
        return StatementForm(posted, prefix=prefix, for_kind=kind)
    initial = _kept({"kind": proposal.kind, **shown_entry(proposal.entry)}, prefix, posted)
    return StatementForm(initial=initial, prefix=prefix, for_kind=kind)


def _kept(entry: Mapping[str, Any], prefix: str, posted: Mapping[str, str] | None) -> dict[str, Any]:
    """Return the proposal with what was typed over it."""
    start = f"{prefix}-"
    typed = {name.removeprefix(start): value for name, value in (posted or {}).items() if name.startswith(start)}
    return {**entry, **typed}


def _summary(proposal: Proposal) -> str:
    """Write out what the line records: "Medication: fentanyl, 50 ug, intravenous, Active, code 4337"."""
    entry = shown_entry(proposal.entry)
    if proposal.measure is not None:
        text = f"{in_language(proposal.measure.title)}: {entry['value']} {shown(entry['unit'])}".strip()
        reading = read_measure(proposal.measure, entry["value"], entry["unit"])
        if reading.value is None or entry["unit"] == reading.unit:
            return text
        return f"{text} = {reading.comparator}{reading.value:.4g} {shown(reading.unit)}".strip()
    parts = []
    for name in NAMES:
        value = entry.get(name)
        labels = LABELLED.get(name)
        if value and labels is not None and value in labels.values:
            parts.append(str(labels(value).label))
        elif value:
            parts.append(str(value))
    return f"{StatementKind(proposal.kind).label}: {', '.join(parts)}"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
