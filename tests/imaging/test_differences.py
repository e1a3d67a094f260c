"""Comparison of data sets, of well-behaved and of hostile ones."""

from __future__ import annotations

from typing import Any

import pydicom
import pytest
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.dataelem import RawDataElement
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from apps.imaging.dicom.differences import MAX_ELEMENTS, MAX_TEXT, Difference, compare


def dataset(**values: Any) -> Dataset:
    result = Dataset()
    for keyword, value in values.items():
        setattr(result, keyword, value)
    return result


def test_equal_data_sets_have_no_differences() -> None:
    real = pydicom.dcmread(get_testdata_file("test-SR.dcm"))
    again = pydicom.dcmread(get_testdata_file("test-SR.dcm"))
    assert compare(real, again) == compare(real, real)
    assert compare(real, again).differences == () and compare(real, again).complete


def test_changed_missing_and_added_elements_are_named() -> None:
    stored = dataset(PatientName="Berg^Tove", StudyDescription="Chest", WindowCenter=[40, 50])
    received = dataset(PatientName="Berg^Eva", InstitutionName="Elsewhere", WindowCenter=[40, 60])
    assert compare(stored, received).differences == (
        Difference("(0008,0080)", "Institution Name", None, "Elsewhere"),
        Difference("(0008,1030)", "Study Description", "Chest", None),
        Difference("(0010,0010)", "Patient's Name", "Berg^Tove", "Berg^Eva"),
        Difference("(0028,1050)", "Window Center", "40.0\\50.0", "40.0\\60.0"),
    )


def test_items_of_sequences_are_compared_in_their_order() -> None:
    codes = [dataset(CodeValue=str(number)) for number in range(12)]
    others = [dataset(CodeValue="x" if number in (1, 10) else str(number)) for number in range(11)]
    found = compare(
        dataset(ConceptNameCodeSequence=Sequence(codes)), dataset(ConceptNameCodeSequence=Sequence(others))
    ).differences
    assert [item.tag for item in found] == [
        "(0040,A043)",
        "(0040,A043)[2] (0008,0100)",
        "(0040,A043)[11] (0008,0100)",
        "(0040,A043)[12] (0008,0100)",
    ]
    assert (found[0].stored, found[0].received) == ("[12]", "[11]")


def test_depth_and_number_are_bounded_and_said_to_be() -> None:
    def nested(depth: int, text: str) -> Dataset:
        inner = dataset(TextValue=text)
        for _ in range(depth):
            inner = dataset(ContentSequence=Sequence([inner]))
        return inner

    assert compare(nested(5, "a"), nested(5, "a")).complete
    assert not compare(nested(200, "a"), nested(200, "b")).complete
    many = dataset(ContentSequence=Sequence([Dataset() for _ in range(3)]))
    assert compare(many, many).complete
    wide = dataset(ContentSequence=Sequence([dataset(TextValue="x") for _ in range(MAX_ELEMENTS)]))
    assert not compare(wide, wide).complete
    rows = [dataset(ContentSequence=Sequence([dataset(TextValue=t) for _ in range(300)])) for t in ("a", "b")]
    found = compare(rows[0], rows[1])
    assert len(found.differences) == 200 and not found.complete


def test_long_texts_are_cut_about_their_first_difference() -> None:
    (found,) = compare(dataset(TextValue="a" * 5000 + "b"), dataset(TextValue="a" * 5000 + "c" * 900)).differences
    assert found.stored and found.received
    assert found.stored.startswith("… ") and found.stored.endswith("b")
    assert len(found.received) <= MAX_TEXT + 4 and found.received.endswith(" …")


def test_large_values_are_compared_by_their_digests() -> None:
    (found,) = compare(Dataset(), Dataset(), large=({0x00420011: "ab"}, {0x00420011: "cd"})).differences
    assert found == Difference("(0042,0011)", "Encapsulated Document", "ab", "cd")


@pytest.mark.parametrize(("vr", "value"), [("US", b"\x01"), ("DS", b"x"), ("UN", b"\xff\0"), ("AT", b"\x01\x02")])
def test_values_that_contradict_their_vr_stop_nothing(vr: str, value: bytes) -> None:
    broken = Dataset()
    tag = Tag(0x00280010)
    broken[tag] = RawDataElement(tag, vr, len(value), value, 0, False, True)
    assert len(compare(broken, dataset(PatientID="1")).differences) == 2


def test_a_private_element_has_no_name() -> None:
    private = Dataset()
    private.add_new(0x00091001, "LO", "x")
    assert compare(private, Dataset()).differences == (Difference("(0009,1001)", "", "x", None),)
