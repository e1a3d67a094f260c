"""Reads of recommendations that more than one caller needs."""

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
"""What the review queue shows, by tab."""
FEWEST = 5
"""Fewer patients than this are not counted out: a count of one is a person."""


@dataclass(frozen=True)
class Queue:
    """A page of the review queue."""

    rows: list[Recommendation]
    counts: dict[str, int]
    more: bool


def queue(actor: User, tab: str, *, after: int = 0, patient: Patient | None = None) -> Queue:
    """Most pressing first; of what is closed the newest. Of all patients, or of one."""
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
    """The patient's recommendations that the actor sees: open ones first, in their order."""
    rows = visible_to(actor).filter(patient=patient).select_related("patient", "item", "released_by", "decided_by")
    found = sorted(rows, key=lambda row: (not row.is_open, -row.urgency, row.position, row.proposed_at))
    keys.warm([patient.key_holder])
    return found


def in_short(row: Recommendation) -> str:
    """The first rule's facts in one line, for lists."""
    for ground in row.why.get("grounds", []):
        facts = [fact_in_words(**fact) for fact in ground["facts"] if fact["values"]]
        return " · ".join([*facts, ground["citation"]])
    return ""


def fact_in_words(title: Mapping[str, str], values: Sequence[str], unit: str) -> str:
    """``Age 58 years``, in the reader's language."""
    return f"{in_words(title)} {', '.join(values)} {UNITS.get(unit, unit)}".strip()


def full(actor: Actor) -> QuerySet[Recommendation]:
    """With what a page of one shows."""
    rows = visible_to(actor).select_related("patient", "item", "decided_by", "released_by")
    return rows.prefetch_related("steps__actor")


@dataclass(frozen=True)
class Others:
    """What others did with the same item: how many answered, and the share that took it up; None if too few."""

    people: int
    taken_up: float | None

    @property
    def percent(self) -> float:
        """The share in percent; 0 if it is not told."""
        return 100 * (self.taken_up or 0.0)


def others(item: CareItem) -> Others:
    """In aggregate, of all patients; never who."""
    counted = Recommendation.objects.filter(item=item).aggregate(
        yes=Count(
            "patient", distinct=True, filter=Q(state__in=(RecommendationState.ACCEPTED, RecommendationState.DONE))
        ),
        no=Count("patient", distinct=True, filter=Q(state=RecommendationState.DECLINED)),
    )
    people = counted["yes"] + counted["no"]
    return Others(people, counted["yes"] / people if people >= FEWEST else None)


def in_words(words: Mapping[str, str]) -> str:
    """A text by language in the reader's."""
    return str(words.get(get_language() or "en") or words.get("en", ""))


def grounds(row: Recommendation) -> list[dict[str, Any]]:
    """The rules that hold, with their facts in the reader's language."""
    return [
        {
            **ground,
            "facts": [
                {
                    "title": in_words(fact["title"]),
                    "values": fact["values"],
                    "unit": str(UNITS.get(fact["unit"], fact["unit"])),
                }
                for fact in ground["facts"]
            ],
        }
        for ground in row.why.get("grounds", [])
    ]


def subject_of(patient: Patient) -> Subject:
    """The patient as FHIR names one."""
    return Subject(patient.mrn, patient.mrn_issuer, patient.display_name)


def advice_of(row: Recommendation) -> Advice:
    """A recommendation as FHIR takes it."""
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
    """What the patient was told and can still act on."""
    return [row for row in of_patient(actor, patient) if row.state in SHOWN_STATES]
