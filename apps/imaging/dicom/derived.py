"""What an object that is derived from a stored one takes over from it: the patient and the study, in Unicode.

A derived object declares UTF-8 (ISO_IR 192), since its own text may need characters that the character set of its
source lacks: everything that is copied is encoded again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydicom import Dataset
from pydicom.uid import SecondaryCaptureImageStorage
from pydicom.valuerep import DA, TM

from apps.imaging.dicom.element_values import UTF_8
from apps.imaging.dicom.json_model import from_json, to_json

if TYPE_CHECKING:
    from highdicom import SOPClass

_SEXES = ("M", "F", "O")
_REQUIRED = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
)
"""Type 2: may be empty, but real files also leave them out."""
_DATES = ("PatientBirthDate", "StudyDate")
_TIMES = ("StudyTime",)


def in_unicode(header: Dataset) -> Dataset:
    """Return a copy of a header with its text in UTF-8, declared by Specific Character Set (PS3.5 section 6.1.2.3).

    Text is decoded as for metadata, so that the copy is read as the same patient's.
    """
    copy = from_json(to_json(header))
    if hasattr(header, "file_meta"):
        copy.file_meta = header.file_meta
    return copy


def reference(header: Dataset) -> Dataset:
    """Return a copy in Unicode that highdicom's constructors accept as a reference.

    They require elements of type 2, refuse sexes, dates and times that are no defined values, and know no retired or
    private SOP classes. Here those values are empty and the class is Secondary Capture, which has the same patient and
    study modules; :func:`complete` restores what the source states.
    """
    result = in_unicode(header)
    result.SOPClassUID = SecondaryCaptureImageStorage
    for keyword in _REQUIRED:
        if keyword not in result:
            setattr(result, keyword, "")
    if result.get("PatientSex") not in _SEXES:
        result.PatientSex = ""
    for keywords, kind in ((_DATES, DA), (_TIMES, TM)):
        for keyword in keywords:
            try:
                kind(result.get(keyword) or "")
            except (ValueError, TypeError):
                setattr(result, keyword, "")
    return result


def complete(document: SOPClass, headers: Sequence[Dataset]) -> None:
    """Make an object that was built from references state what their sources state.

    The attributes of the patient and study modules (PS3.3 sections C.7.1 and C.7.2) are copied from the first header:
    among them are those that tell one patient from another, such as Issuer of Patient ID, which not every constructor
    of highdicom copies.
    """
    source = in_unicode(headers[0])
    source.SOPClassUID = SecondaryCaptureImageStorage
    document.copy_patient_and_study_information(source)
    document.SpecificCharacterSet = UTF_8
    _restore_classes(document, {header.SOPInstanceUID: header.SOPClassUID for header in headers})


def _restore_classes(document: Dataset, classes: dict[str, str]) -> None:
    """Set Referenced SOP Class UID of the references to these instances, at any depth."""
    pending = [document]
    while pending:
        current = pending.pop()
        actual = classes.get(current.get("ReferencedSOPInstanceUID", ""))
        if actual and "ReferencedSOPClassUID" in current:
            current.ReferencedSOPClassUID = actual
        pending += [item for element in current if element.VR == "SQ" for item in element.value]
