"""Recommendations as FHIR R5: a CarePlan of what was released, a GuidanceResponse of what a rule said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

STATUS = {
    "proposed": "draft", "approved": "on-hold", "released": "active", "seen": "active", "accepted": "active",
    "declined": "revoked", "done": "completed", "rejected": "entered-in-error", "expired": "revoked",
    "recalled": "revoked",
}  # fmt: skip
"""ServiceRequest.status (R5) by state."""


@dataclass(frozen=True)
class Subject:
    """The patient as other systems know one."""

    mrn: str
    issuer: str
    name: str

    @property
    def reference(self) -> dict[str, Any]:
        """A logical reference (FHIR R5, Reference.identifier)."""
        system = {"system": f"urn:issuer:{self.issuer}"} if self.issuer else {}
        return {"identifier": {"value": self.mrn, **system}, "display": self.name or "?"}


@dataclass(frozen=True)
class Advice:
    """One recommendation.

    Attributes:
        codings: of the item; may be empty.
        grounds: citation, address and rule with version.
    """

    id: str
    title: str
    text: str
    state: str
    urgent: bool
    due: date
    at: datetime
    codings: Sequence[dict[str, str]] = ()
    grounds: Sequence[dict[str, Any]] = field(default_factory=list)
    released_by: str = ""


def care_plan(pk: str, subject: Subject, advice: Sequence[Advice], created: datetime) -> dict[str, Any]:
    """A CarePlan whose activities are contained ServiceRequests."""
    requests = [_request(one, subject) for one in advice]
    plan: dict[str, Any] = {
        "resourceType": "CarePlan",
        "id": pk,
        "status": "active",
        "intent": "plan",
        "title": "Recommendations released by the care team",
        "subject": subject.reference,
        "created": created.isoformat(),
    }
    if requests:
        plan["contained"] = requests
        plan["activity"] = [{"plannedActivityReference": {"reference": f"#{one['id']}"}} for one in requests]
    return plan


def guidance_response(advice: Advice, subject: Subject) -> dict[str, Any]:
    """What the rules said, with citations."""
    rules = ", ".join(f"{one['rule']} v{one['version']}" for one in advice.grounds) or "none"
    return {
        "resourceType": "GuidanceResponse",
        "id": advice.id,
        "status": "success",
        "moduleUri": f"urn:medportal:rules:{rules.split(',')[0].split(' ')[0]}",
        "subject": subject.reference,
        "occurrenceDateTime": advice.at.isoformat(),
        "reason": [{"concept": {"text": one["citation"]}} for one in advice.grounds] or [{"concept": {"text": "-"}}],
        "note": [{"text": f"{advice.title}. {advice.text} Rules: {rules}. Decision support, not a diagnosis."}],
        "contained": [_request(advice, subject, name="request")],
        "result": [{"reference": "#request"}],
    }


def _request(one: Advice, subject: Subject, *, name: str = "") -> dict[str, Any]:
    concept: dict[str, Any] = {"text": one.title}
    if one.codings:
        concept["coding"] = [{key: value for key, value in coding.items() if value} for coding in one.codings]
    made: dict[str, Any] = {
        "resourceType": "ServiceRequest",
        "id": name or f"r{one.id.replace('-', '')}",
        "status": STATUS[one.state],
        "intent": "proposal" if one.state in ("proposed", "approved") else "plan",
        "priority": "urgent" if one.urgent else "routine",
        "code": {"concept": concept},
        "subject": subject.reference,
        "authoredOn": one.at.isoformat(),
        "occurrencePeriod": {"end": one.due.isoformat()},
        "note": [{"text": one.text}],
    }
    if one.released_by:
        made["requester"] = {"display": one.released_by}
    return made
