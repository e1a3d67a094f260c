"""Recommendations as FHIR R5: released ones as CarePlan, the rules' output as GuidanceResponse."""

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
"""FHIR R5 ServiceRequest.status by state."""


@dataclass(frozen=True)
class Subject:
    """The patient's identity in other systems."""

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
    """A recommendation.

    Attributes:
        codings: of the item; may be empty.
        grounds: dicts of citation, url, rule and version.
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
    """Build a CarePlan with contained ServiceRequests."""
    requests = [_request(row, subject) for row in advice]
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
        plan["activity"] = [{"plannedActivityReference": {"reference": f"#{request['id']}"}} for request in requests]
    return plan


def guidance_response(advice: Advice, subject: Subject) -> dict[str, Any]:
    """Build a GuidanceResponse from the rules that hold, with citations."""
    rules = ", ".join(f"{ground['rule']} v{ground['version']}" for ground in advice.grounds) or "none"
    return {
        "resourceType": "GuidanceResponse",
        "id": advice.id,
        "status": "success",
        "moduleUri": f"urn:medportal:rules:{rules.split(',')[0].split(' ')[0]}",
        "subject": subject.reference,
        "occurrenceDateTime": advice.at.isoformat(),
        "reason": [{"concept": {"text": ground["citation"]}} for ground in advice.grounds]
        or [{"concept": {"text": "-"}}],
        "note": [{"text": f"{advice.title}. {advice.text} Rules: {rules}. Decision support, not a diagnosis."}],
        "contained": [_request(advice, subject, name="request")],
        "result": [{"reference": "#request"}],
    }


def _request(advice: Advice, subject: Subject, *, name: str = "") -> dict[str, Any]:
    concept: dict[str, Any] = {"text": advice.title}
    if advice.codings:
        concept["coding"] = [{key: value for key, value in coding.items() if value} for coding in advice.codings]
    request: dict[str, Any] = {
        "resourceType": "ServiceRequest",
        "id": name or f"r{advice.id.replace('-', '')}",
        "status": STATUS[advice.state],
        "intent": "proposal" if advice.state in ("proposed", "approved") else "plan",
        "priority": "urgent" if advice.urgent else "routine",
        "code": {"concept": concept},
        "subject": subject.reference,
        "authoredOn": advice.at.isoformat(),
        "occurrencePeriod": {"end": advice.due.isoformat()},
        "note": [{"text": advice.text}],
    }
    if advice.released_by:
        request["requester"] = {"display": advice.released_by}
    return request
