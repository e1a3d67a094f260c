"""DICOM JSON (PS3.18 annex F) and Native DICOM Model XML (PS3.19 annex A) over real and generated data sets."""

from __future__ import annotations

import base64
import io
import json
import math
import struct
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.data import get_testdata_file
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from apps.imaging.dicom.bulk_data import NestingTooDeep, NoSuchBulkData, resolve_bulk_path
from apps.imaging.dicom.element_values import TEXT_VRS
from apps.imaging.dicom.json_model import from_json, load_json, to_json
from apps.imaging.dicom.model_elements import InvalidModel
from apps.imaging.dicom.xml_model import from_xml, to_xml
from tests.imaging.real_files import data_sets

ALL_GROUPS = {"Alphabetic": "A^B", "Ideographic": "C", "Phonetic": "D"}


def raw(tag: int, vr: str | None, value: bytes, *, little: bool = True) -> RawDataElement:
    return RawDataElement(Tag(tag), vr, len(value), value, 0, vr is None, little)


def holding(*elements: RawDataElement) -> Dataset:
    dataset = Dataset({element.tag: element for element in elements})  # assigning converts private elements
    dataset.set_original_encoding(False, True, ["iso8859"])
    return dataset


def even(model: Any) -> Any:
    """Pad binary values to even length, as storing them does (PS3.5 section 7.1.1)."""
    if isinstance(model, list):
        return [even(part) for part in model]
    if not isinstance(model, dict):
        return model
    result = {name: even(part) for name, part in model.items()}
    if isinstance(binary := result.get("InlineBinary"), str):
        content = base64.b64decode(binary)
        padding = b"\0" if model["vr"] in ("OB", "UN") else b" "
        result["InlineBinary"] = base64.b64encode(content + padding * (len(content) % 2)).decode()
    return result


def test_every_real_file_comes_back_from_json_and_xml() -> None:
    seen = 0
    for name, dataset in data_sets():
        uris: list[str] = []
        model = to_json(dataset, bulk_uri=lambda path, uris=uris: uris.append(path) or path)  # type: ignore[misc]
        text = json.dumps(model, allow_nan=False).encode()
        again = from_json(load_json(text), bulk=lambda uri, dataset=dataset: resolve_bulk_path(dataset, uri))  # type: ignore[misc]
        whole = even(to_json(dataset))
        assert to_json(again) == whole, name
        xml = to_xml(dataset, bulk_uri=lambda path: f"../bulk/{path}")
        from_tree = from_xml(xml, bulk=lambda uri, dataset=dataset: resolve_bulk_path(dataset, uri[8:]))  # type: ignore[misc]
        assert to_json(from_tree) == whole, name
        assert all(tag.element == 0 or f"{tag:08X}" in model for tag in dataset.keys()), name  # noqa: SIM118
        seen += 1
    assert seen > 150


def test_the_model_agrees_with_pydicoms_for_a_ct() -> None:
    dataset = dcmread(str(get_testdata_file("CT_small.dcm")))
    model = to_json(dataset)
    for name, expected in dataset.to_json_dict().items():
        if name not in ("00080005", "00080090", "00081070"):  # ISO_IR 192 and null are what PS3.18 asks for
            assert model[name] == expected
    assert model["00080005"] == {"vr": "CS", "Value": ["ISO_IR 192"]}


def test_a_header_converts_fast() -> None:
    dataset = dcmread(str(get_testdata_file("CT_small.dcm")), stop_before_pixels=True)
    best = math.inf
    for _ in range(20):
        start = time.perf_counter()
        to_json(dataset)
        best = min(best, time.perf_counter() - start)
    assert best / len(dataset) * 100 < 0.002  # seconds for a hundred elements


