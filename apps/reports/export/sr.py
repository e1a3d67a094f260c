"""A report as DICOM Enhanced SR (PS3.3 A.35.2) after TID 2000, Basic Diagnostic Imaging Report (PS3.16)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from highdicom.sr import (
    CodedConcept,
    ContainerContentItem,
    EnhancedSR,
    NumContentItem,
    RelationshipTypeValues,
    TextContentItem,
)
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from apps.imaging.dicom.derived import complete, reference

MANUFACTURER = "MedPortal"
SERIES_NUMBER = 9201
HEADINGS = {
    "history": CodedConcept("121060", "DCM", "History"),
    "technique": CodedConcept("121064", "DCM", "Current Procedure Descriptions"),
    "comparison": CodedConcept("121068", "DCM", "Previous Findings"),
    "findings": CodedConcept("121070", "DCM", "Findings"),
    "impression": CodedConcept("121072", "DCM", "Impressions"),
}
TEXTS = {
    "history": CodedConcept("121060", "DCM", "History"),
    "technique": CodedConcept("121065", "DCM", "Procedure Description"),
    "comparison": CodedConcept("121069", "DCM", "Previous Finding"),
    "findings": CodedConcept("121071", "DCM", "Finding"),
    "impression": CodedConcept("121073", "DCM", "Impression"),
}
TITLE = CodedConcept("18748-4", "LN", "Diagnostic imaging report")


@dataclass(frozen=True)
class Signed:
    """The signature of a report.

    Attributes:
        when: time-zone aware.
        uid: unique per version; the DICOM UIDs are derived from it.
    """

    name: str
    organisation: str
    when: datetime
    final: bool
    uid: str


def structured_report(
    headers: Sequence[Dataset],
    sections: dict[str, str],
    measurements: Sequence[tuple[str, float, str, str]],
    signed: Signed,
) -> bytes:
    """Build the report of one study as a DICOM file.

    Args:
        headers: of the study's images, without pixel data.
        sections: text by keys of HEADINGS; empty sections are left out.
        measurements: name, value, UCUM unit, comparator.
    """
    root = ContainerContentItem(name=TITLE, is_content_continuous=False, template_id="2000")
    items = []
    for key, text in sections.items():
        if key in HEADINGS and text.strip():
            part = ContainerContentItem(
                name=HEADINGS[key], is_content_continuous=False, relationship_type=RelationshipTypeValues.CONTAINS
            )
            part.ContentSequence = [TextContentItem(TEXTS[key], text.strip(), RelationshipTypeValues.CONTAINS)]
            if key == "findings":
                part.ContentSequence.extend(_number(*measurement) for measurement in measurements)
            items.append(part)
    root.ContentSequence = items
    document = EnhancedSR(
        evidence=[reference(header) for header in headers],
        content=root,
        series_instance_uid=generate_uid(entropy_srcs=[signed.uid, "series"]),
        series_number=SERIES_NUMBER,
        sop_instance_uid=generate_uid(entropy_srcs=[signed.uid, "instance"]),
        instance_number=1,
        manufacturer=MANUFACTURER,
        is_complete=True,
        is_final=signed.final,
        is_verified=signed.final,
        institution_name=signed.organisation,
        verifying_observer_name=signed.name if signed.final else None,
        verifying_organization=signed.organisation if signed.final else None,
        content_date=signed.when.date(),
        content_time=signed.when.time().replace(microsecond=0),
    )
    complete(document, headers)
    buffer = io.BytesIO()
    document.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _number(name: str, value: float, unit: str, comparator: str = "") -> NumContentItem | TextContentItem:
    """Return a numeric item; a limit of detection is text, because a number would be read as measured."""
    concept = CodedConcept(name[:16].replace(" ", "_") or "value", "99MEDPORTAL", name[:64])
    if comparator:
        return TextContentItem(concept, f"{comparator}{value:g} {unit}", RelationshipTypeValues.CONTAINS)
    return NumContentItem(
        name=concept,
        value=value,
        unit=CodedConcept(unit, "UCUM", unit),
        relationship_type=RelationshipTypeValues.CONTAINS,
    )
