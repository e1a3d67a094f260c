"""Application of the profile to data sets. Each export has one pseudonym, one date shift and one UID map."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_has_tag
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid

from apps.imaging.dicom.deidentification.table import Action, action_for

MIN_SHIFT_DAYS, MAX_SHIFT_DAYS = 30, 3650
"""Dates are shifted into the past, so that none lies in the future."""
METHOD = "PS3.15 Annex E Basic Profile; pixel data and structured content cleaned; dates shifted; device kept"
_CODES = {
    "113100": "Basic Application Confidentiality Profile",
    "113101": "Clean Pixel Data Option",
    "113104": "Clean Structured Content Option",
    "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
    "113109": "Retain Device Identity Option",
}
"""CID 7050."""
_SAFE_CONTENT = {"CODE", "NUM", "CONTAINER", "NUMERIC"}
_DUMMIES = {"AS": "000Y", "DA": "19000101", "TM": "000000", "DT": "19000101000000", "UR": "http://anonymized.invalid"}
_NUMBERS = {"DS", "IS", "FD", "FL", "SL", "SS", "UL", "US", "SV", "UV"}
_BYTES = {"OB", "OW", "OF", "OD", "OL", "OV", "UN"}


@dataclass
class Profile:
    """Secrets of one export, discarded afterwards so that it cannot be reversed."""

    pseudonym: str = field(default_factory=lambda: f"P{secrets.token_hex(6).upper()}")
    shift: timedelta = field(
        default_factory=lambda: -timedelta(days=MIN_SHIFT_DAYS + secrets.randbelow(MAX_SHIFT_DAYS - MIN_SHIFT_DAYS))
    )
    uids: dict[str, str] = field(default_factory=dict)

    def uid(self, old: str) -> str:
        """Return the replacement of a UID, the same throughout the export."""
        if old not in self.uids:
            self.uids[old] = str(generate_uid(prefix=None))
        return self.uids[old]

    def apply(self, header: Dataset) -> Dataset:
        """De-identify a data set in place and mark it (PS3.15 section E.1.1, step 7).

        Pixel data are not changed: see :mod:`apps.imaging.dicom.deidentification.burnt_in`.
        """
        self._clean(header)
        header.PatientName = self.pseudonym
        header.PatientID = self.pseudonym
        header.PatientIdentityRemoved = "YES"
        header.DeidentificationMethod = METHOD[:64]
        header.DeidentificationMethodCodeSequence = Sequence([_code(*pair) for pair in _CODES.items()])
        header.LongitudinalTemporalInformationModified = "MODIFIED"
        return header

    def _clean(self, dataset: Dataset) -> None:
        for tag in list(dataset.keys()):
            try:
                element = dataset[tag]
            except Exception:  # an unreadable element cannot be checked
                del dataset[tag]
                continue
            self._clean_element(dataset, element)

    def _clean_element(self, dataset: Dataset, element: DataElement) -> None:
        action = action_for(element.tag)
        if action is None and (element.VR == "UN" or not dictionary_has_tag(element.tag)):
            action = Action.REMOVE  # unknown to this edition of the standard: its content cannot be judged
        if action is Action.REMOVE:
            del dataset[element.tag]
        elif action is Action.EMPTY:
            element.value = Sequence() if element.VR == "SQ" else None if element.VR in _BYTES | _NUMBERS else ""
        elif action is Action.DUMMY:
            self._dummy(element)
        elif action is Action.UID:
            element.value = self._new_uids(element.value)
        elif action is Action.SHIFT:
            element.value = self._shifted(element)
        elif action is Action.REFERENCES:
            self._references(element)
        elif element.VR == "SQ":
            self._sequence(element, structured=action is Action.CLEAN)

    def _sequence(self, element: DataElement, *, structured: bool) -> None:
        items = []
        for item in element.value:
            if structured and str(item.get("ValueType", "CODE")) not in _SAFE_CONTENT:
                continue  # free text, person names, dates and references to persons
            self._clean(item)
            items.append(item)
        element.value = Sequence(items)

    def _references(self, element: DataElement) -> None:
        """Reduce references to other images to UIDs and frame numbers."""
        for item in element.value:
            for inner in list(item):
                if inner.VR not in ("UI", "IS"):
                    del item[inner.tag]
            self._clean(item)

    def _dummy(self, element: DataElement) -> None:
        if element.VR == "SQ":
            for item in element.value:
                self._blank(item)
        elif element.VR == "UI":
            element.value = self._new_uids(element.value)
        elif element.VR in _NUMBERS:
            element.value = 0
        elif element.VR in _BYTES:
            element.value = b"\0\0"
        else:
            element.value = _DUMMIES.get(element.VR, "REMOVED")

    def _blank(self, dataset: Dataset) -> None:
        """Replace every value of an item: the table requires a dummy for the sequence."""
        for element in dataset:
            self._dummy(element)

    def _new_uids(self, value: object) -> object:
        if not value:
            return ""
        if isinstance(value, str):
            return self.uid(value)
        return [self.uid(str(uid)) for uid in value]  # type: ignore[attr-defined]

    def _shifted(self, element: DataElement) -> object:
        """Shift dates by whole days; times of day, and thus intervals, are preserved."""
        if element.VR == "TM" or not element.value:
            return element.value
        values = element.value if element.VM > 1 else [element.value]
        moved = [self._shift_text(str(value)) for value in values]
        return moved if element.VM > 1 else moved[0]

    def _shift_text(self, text: str) -> str:
        """Shift a DA or DT value (PS3.5 section 6.2); an incomplete date becomes empty."""
        match = re.fullmatch(r"(\d{4})[.-]?(\d{2})[.-]?(\d{2})(.*)", text.strip())
        if match is None:
            return ""
        year, month, day, rest = match.groups()
        try:
            moved = datetime(int(year), int(month), int(day)) + self.shift
        except (ValueError, OverflowError):
            return ""
        return f"{moved:%Y%m%d}{rest}"


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item