@pytest.mark.parametrize(
    ("vr", "value", "expected"),
    [
        ("FL", struct.pack("<4f", math.nan, math.inf, -math.inf, 1.5), ["NaN", "Infinity", "-Infinity", 1.5]),
        ("FD", struct.pack("<d", 0.1), [0.1]),
        ("DS", b"1.50\\\\nan\\ 3 \\abc\\1_0", [1.5, None, "nan", 3.0, "abc", "1_0"]),
        ("IS", b"12\\1.0\\1.5\\x\\99999999999", [12, 1, "1.5", "x", 99999999999]),
        ("AT", struct.pack("<4H", 0x18, 0x1063, 0xFFFE, 0xE00D), ["00181063", "FFFEE00D"]),
        ("SV", struct.pack("<q", -(2**63)), [-(2**63)]),
        ("UV", struct.pack("<Q", 2**64 - 1), [2**64 - 1]),
        ("UI", b"1.2.3 \0", ["1.2.3"]),
        ("LT", b" a\\b \n ", [" a\\b \n"]),
        ("LO", b"a\\\\b", ["a", None, "b"]),
        (
            "PN",
            b"A^B=C=D\\\\=E",
            [{"Alphabetic": "A^B", "Ideographic": "C", "Phonetic": "D"}, None, {"Ideographic": "E"}],
        ),
    ],
)
def test_values_by_vr(vr: str, value: bytes, expected: list[Any]) -> None:
    model = to_json(holding(raw(0x00091001, vr, value)))
    assert model["00091001"] == {"vr": vr, "Value": expected}
    again = to_json(from_json(json.loads(json.dumps(model, allow_nan=False))))
    assert again == model
    assert to_json(from_xml(to_xml(holding(raw(0x00091001, vr, value))))) == model


@pytest.mark.parametrize(("vr", "value"), [("US", b"abc"), ("FD", b"12345"), ("AT", b"123"), ("SQ", b"\1\2\3\4\5")])
def test_what_the_vr_cannot_hold_is_kept_as_bytes(vr: str, value: bytes) -> None:
    attribute = to_json(holding(raw(0x00091001, vr, value)))["00091001"]
    assert attribute == {"vr": "UN", "InlineBinary": base64.b64encode(value).decode()}


@pytest.mark.parametrize(
    ("characters", "text", "codec"),
    [
        ("GB18030", "\u8a92\\\u4e38=\u738b^\u5c0f\u4e1c", "gb18030"),
        ("GBK", "\u8a92\u4e38", "gbk"),
        ("ISO_IR 192", "\u738b^\u5c0f\u4e1c", "utf-8"),
        ("ISO_IR 100", "M\u00fcller", "latin-1"),
        ("\\ISO 2022 IR 87", "\u79c0\u91cd", "iso2022_jp"),
    ],
)
def test_text_is_decoded_before_it_is_split(characters: str, text: str, codec: str) -> None:
    """The second byte of some of these characters is a backslash or an equals sign."""
    dataset = holding(raw(0x00080005, "CS", characters.encode()), raw(0x00081030, "LO", text.encode(codec)))
    assert to_json(dataset)["00081030"]["Value"] == text.split("\\")


def test_an_empty_or_damaged_element_is_not_converted_by_pydicom() -> None:
    """Such as an unknown VR, which pydicom raises an error for; the bytes stay, and so does the data set."""
    empty = RawDataElement(Tag(0x00091001), "RS", 0, None, 0, False, True)
    dataset = holding(empty, raw(0x00091002, "ZB", b"ab"))
    model = to_json(dataset)
    assert model["00091001"] == {"vr": "UN"}
    assert model["00091002"] == {"vr": "UN", "InlineBinary": "YWI="}
    assert dataset.get_item(0x00091001, keep_deferred=True) is empty


def test_invalid_private_values_of_a_known_creator_come_back() -> None:
    creator = raw(0x00090010, "LO", b"GEMS_IDEN_01")
    model = to_json(holding(creator, raw(0x00091027, "UN", b"abcde"), raw(0x00091030, "DS", b"no number")))
    assert model["00091027"]["vr"] == "UN" and model["00091030"]["Value"] == ["no number"]
    assert to_json(from_json(model)) == even(model)
    assert to_json(from_xml(to_xml(from_json(model)))) == even(model)


def test_undeclared_utf_8_and_cut_characters() -> None:
    assert to_json(holding(raw(0x00081030, "LO", "王小东".encode())))["00081030"]["Value"] == ["王小东"]
    cut = holding(raw(0x00080005, "CS", b"GB18030"), raw(0x00081030, "LO", "王小东".encode("gb18030")[:-1]))
    assert to_json(cut)["00081030"]["Value"] == ["王小\ufffd"]


