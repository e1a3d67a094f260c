"""Workitems in the DICOM JSON model: what a request says, and what is answered (PS3.4 table CC.2.5-3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydicom import Dataset

from apps.imaging.dicom.json_model import JsonObject, from_json, load_json, to_json
from apps.imaging.dicom.model_elements import InvalidModel

SOP_CLASS = "1.2.840.10008.5.1.4.34.6.1"
"""Unified Procedure Step - Push."""
SCHEME = "99MEDPORTAL"
"""Coding scheme of the installed models; the code value is the package's name."""
STATE, TRANSACTION, INSTANCE, CLASS = "00741000", "00081195", "00080018", "00080016"
INPUT, CODE, PERFORMED = "00404021", "00404018", "00741216"
_OURS = frozenset(
    {STATE, TRANSACTION, INSTANCE, CLASS, "00001000", "00001002", "00080005"}
    | {"00100010", "00100020", "00100021", "00100030", "00100040"}
)
"""Attributes that are not stored as sent: the state changes by its own transaction, the patient is the series'."""
_UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+")


class BadWorkitem(ValueError):
    """A request that cannot be understood; the text says what to change and holds no patient data."""


@dataclass(frozen=True)
class Request:
    """A new workitem.

    Attributes:
        code: value and scheme of the Scheduled Workitem Code.
        attributes: what is stored.
    """

    uid: str
    study_uid: str
    series_uid: str
    code: tuple[str, str]
    attributes: JsonObject


def read_dataset(body: bytes) -> Dataset:
    """Parse a request's body, one data set or an array with one.

    Raises:
        BadWorkitem: if it is not in the DICOM JSON model.
    """
    try:
        model = load_json(body)
        if isinstance(model, list):
            if len(model) != 1:
                raise BadWorkitem("send one data set")
            model = model[0]
        return from_json(model)
    except InvalidModel as error:
        raise BadWorkitem(f"not in the DICOM JSON model: {error}") from error


def is_uid(text: str) -> bool:
    """Return whether a text is a UID (PS3.5 section 9.1)."""
    return len(text) <= 64 and bool(_UID.fullmatch(text))


def read_request(dataset: Dataset, uid: str) -> Request:
    """Check the data set of a new workitem.

    Args:
        uid: its SOP Instance UID, if the address gives one.

    Raises:
        BadWorkitem: naming the attribute that is missing or has another value than it must have.
    """
    uid = uid or str(dataset.get("AffectedSOPInstanceUID") or dataset.get("SOPInstanceUID") or "")
    if not is_uid(uid):
        raise BadWorkitem("give the workitem's UID in the address, as /workitems?1.2.3")
    if dataset.get("ProcedureStepState") != "SCHEDULED":
        raise BadWorkitem("Procedure Step State (0074,1000) of a new workitem must be SCHEDULED")
    if dataset.get("TransactionUID"):
        raise BadWorkitem("Transaction UID (0008,1195) of a new workitem must be empty")
    codes = list(dataset.get("ScheduledWorkitemCodeSequence") or [])
    code = str(codes[0].get("CodeValue") or codes[0].get("LongCodeValue") or "") if len(codes) == 1 else ""
    if not code:
        raise BadWorkitem("Scheduled Workitem Code Sequence (0040,4018) must have one item with a code")
    inputs = {
        (str(item.get("StudyInstanceUID", "")), str(item.get("SeriesInstanceUID", "")))
        for item in dataset.get("InputInformationSequence") or []
    }
    if len(inputs) != 1 or not all(inputs := inputs.pop()):  # type: ignore[assignment]
        raise BadWorkitem("Input Information Sequence (0040,4021) must name one series of one study")
    study_uid, series_uid = inputs  # type: ignore[misc]
    scheme = str(codes[0].get("CodingSchemeDesignator") or "")
    return Request(uid, study_uid, series_uid, (code, scheme), changes_of(dataset))  # type: ignore[arg-type]


def changes_of(dataset: Dataset) -> JsonObject:
    """Return the attributes that are stored."""
    return {tag: attribute for tag, attribute in to_json(dataset).items() if tag not in _OURS}


def lacks_for_completion(attributes: JsonObject) -> list[str]:
    """Return what a completed workitem must have and these lack (PS3.4 table CC.2.5-3, final state)."""
    items = attributes.get(PERFORMED, {}).get("Value") or []
    if len(items) != 1:
        return ["Unified Procedure Step Performed Procedure Sequence (0074,1216)"]
    needed = {
        "00404019": "Performed Workitem Code Sequence (0040,4019)",
        "00404050": "Performed Procedure Step Start DateTime (0040,4050)",
        "00404051": "Performed Procedure Step End DateTime (0040,4051)",
        "00404033": "Output Information Sequence (0040,4033)",
    }
    may_be_empty = {"00404033"}
    return [
        name
        for tag, name in needed.items()
        if tag not in items[0] or (tag not in may_be_empty and not items[0][tag].get("Value"))
    ]


def element(vr: str, *values: Any) -> JsonObject:
    """Return an attribute; values that are empty are left out."""
    kept = [value for value in values if value not in ("", None)]
    return {"vr": vr, "Value": kept} if kept else {"vr": vr}


def code_item(name: str, title: str) -> JsonObject:
    """Return the code of an installed model."""
    value = {"00080100": element("SH", name)} if len(name) <= 16 else {"00080119": element("UC", name)}
    return {**value, "00080102": element("SH", SCHEME), "00080104": element("LO", title[:64])}
