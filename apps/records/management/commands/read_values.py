"""``manage.py read_values IN OUT``: read values line by line, for a hospital's own validation."""

from __future__ import annotations

from typing import Any

from apps.jobs.errors import message
from apps.records.fhir_observations import expand, read_observation
from apps.terminology.json_lines import JsonLinesCommand, Row
from apps.terminology.quantities import Reading, State, read_quantity, refused

ORDER = (State.REFUSED, State.ASK, State.TAKEN)


class Command(JsonLinesCommand):
    help = (
        'Read values. IN has one JSON object a line: {"code", "value", "unit"}, {"fhir": {...}} or a FHIR Observation; '
        'OUT gets one a line: {"state", "value", "unit", "comparator", "why"}. Nothing is stored.'
    )

    def answer(self, row: Row) -> Row:
        """Read one value, or the values of one Observation."""
        if "fhir" in row or row.get("resourceType"):
            return _fhir_answer(row)
        unit, specimen = (str(row.get(name) or "") for name in ("unit", "specimen"))
        comparator = str(row.get("comparator") or "")
        return _answer(
            read_quantity(str(row.get("code") or ""), row.get("value"), unit, specimen=specimen, comparator=comparator)
        )

    def unanswered(self, error: str) -> Row:
        """A line that is wrong is refused as a value is."""
        return {**_answer(refused("value_line")), **super().unanswered(error)}


def _fhir_answer(row: dict[str, Any]) -> dict[str, Any]:
    """Read an Observation; with several values the state is the least certain, and each is listed."""
    resource = row.get("fhir", row)
    if not isinstance(resource, dict):
        raise ValueError('"fhir" is a FHIR Observation: write {"fhir": {…}}')
    if not resource.get("resourceType"):
        resource = expand(resource)
    patient = row.get("patient") if "fhir" in row else None
    values = read_observation(resource, is_patient=_same_as(patient) if patient else None)
    answers = [{"code": value.code, **_answer(value.reading)} for value in values]
    if len(answers) == 1:
        return _answer(values[0].reading)
    worst = min((value.reading for value in values), key=lambda reading: ORDER.index(reading.state))
    return {**_answer(worst), "value": None, "unit": "", "comparator": "", "components": answers}


def _same_as(patient: Any) -> Any:
    """Return a test whether a reference names this patient: by reference, identifier or, for text, by the same text."""
    wanted = patient if isinstance(patient, dict) else {"reference": str(patient)}

    def is_patient(subject: dict[str, Any]) -> bool:
        return any(subject.get(name) and subject.get(name) == wanted.get(name) for name in ("reference", "identifier"))

    return is_patient


def _answer(reading: Reading) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "state": reading.state.value,
        "value": reading.value,
        "unit": reading.unit,
        "comparator": reading.comparator,
        "why": message(reading.reason, reading.parameters),
    }
    if reading.choices:
        answer["choices"] = [{"value": choice.value, "text": choice.text} for choice in reading.choices]
    return answer
