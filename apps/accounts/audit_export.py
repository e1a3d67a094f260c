"""Export of the audit trail as FHIR R4 AuditEvent resources (hl7.org/fhir/R4/auditevent.html)."""

from __future__ import annotations

from typing import Any

from apps.accounts.models import AuditEntry, Outcome

_OUTCOMES = {Outcome.SUCCESS: "0", Outcome.REFUSED: "4", Outcome.FAILED: "8"}
_DCM = "http://dicom.nema.org/resources/ontology/DCM"
_TYPE = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_VERBS = {
    "C": (
        "created",
        "stored",
        "placed",
        "requested",
        "recorded",
        "reviewed",
        "added",
        "opened_by",
        "began",
        "uploaded",
    ),
    "R": ("opened", "read", "listed", "searched", "exported", "downloaded", "verified"),
    "U": ("changed", "decided", "raised", "renewed", "lifted", "retried", "saved", "ended", "reset", "restored"),
    "D": ("erased", "removed", "revoked", "deleted", "purged"),
}
_SIGN_IN = {
    "session.began": ("110122", "Login"),
    "session.ended": ("110123", "Logout"),
    "session.refused": ("110122", "Login"),
}


def fhir(entry: AuditEntry) -> dict[str, Any]:
    """Convert an entry to an AuditEvent resource."""
    code, display = _SIGN_IN.get(entry.action, ("110100", "Application Activity"))
    coding = {"system": _DCM, "code": code, "display": display}
    if entry.action not in _SIGN_IN:
        coding = {"system": _TYPE, "code": "rest", "display": "RESTful Operation"}
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": str(entry.pk),
        "type": coding,
        "subtype": [{"system": "urn:medportal:audit", "code": entry.action}],
        "action": action_code(entry.action),
        "recorded": entry.at.isoformat(timespec="milliseconds"),
        "outcome": _OUTCOMES[Outcome(entry.outcome)],
        "agent": [_agent(entry)],
        "source": {"observer": {"display": "MedPortal"}},
    }
    if entry.why:
        event["purposeOfEvent"] = [{"text": entry.why}]
    entities = _entities(entry)
    if entities:
        event["entity"] = entities
    return event


def bundle(entries: list[AuditEntry]) -> dict[str, Any]:
    """Wrap entries in a FHIR collection Bundle."""
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": f"urn:uuid:{entry.pk}", "resource": fhir(entry)} for entry in entries],
    }


def action_code(action: str) -> str:
    """Return the FHIR action code: C, R, U, D, or E for anything else."""
    verb = action.rsplit(".", 1)[-1]
    return next((code for code, verbs in _VERBS.items() if verb in verbs), "E")


def _agent(entry: AuditEntry) -> dict[str, Any]:
    agent: dict[str, Any] = {"requestor": entry.actor_id is not None}
    if entry.actor_id is not None:
        agent["who"] = {"identifier": {"system": "urn:medportal:user", "value": str(entry.actor_id)}}
        agent["role"] = [{"text": entry.role}]
    else:
        agent["who"] = {"display": f"MedPortal: {entry.system_reason}"}
    if entry.source:
        agent["network"] = {"address": entry.source, "type": "2"}
    return agent


def _entities(entry: AuditEntry) -> list[dict[str, Any]]:
    entities: list[dict[str, Any]] = []
    if entry.object_id:
        detail = [{"type": "digest", "valueString": entry.digest}] if entry.digest else []
        what = {"identifier": {"system": f"urn:medportal:{entry.object_type}", "value": entry.object_id}}
        entities.append({"what": what, **({"detail": detail} if detail else {})})
    if entry.patient_ref:
        patient = {"identifier": {"system": "urn:medportal:record", "value": entry.patient_ref}}
        role = {"system": "http://terminology.hl7.org/CodeSystem/object-role", "code": "1", "display": "Patient"}
        entities.append({"what": patient, "role": role})
    return entities