def test_implicit_vr_unknown_and_big_endian() -> None:
    dataset = holding(
        raw(0x00280103, None, b"\1\0"),
        raw(0x00280106, None, b"\xff\xff"),
        raw(0x00281050, "UN", b"40"),
        raw(0x00091001, None, b"abcd"),
        raw(0x00281201, "OW", b"\1\2\3\4", little=False),
    )
    model = to_json(dataset)
    assert model["00280106"] == {"vr": "SS", "Value": [-1]}
    assert model["00281050"] == {"vr": "DS", "Value": [40.0]}
    assert model["00091001"] == {"vr": "UN", "InlineBinary": "YWJjZA=="}
    assert model["00281201"] == {"vr": "OW", "InlineBinary": base64.b64encode(b"\2\1\4\3").decode()}


def test_big_endian_words_are_swapped_also_after_pydicom_has_touched_them() -> None:
    dataset = Dataset({Tag(0x00281201): raw(0x00281201, "OW", b"\1\2\3\4", little=False)})
    dataset.set_original_encoding(False, False, ["iso8859"])
    assert dataset.RedPaletteColorLookupTableData == b"\1\2\3\4"
    assert resolve_bulk_path(dataset, "00281201") == b"\2\1\4\3"


def test_bulk_data_paths_lead_to_the_values() -> None:
    item = Dataset()
    item.LUTDescriptor = [65536, 0, 16]
    item.add_new(0x00283006, "US", list(range(65536)))
    item.LUTExplanation = "x"
    dataset = Dataset()
    dataset.VOILUTSequence = [item]
    dataset.TextValue = "王" * 70_000
    dataset.add_new(0x7FE00010, "OB", b"\1\2")
    dataset.add_new(0x00080018, "UI", "1.2")
    model = to_json(dataset, bulk_uri=lambda path: path)
    assert model["00283010"]["Value"][0]["00283006"] == {"vr": "US", "BulkDataURI": "00283010/0/00283006"}
    assert resolve_bulk_path(dataset, "00283010/0/00283006") == struct.pack("<65536H", *range(65536))
    assert resolve_bulk_path(dataset, "0040A160") == dataset.TextValue.encode()
    assert model["7FE00010"] == {"vr": "OB", "BulkDataURI": "7FE00010"}
    assert resolve_bulk_path(dataset, "7fe00010") == b"\1\2"
    assert resolve_bulk_path(dataset, "00080018") == b"1.2"
    beside = ["00283010/1/00283006", "00283010/-1/00283006", "00283010/9999999999/00283006", "00283010/0/00283007"]
    for path in ["", "x", "00283010/0", "00080018/0/00080018", "7FE00011", *beside]:
        with pytest.raises(NoSuchBulkData):
            resolve_bulk_path(dataset, path)


def test_resolving_a_sequence_gives_its_items_encoded() -> None:
    dataset = Dataset()
    dataset.ReferencedImageSequence = [Dataset()]
    dataset.ReferencedImageSequence[0].ReferencedSOPInstanceUID = "1.2"
    content = resolve_bulk_path(dataset, "00081140")
    assert content == b"\xfe\xff\x00\xe0\x0c\0\0\0" + b"\x08\0\x55\x11UI\x04\x001.2\0"


