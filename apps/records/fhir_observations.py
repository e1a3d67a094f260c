"""Reading FHIR R4 and R5 Observations: status, subject, focus, code, specimen, value, comparator, components.

Source: HL7 FHIR R4 (4.0.1), Observation: statuses, dataAbsentReason, focus, component.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from apps.terminology.loinc import by_code
from apps.terminology.quantities import Choice, Reading, State, asked, read_quantity, refused, shown

LOINC = "http://loinc.org"
FINAL = ("final", "amended", "corrected", "appended")
WITHDRAWN = ("entered-in-error", "cancelled")
THIS_PATIENT = ("", "patient", "the patient", "this patient", "same patient", "self")
OTHER_PATIENT = re.compile(r"\b(?:another|other|different|wrong)\b", re.IGNORECASE)
MORE_SPECIFIC = {"2708-6": "59408-5"}
"""Codes that profiles require beside a more specific one (US Core, pulse oximetry)."""
OTHER_VALUES = {"valueRange": "value_range", "valueRatio": "value_ratio", "valueSampledData": "value_series"}

IsPatient = Callable[[dict[str, Any]], bool]
"""Whether a FHIR Reference names the patient whose record is written."""


@dataclass(frozen=True)
class ObservedValue:
    """One value of an Observation: its own, or that of one component.

    Attributes:
        code: LOINC code or name, as sent.
        value, unit: as sent.
        time: effective time as sent, or empty.
    """

    code: str
    value: str
    unit: str
    time: str
    reading: Reading


def read_observation(resource: dict[str, Any], *, is_patient: IsPatient | None = None) -> list[ObservedValue]:
    """Read every value of an Observation; an Observation as a whole that cannot be used gives one refusal.

    Args:
        is_patient: compares the subject; without it any patient is accepted, but no group, device or location.
    """
    time = str(resource.get("effectiveDateTime") or resource.get("effectiveInstant") or resource.get("issued") or "")
    components = [part for part in _list(resource.get("component")) if isinstance(part, dict)]
    own_value = any(name.startswith("value") for name in resource) or "dataAbsentReason" in resource
    parts = ([resource] if own_value or not components else []) + components
    problem = _unusable(resource, is_patient)
    specimen = _specimen(resource)
    rows = []
    for part in parts:
        code = _code(part)
        value, unit = _as_sent(part)
        reading = problem or _with_status(_reading(part, code, specimen), str(resource.get("status") or ""), value)
        rows.append(ObservedValue(code, value, unit, time, reading))
    return rows


def expand(short: dict[str, Any]) -> dict[str, Any]:
    """Return the Observation for the short form ``{"status", "subject", "loinc", "value", "unit", "comparator"}``."""
    code = str(short.get("loinc") or "")
    name = str(
        short.get("display")
        or short.get("name")
        or ("" if isinstance(short.get("code"), dict) else short.get("code") or "")
    )
    subject = short.get("subject")
    observation: dict[str, Any] = {
        "resourceType": "Observation",
        "status": short.get("status"),
        "code": short["code"]
        if isinstance(short.get("code"), dict)
        else {"coding": [{"system": LOINC, "code": code}] if code else [], "text": name},
        "subject": subject if isinstance(subject, dict) or subject is None else _short_subject(str(subject)),
    }
    for name in ("dataAbsentReason", "component", "focus", "effectiveDateTime", "issued", "modifierExtension"):
        if short.get(name) is not None:
            observation[name] = short[name]
    if isinstance(observation.get("dataAbsentReason"), str):
        observation["dataAbsentReason"] = {"text": observation["dataAbsentReason"]}
    if short.get("specimen"):
        specimen = short["specimen"]
        observation["specimen"] = specimen if isinstance(specimen, dict) else {"display": str(specimen)}
    if isinstance(short.get("component"), list):
        parts = [part for part in short["component"] if isinstance(part, dict)]
        observation["component"] = [expand(part) if "loinc" in part else part for part in parts]
    return observation | _short_value(short)


def _short_value(short: dict[str, Any]) -> dict[str, Any]:
    value = short.get("value")
    if value is None:
        return {name: short[name] for name in short if name.startswith("value") and name != "value"}
    return {
        "valueQuantity": {"value": value, "unit": short.get("unit") or "", "comparator": short.get("comparator") or ""}
    }


def _short_subject(text: str) -> dict[str, str]:
    return {"reference": text} if "/" in text else {"display": text}


def _unusable(resource: dict[str, Any], is_patient: IsPatient | None) -> Reading | None:
    """Return why no value of the Observation may be taken, or None."""
    status = str(resource.get("status") or "")
    if resource.get("resourceType") != "Observation":
        return refused("value_resource", kind=str(resource.get("resourceType") or "?")[:40])
    if status in WITHDRAWN or status == "registered":
        return refused("value_withdrawn" if status in WITHDRAWN else "value_no_result", status=status)
    if resource.get("modifierExtension"):
        return refused("value_modifier")
    if _list(resource.get("focus")):
        return refused("value_focus")
    subject = resource.get("subject")
    if isinstance(subject, dict) and subject and not _is_this_patient(subject, is_patient):
        named = subject.get("display") or subject.get("reference") or "?"
        return refused("value_other_patient", subject=str(named)[:60])
    return None


def _is_this_patient(subject: dict[str, Any], is_patient: IsPatient | None) -> bool:
    reference = str(subject.get("reference") or "")
    display = str(subject.get("display") or "")
    kind = str(subject.get("type") or (reference.split("/")[-2] if "/" in reference else "Patient"))
    if kind != "Patient" or OTHER_PATIENT.search(f"{reference} {display}"):
        return False
    if is_patient is not None:
        return is_patient(subject)
    return bool(reference or subject.get("identifier")) or display.strip().lower() in THIS_PATIENT


def _with_status(reading: Reading, status: str, written: str) -> Reading:
    """Turn a value that is not final into a question: a preliminary result may still change."""
    if status in FINAL or reading.state != State.TAKEN or reading.value is None:
        return reading
    text = f"{reading.comparator} {written} → {reading.value:g} {shown(reading.unit)}".strip()
    reason = "value_preliminary" if status == "preliminary" else "value_status"
    parameters = {"status": status or "–", "value": written[:40]}
    choices = (Choice(reading.value, text),)
    return replace(reading, state=State.ASK, value=None, reason=reason, parameters=parameters, choices=choices)


def _reading(part: dict[str, Any], code: str, specimen: str) -> Reading:
    """Read the value of an Observation or of a component."""
    absent = part.get("dataAbsentReason")
    if absent:
        return refused("value_absent", why=_concept_text(absent)[:60] or "?")
    codes = {measure.code for loinc in _loinc_codes(part) if (measure := by_code(loinc)) is not None}
    codes -= {general for general, specific in MORE_SPECIFIC.items() if specific in codes}
    if len(codes) > 1:
        return asked("value_which", given=", ".join(sorted(codes)), titles=", ".join(sorted(codes)))
    for name, reason in OTHER_VALUES.items():
        if name in part:
            return refused(reason, value=name)
    if isinstance(part.get("valueQuantity"), dict):
        return _read_quantity(part["valueQuantity"], code, specimen)
    for name in ("valueInteger", "valueString", "valueDecimal"):
        if name in part:
            return read_quantity(code, part[name], str(part.get("unit") or ""), specimen=specimen)
    if any(name.startswith("value") for name in part):
        return refused("value_not_numeric", given=_as_sent(part)[0][:40])
    return refused("value_no_result", status="–")


def _read_quantity(quantity: dict[str, Any], code: str, specimen: str) -> Reading:
    comparator = str(quantity.get("comparator") or "")
    if comparator not in ("", "<", "<=", ">", ">="):
        return asked("value_comparator", comparator=comparator[:10])
    value = quantity.get("value")
    if value is None or value == "":
        return refused("value_no_result", status="–")
    ucum, unit = str(quantity.get("code") or ""), str(quantity.get("unit") or "")
    reading = read_quantity(code, value, ucum or unit, specimen=specimen, comparator=comparator)
    if not ucum or not unit or ucum == unit:
        return reading
    second = read_quantity(code, value, unit, specimen=specimen, comparator=comparator)
    if reading.reason == "unit_unknown":
        return second
    differs = reading.value is not None and second.value is not None and not _close(reading.value, second.value)
    if differs:
        return asked("value_two_units", reading.measure, first=ucum[:40], second=unit[:40])
    return reading


def _close(first: float, second: float) -> bool:
    return abs(first - second) <= 1e-6 * max(abs(first), abs(second), 1e-9)


def _code(part: dict[str, Any]) -> str:
    """Return the first LOINC code that is known, else any LOINC code, else the name as text."""
    codes = _loinc_codes(part)
    codes = [code for code in codes if MORE_SPECIFIC.get(code, "") not in codes]
    known = next((code for code in codes if by_code(code) is not None), "")
    return known or (codes[0] if codes else _concept_text(part.get("code")))


def _loinc_codes(part: dict[str, Any]) -> list[str]:
    code = part.get("code")
    codings = _list(code.get("coding")) if isinstance(code, dict) else []
    return [
        str(coding["code"]).strip()
        for coding in codings
        if isinstance(coding, dict) and coding.get("code") and str(coding.get("system") or "").rstrip("/") == LOINC
    ]


def _concept_text(concept: Any) -> str:
    """Return the text of a CodeableConcept, or the display or code of its first coding."""
    if not isinstance(concept, dict):
        return str(concept or "")
    codings = [coding for coding in _list(concept.get("coding")) if isinstance(coding, dict)]
    names: Iterable[Any] = (concept.get("text"), *(coding.get("display") for coding in codings))
    return next((str(name) for name in names if name), str(codings[0].get("code") or "") if codings else "")


def _specimen(resource: dict[str, Any]) -> str:
    """Return what the Observation says about its specimen; looks into contained resources."""
    specimen = resource.get("specimen")
    if not isinstance(specimen, dict):
        return ""
    if specimen.get("display"):
        return str(specimen["display"])
    for contained in _list(resource.get("contained")):
        if isinstance(contained, dict) and f"#{contained.get('id')}" == specimen.get("reference"):
            return _concept_text(contained.get("type"))
    return ""


def _as_sent(part: dict[str, Any]) -> tuple[str, str]:
    """Return the value and the unit as sent, as text."""
    quantity = part.get("valueQuantity")
    if isinstance(quantity, dict):
        value = f"{quantity.get('comparator') or ''}{quantity.get('value', '')}"
        return value, str(quantity.get("code") or quantity.get("unit") or "")
    for name, value in part.items():
        if name.startswith("value"):
            return _concept_text(value), str(part.get("unit") or "")
    return "", ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if isinstance(value, dict) else []
