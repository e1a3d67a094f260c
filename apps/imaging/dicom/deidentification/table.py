"""Actions of PS3.15 table E.1-1 for each attribute, under the profile and options that the site uses.

The Basic Profile's column comes from ``dicom-anonymizer``, which extracts it from the standard (edition
2026c). The columns of the options that the site uses are listed here (checked against the standard's table):

- Retain Device Identity (E.3.8): the attributes of :data:`DEVICE_IDENTITY` are kept;
- Retain Longitudinal Temporal Information with Modified Dates (E.3.6): all dates and times of the table
  but those of :data:`DATES_WITHOUT_OPTION` are shifted;
- Clean Structured Content (E.3.4): the sequences of :data:`STRUCTURED_CONTENT` are kept, cleaned.
"""

from __future__ import annotations

from enum import Enum
from functools import cache

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as standard
from pydicom.datadict import dictionary_VR
from pydicom.tag import BaseTag, Tag


class Action(Enum):
    """Action codes of table E.1-1a; C is split by what is cleaned."""

    DUMMY = "D"
    EMPTY = "Z"
    REMOVE = "X"
    UID = "U"
    KEEP = "K"
    SHIFT = "C, dates"
    CLEAN = "C, structured content"
    REFERENCES = "X/Z/U*"


_BASIC: list[tuple[str, Action]] = [
    ("D_TAGS", Action.DUMMY),
    ("Z_TAGS", Action.EMPTY),
    ("X_TAGS", Action.REMOVE),
    ("U_TAGS", Action.UID),
    # Of alternatives, the action that keeps the object valid whatever the attribute's type.
    ("Z_D_TAGS", Action.DUMMY),
    ("X_Z_TAGS", Action.EMPTY),
    ("X_D_TAGS", Action.DUMMY),
    ("X_Z_D_TAGS", Action.DUMMY),
    ("X_Z_U_STAR_TAGS", Action.REFERENCES),
]

DEVICE_IDENTITY = {
    Tag(tag)
    for tag in (
        0x00181007, 0x0018700A, 0x00500020, 0x3010002D, 0x00181000, 0x00181002, 0x00181008, 0x00181005,
        0x0016004E, 0x0016004F, 0x00160050, 0x00160051, 0x0018100B, 0x30100043, 0x00400241, 0x00404030,
        0x00400242, 0x00404028, 0x00181004, 0x00400011, 0x00400001, 0x00404027, 0x00400010, 0x00404025,
        0x00321020, 0x00321021, 0x300A0216, 0x30080105, 0x00081010, 0x00185011, 0x300A00B2, 0x0018100A,
        0x00181009, 0x00189371, 0x00189373, 0x00189367,
    )
}  # fmt: skip
DATES_WITHOUT_OPTION = {Tag(tag) for tag in (0x00100030, 0x00100032, 0x00160077)}
"""Birth date and time, GPS time: no option retains them."""
STRUCTURED_CONTENT = {Tag(tag) for tag in (0x00400555, 0x0040A730, 0x00400610)}
"""Acquisition Context, Content and Specimen Preparation Sequence."""
_REPEATING = {tag for name, _ in _BASIC for tag in getattr(standard, name) if len(tag) > 2}


@cache
def basic_actions() -> dict[BaseTag, Action]:
    """Return the Basic Profile's action for each attribute of the table."""
    return {Tag(*tag): action for name, action in _BASIC for tag in getattr(standard, name) if len(tag) == 2}


@cache
def actions() -> dict[BaseTag, Action]:
    """Return the action for each attribute of the table under profile and options."""
    result = dict(basic_actions())
    for tag in result:
        if _vr(tag) in ("DA", "TM", "DT") and tag not in DATES_WITHOUT_OPTION:
            result[tag] = Action.SHIFT
    result.update(dict.fromkeys(STRUCTURED_CONTENT, Action.CLEAN))
    result.update(dict.fromkeys(DEVICE_IDENTITY, Action.KEEP))
    return result


def action_for(tag: BaseTag) -> Action | None:
    """Return the action for an attribute; None if the table does not list it.

    Private attributes are removed (none is known to be safe), as are the repeating groups
    of the table: curves and overlays.
    """
    if tag.is_private or any(_in_group(tag, pattern) for pattern in _REPEATING):
        return Action.REMOVE
    return actions().get(tag)


def _in_group(tag: BaseTag, pattern: tuple[int, int, int, int]) -> bool:
    group, element, group_mask, element_mask = pattern
    return tag.group & group_mask == group & group_mask and tag.element & element_mask == element & element_mask


def _vr(tag: BaseTag) -> str:
    try:
        return dictionary_VR(tag)
    except KeyError:
        return ""