def test_deep_nesting_ends_in_a_uri_or_an_error() -> None:
    dataset = innermost = Dataset()
    for _ in range(10_000):
        item = Dataset()
        innermost.add_new(0x00081140, "SQ", [item])
        innermost = item
    with pytest.raises(NestingTooDeep):
        to_json(dataset)
    with pytest.raises(NestingTooDeep):
        to_xml(dataset)
    uris: list[str] = []
    text = json.dumps(to_json(dataset, bulk_uri=lambda path: uris.append(path) or path))  # type: ignore[func-returns-value]
    assert len(uris) == 1 and len(text) < 10_000
    with pytest.raises(NestingTooDeep):
        resolve_bulk_path(dataset, uris[0])
    deep = b'{"00081140":{"vr":"SQ","Value":[' * 10_000 + b"]}}" * 10_000
    with pytest.raises(InvalidModel):
        from_json(load_json(deep))
    attribute = b'<DicomAttribute tag="00081140" vr="SQ"><Item number="1">'
    xml = b"<NativeDicomModel>" + attribute * 10_000 + b"</Item></DicomAttribute>" * 10_000 + b"</NativeDicomModel>"
    with pytest.raises(InvalidModel):
        from_xml(xml)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"[1]", "not_an_object"),
        (b"{", "not_json"),
        (b'{"0008001":{"vr":"UI"}}', "bad_tag"),
        (b'{"PatientID":{"vr":"LO","Value":["1"]}}', "bad_tag"),
        (b'{"00100020":{"vr":"XX"}}', "bad_vr"),
        (b'{"00100020":{"vr":["LO"]}}', "bad_vr"),
        (b'{"00081140":{"vr":"SQ","Value":[0]}}', "not_an_object"),
        (b'{"00091001":{"vr":"FD","Value":[true]}}', "bad_number"),
        (b'{"00091001":{"Value":["1"]}}', "no_vr"),
        (b'{"00100020":{"vr":"LO","Value":"1"}}', "value_not_an_array"),
        (b'{"00100020":{"vr":"LO","Value":[1]}}', "bad_text"),
        (b'{"00100020":{"vr":"LO","Value":["a\\\\b"]}}', "backslash_in_value"),
        (b'{"00280010":{"vr":"US","Value":[70000]}}', "bad_number"),
        (b'{"00280010":{"vr":"US","Value":[1.5]}}', "bad_number"),
        (b'{"00280010":{"vr":"US","Value":[true]}}', "bad_number"),
        (b'{"00200013":{"vr":"IS","Value":[1.5]}}', "bad_number"),
        (b'{"00100010":{"vr":"PN","Value":[{"Alphabetic":1}]}}', "not_a_person_name"),
        (b'{"00091001":{"vr":"OB","InlineBinary":"??"}}', "not_base64"),
        (b'{"00091001":{"vr":"OB","Value":["AA=="]}}', "binary_as_value"),
        (b'{"00091001":{"vr":"OB","InlineBinary":"","BulkDataURI":"x"}}', "several_forms_of_value"),
        (b'{"7FE00010":{"vr":"OW","BulkDataURI":"x"}}', "bulk_data_missing"),
        (b'{"00100020":{"vr":"LO"},"00100020":{"vr":"LO"}}', "duplicate_name"),
        (b'{"0010100A":{"vr":"LO"},"0010100a":{"vr":"LO"}}', "duplicate_name"),
        (b'{"00081140":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":[1]}}]}}', "bad_text"),
    ],
)
def test_wrong_json_is_named(text: bytes, code: str) -> None:
    with pytest.raises(InvalidModel) as refusal:
        from_json(load_json(text))
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"<a", "not_xml"),
        (
            b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///a">]><NativeDicomModel>&e;</NativeDicomModel>',
            "not_xml",
        ),
        (b"<html/>", "not_a_native_dicom_model"),
        (b"<NativeDicomModel><Value/></NativeDicomModel>", "not_a_dicom_attribute"),
        (b'<NativeDicomModel><DicomAttribute tag="1" vr="LO"/></NativeDicomModel>', "bad_tag"),
        (
            b'<NativeDicomModel><DicomAttribute tag="00100020" vr="LO"><Value number="1"/><Value number="1"/>'
            b"</DicomAttribute></NativeDicomModel>",
            "duplicate_number",
        ),
        (
            b'<NativeDicomModel><DicomAttribute tag="00100020" vr="LO"><Value number="999999999">1</Value>'
            b"</DicomAttribute></NativeDicomModel>",
            "bad_number",
        ),
    ],
)
def test_wrong_xml_is_named(text: bytes, code: str) -> None:
    with pytest.raises(InvalidModel) as refusal:
        from_xml(text)
    assert refusal.value.code == code


def test_text_that_xml_cannot_hold_is_not_lost() -> None:
    dataset = Dataset()
    dataset.PatientName = "A^B^C^D^E^F"
    dataset.StudyDescription = "bell \x07"
    dataset.PatientComments = "line\r\nnext <&>\t"
    assert to_json(from_xml(to_xml(dataset))) == to_json(dataset)


