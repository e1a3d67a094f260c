"""Queries of recommendations with more than one caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import get_language

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.patients.models import Patient
from apps.protection import keys
from apps.recommendations.access import visible_to
from apps.recommendations.guidelines.plans import Advice, Subject
from apps.recommendations.labels import UNITS
from apps.recommendations.models import (
    OPEN_STATES,
    SHOWN_STATES,
    CareItem,
    Recommendation,
    RecommendationState,
    Urgency,
)

PAGE = 50
STATES = {
    "waiting": (RecommendationState.PROPOSED,),
    "approved": (RecommendationState.APPROVED,),
    "out": SHOWN_STATES,
    "closed": tuple(state for state in RecommendationState if state not in OPEN_STATES),
}
"""States shown on each tab of the review queue."""
MIN_PATIENTS = 5
"""Minimum number of patients in an aggregate: smaller counts could identify a person."""


@dataclass(frozen=True)
class Queue:
    """A page of the review queue."""

    rows: list[Recommendation]
    counts: dict[str, int]
    more: bool


def queue(actor: User, tab: str, *, after: int = 0, patient: Patient | None = None) -> Queue:
    """A page of one tab, by urgency (closed ones: newest first), of all visible patients or of one."""
    seen = visible_to(actor) if patient is None else visible_to(actor).filter(patient=patient)
    states = {name: Q(state__in=states) for name, states in STATES.items()}
    counts = seen.aggregate(**{name: Count("pk", filter=condition) for name, condition in states.items()})
    order = ("-closed_at", "id") if tab == "closed" else ("-urgency", "proposed_at", "position", "id")
    rows = list(
        seen.filter(states.get(tab, states["waiting"]))
        .select_related("patient", "item", "decided_by")
        .order_by(*order)[after : after + PAGE + 1]
    )
    keys.warm({row.key_holder for row in rows})
    return Queue(rows[:PAGE], counts, len(rows) > PAGE)


def of_patient(actor: Actor, patient: Patient) -> list[Recommendation]:
    """The patient's recommendations visible to the actor: open ones first, in ranked order."""
    rows = visible_to(actor).filter(patient=patient).select_related("patient", "item", "released_by", "decided_by")
    ordered = sorted(rows, key=lambda row: (not row.is_open, -row.urgency, row.position, row.proposed_at))
    keys.warm([patient.key_holder])
    return ordered


def fact_summary(row: Recommendation) -> str:
    """The first rule's facts and citation in one line, for lists."""
    for ground in row.why.get("grounds", []):
        facts = [format_fact(**fact) for fact in ground["facts"] if fact["values"]]
        return " · ".join([*facts, ground["citation"]])
    return ""


def format_fact(title: Mapping[str, str], values: Sequence[str], unit: str) -> str:
    """Format a fact in the reader's language, for example ``Age 58 years``."""
    return f"{localised(title)} {', '.join(values)} {UNITS.get(unit, unit)}".strip()


def full(actor: Actor) -> QuerySet[Recommendation]:
    """Visible recommendations with all relations that the detail page shows."""
    rows = visible_to(actor).select_related("patient", "item", "decided_by", "released_by")
    return rows.prefetch_related("steps__actor")


@dataclass(frozen=True)
class Others:
    """Responses of other patients to an item: their number, and the share that accepted (None if too few)."""

    people: int
    taken_up: float | None

    @property
    def percent(self) -> float:
        """The share in percent; 0 if it is withheld."""
        return 100 * (self.taken_up or 0.0)


def others(item: CareItem) -> Others:
    """Aggregate the responses of all patients to an item."""
    counted = Recommendation.objects.filter(item=item).aggregate(
        yes=Count(
            "patient", distinct=True, filter=Q(state__in=(RecommendationState.ACCEPTED, RecommendationState.DONE))
        ),
        no=Count("patient", distinct=True, filter=Q(state=RecommendationState.DECLINED)),
    )
    people = counted["yes"] + counted["no"]
    return Others(people, counted["yes"] / people if people >= MIN_PATIENTS else None)


def localised(words: Mapping[str, str]) -> str:
    """A multilingual text in the reader's language."""
    return str(words.get(get_language() or "en") or words.get("en", ""))


def grounds(row: Recommendation) -> list[dict[str, Any]]:
    """The recommendation's rules, with their facts in the reader's language."""
    return [
        {
            **ground,
            "facts": [
                {
                    "title": localised(fact["title"]),
                    "values": fact["values"],
                    "unit": str(UNITS.get(fact["unit"], fact["unit"])),
                }
                for fact in ground["facts"]
            ],
        }
        for ground in row.why.get("grounds", [])
    ]


def subject_of(patient: Patient) -> Subject:
    """The patient's identity for FHIR."""
    return Subject(patient.mrn, patient.mrn_issuer, patient.display_name)


def advice_of(row: Recommendation) -> Advice:
    """A recommendation as input of the FHIR builders."""
    return Advice(
        id=str(row.pk),
        title=row.title,
        text=f"{row.patient_text} {row.what_to_do}",
        state=row.state,
        urgent=row.urgency == Urgency.URGENT,
        due=row.due,
        at=row.released_at or row.proposed_at,
        codings=row.item.content.get("codings", []),
        grounds=row.why.get("grounds", []),
        released_by=str(row.released_by or ""),
    )


def released_of(actor: Actor, patient: Patient) -> list[Recommendation]:
    """The patient's released recommendations that are still open."""
    return [row for row in of_patient(actor, patient) if row.state in SHOWN_STATES]