def test_numbers_that_senders_write_otherwise_are_read() -> None:
    text = b'{"00091001":{"vr":"FD","Value":[NaN, null, "inf"]},"00091002":{"vr":"SV","Value":["-5"]}}'
    values = to_json(from_json(load_json(text)))
    assert values["00091001"]["Value"] == ["NaN", "NaN", "Infinity"]
    assert values["00091002"]["Value"] == [-5]


def test_private_elements_name_their_creator() -> None:
    dataset = holding(raw(0x00090010, "LO", b"A & B"), raw(0x00091001, "LO", b"x"), raw(0x00091101, "LO", b"y"))
    text = to_xml(dataset).decode()
    assert '<DicomAttribute tag="00091001" vr="LO" privateCreator="A &amp; B">' in text
    assert '<DicomAttribute tag="00091101" vr="LO">' in text
    assert '<DicomAttribute tag="00080005" vr="CS" keyword="SpecificCharacterSet">' in text


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["00081140", "00100010", "0028_010", "00280010", "vr", "Value", "InlineBinary", "BulkDataURI"]
            ),
            inner | st.sampled_from(["SQ", "PN", "US", "FD", "DS", "AT", "OW"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(["00081140", "00100010", "00280010", "00091001", "7FE00010"]), ANYTHING))
def test_any_json_is_read_or_refused(model: dict[str, Any]) -> None:
    try:
        dataset = from_json(model, bulk=lambda uri: uri.encode("utf-8", "replace"))
    except InvalidModel as refusal:
        assert refusal.code
    else:
        assert set(model) <= set(to_json(dataset))


PLAIN = st.text(st.characters(codec="utf-8", exclude_characters="\\=^\0", exclude_categories=["Cc", "Cs"]), max_size=12)
NUMBERS = {"US": (0, 2**16 - 1), "SS": (-(2**15), 2**15 - 1), "UL": (0, 2**32 - 1), "SL": (-(2**31), 2**31 - 1)}
NUMBERS |= {"UV": (0, 2**64 - 1), "SV": (-(2**63), 2**63 - 1)}
TRIMMED = PLAIN.map(str.strip)


def attributes() -> st.SearchStrategy[dict[str, Any]]:
    """Draw one attribute as JSON."""
    texts = st.sampled_from(sorted(TEXT_VRS - {"LT", "ST", "UT", "UR"})).flatmap(
        lambda vr: st.lists(TRIMMED.filter(bool), max_size=3).map(lambda values: {"vr": vr, "Value": values})
    )
    numbers = st.sampled_from(sorted(NUMBERS)).flatmap(
        lambda vr: st.lists(st.integers(*NUMBERS[vr]), max_size=3).map(lambda values: {"vr": vr, "Value": values})
    )
    floats = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=3).map(
        lambda values: {"vr": "FD", "Value": values}
    )
    names = st.lists(st.tuples(TRIMMED.filter(bool), TRIMMED), min_size=1, max_size=2).map(
        lambda pairs: {
            "vr": "PN",
            "Value": [{"Alphabetic": a} | ({"Phonetic": p} if p else {}) for a, p in pairs],
        }
    )
    binary = st.tuples(st.sampled_from(["OB", "OW", "UN", "OD"]), st.binary(max_size=5)).map(
        lambda pair: {"vr": pair[0], "InlineBinary": base64.b64encode(pair[1] * 8).decode()}
    )
    return st.one_of(texts, numbers, floats, names, binary).map(
        lambda attribute: {"vr": attribute["vr"]} if not list(attribute.values())[1] else attribute
    )


MODELS = st.recursive(
    st.dictionaries(st.integers(0x00091001, 0x000910FF).map("{:08X}".format), attributes(), max_size=4),
    lambda inner: st.lists(inner, max_size=2).map(
        lambda items: {"00081140": {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}}
    ),
    max_leaves=4,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MODELS)
def test_generated_models_come_back_through_a_file(model: dict[str, Any]) -> None:
    declared = {"00080005": {"vr": "CS", "Value": ["ISO_IR 192"]}, **model}
    dataset = from_json(model)
    assert to_json(dataset) == declared
    assert to_json(from_xml(to_xml(dataset))) == declared
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, implicit_vr=False, little_endian=True, enforce_file_format=False)
    assert to_json(dcmread(io.BytesIO(buffer.getvalue()), force=True)) == declared
