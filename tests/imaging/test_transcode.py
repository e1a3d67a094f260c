"""Conversion between transfer syntaxes: exact, checked with pydicom's decoders instead of the encoder's own."""

from __future__ import annotations

import io
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.tag import Tag
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from apps.imaging.dicom.parser import Unreadable, open_object
from apps.imaging.dicom.pixels import decode_samples
from apps.imaging.dicom.transcode import PIXEL_DATA, CannotTranscode, targets, transcode
from tests.conftest import SHARED
from tests.imaging.real_files import paths

CODECS = (HTJ2KLossless, JPEGLSLossless, JPEG2000Lossless, RLELossless)


def header_for(array: np.ndarray[Any, Any], photometric: str = "", **changes: Any) -> Dataset:
    header = Dataset()
    header.Rows, header.Columns = array.shape[:2]
    header.SamplesPerPixel = array.shape[2] if array.ndim == 3 else 1
    header.PhotometricInterpretation = photometric or ("RGB" if array.ndim == 3 else "MONOCHROME2")
    if array.ndim == 3:
        header.PlanarConfiguration = 0
    header.BitsAllocated = header.BitsStored = array.dtype.itemsize * 8
    header.HighBit = header.BitsStored - 1
    header.PixelRepresentation = int(array.dtype.kind == "i")
    for keyword, value in changes.items():
        setattr(header, keyword, value)
    return header


def changed(header: Dataset, changes: Dataset) -> Dataset:
    result = Dataset()
    result.update({element.tag: element for element in header if element.tag.group == 0x28})
    result.update(changes)
    return result


def test_every_real_file_is_converted_exactly_or_not_offered() -> None:
    converted = 0
    for path in paths():
        with path.open("rb") as stream:
            try:
                dicom = open_object(stream)
                frame = next(dicom.iter_frames())
                expected, _ = decode_samples(
                    dicom.header, frame, transfer_syntax=dicom.transfer_syntax, pixel_tag=dicom.pixel_tag
                )
            except (Unreadable, StopIteration):
                continue
        offered = targets(dicom.header, dicom.transfer_syntax, pixel_tag=dicom.pixel_tag)
        for target in {ExplicitVRLittleEndian, *CODECS} - {dicom.transfer_syntax}:
            if str(target) not in offered:
                with pytest.raises(CannotTranscode):
                    transcode(
                        dicom.header, frame, source=dicom.transfer_syntax, target=target, pixel_tag=dicom.pixel_tag
                    )
                continue
            result = transcode(
                dicom.header, frame, source=dicom.transfer_syntax, target=target, pixel_tag=dicom.pixel_tag
            )
            header = changed(dicom.header, result.changes)
            samples, _ = decode_samples(header, result.frame, transfer_syntax=target, pixel_tag=dicom.pixel_tag)
            assert np.array_equal(samples, expected), (path.name, target.name)
            converted += 1
    assert converted > 200


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_generated_frames_are_exact(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["u1", "i1", "<u2", "<i2"]))
    samples = data.draw(st.sampled_from([1, 3]))
    rows, columns = data.draw(st.integers(1, 20)), data.draw(st.integers(1, 20))
    info = np.iinfo(kind)
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    shape = (rows, columns, 3) if samples == 3 else (rows, columns)
    array = generator.integers(info.min, info.max, shape, dtype=kind, endpoint=True)
    target = data.draw(st.sampled_from(CODECS))
    photometric = data.draw(st.sampled_from(["RGB", "YBR_FULL"] if samples == 3 else ["MONOCHROME1", "PALETTE COLOR"]))
    planar = data.draw(st.booleans()) and samples == 3
    stored = array.transpose(2, 0, 1) if planar else array
    header = header_for(array, photometric)
    if planar:
        header.PlanarConfiguration = 1
    if target == HTJ2KLossless and photometric == "YBR_FULL":
        with pytest.raises(CannotTranscode):
            transcode(header, stored.tobytes(), source=ExplicitVRLittleEndian, target=target)
        return
    result = transcode(header, stored.tobytes(), source=ExplicitVRLittleEndian, target=target)
    again = changed(header, result.changes)
    decoded, found = decode_samples(again, result.frame, transfer_syntax=target, pixel_tag=PIXEL_DATA, as_rgb=False)
    assert np.array_equal(decoded, array) and found == photometric
    back = transcode(again, result.frame, source=target, target=ExplicitVRLittleEndian)
    assert back.frame == array.tobytes()


@pytest.mark.parametrize("size", ["u2", "i2", "u4", "f4", "f8"])
def test_native_frames_change_only_their_byte_order(size: str) -> None:
    array = np.arange(12).reshape(3, 4).astype(f">{size}")
    header = header_for(array)
    result = transcode(header, array.tobytes(), source=ExplicitVRBigEndian, target=ExplicitVRLittleEndian)
    assert np.array_equal(np.frombuffer(result.frame, f"<{size}").reshape(3, 4), array)
    assert not result.changes
    assert transcode(header, b"ab", source=ImplicitVRLittleEndian, target=ExplicitVRLittleEndian).frame == b"ab"


def test_colour_in_htj2k_is_transformed_reversibly() -> None:
    array = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    result = transcode(header_for(array), array.tobytes(), source=ExplicitVRLittleEndian, target=HTJ2KLossless)
    assert result.changes.PhotometricInterpretation == "YBR_RCT"
    assert str(HTJ2KLossless) not in targets(header_for(array, "YBR_FULL_422"), ExplicitVRLittleEndian)
    assert str(HTJ2KLossless) in targets(header_for(array, "YBR_FULL_422"), JPEGBaseline8Bit)


def test_chroma_of_422_is_repeated() -> None:
    array = np.array([[[10, 100, 200], [20, 100, 200]], [[30, 110, 210], [40, 110, 210]]], np.uint8)
    header = header_for(array, "YBR_FULL_422")
    frame = bytes([10, 20, 100, 200, 30, 40, 110, 210])
    result = transcode(header, frame, source=ExplicitVRLittleEndian, target=JPEGLSLossless)
    assert result.changes.PhotometricInterpretation == "YBR_FULL"
    found, _ = decode_samples(
        changed(header, result.changes),
        result.frame,
        transfer_syntax=JPEGLSLossless,
        pixel_tag=PIXEL_DATA,
        as_rgb=False,
    )
    assert np.array_equal(found, array)
    assert transcode(header, frame, source=ImplicitVRLittleEndian, target=ExplicitVRLittleEndian).frame == frame


@pytest.mark.parametrize(
    ("array", "changes"),
    [
        (np.zeros((2, 8), np.uint8), {"BitsAllocated": 1, "BitsStored": 1}),
        (np.zeros((2, 2), np.uint32), {}),
        (np.zeros((2, 2), np.uint64), {}),
        (np.zeros((2, 2, 4), np.uint8), {"PhotometricInterpretation": "ARGB"}),
        (np.zeros((2, 2), np.uint8), {"PhotometricInterpretation": "RGB"}),
    ],
)
def test_what_has_no_form_is_refused(array: np.ndarray[Any, Any], changes: dict[str, Any]) -> None:
    header = header_for(array, **changes)
    assert targets(header, ImplicitVRLittleEndian) == {str(ExplicitVRLittleEndian)}
    for target in CODECS:
        with pytest.raises(CannotTranscode):
            transcode(header, array.tobytes(), source=ImplicitVRLittleEndian, target=target)


def test_float_pixels_have_no_codec() -> None:
    array = np.zeros((2, 2), "<f4")
    for target in CODECS:
        with pytest.raises(CannotTranscode):
            transcode(
                header_for(array), array.tobytes(), source=ExplicitVRLittleEndian, target=target,
                pixel_tag=Tag(0x7FE00008),
            )  # fmt: skip


def test_unknown_syntaxes_are_refused() -> None:
    array = np.zeros((2, 2), np.uint8)
    with pytest.raises(CannotTranscode):
        transcode(header_for(array), array.tobytes(), source=ExplicitVRLittleEndian, target=UID("1.2.3"))
    assert targets(header_for(array), UID("1.2.840.10008.1.2.4.102")) == frozenset()


def test_an_unextended_sign_is_extended_for_a_codec() -> None:
    stored = np.array([[0x0FFF, 0x0001], [0x0800, 0x07FF]], np.int16)
    header = header_for(stored, BitsStored=12, HighBit=11)
    result = transcode(header, stored.tobytes(), source=ExplicitVRLittleEndian, target=HTJ2KLossless)
    found, _ = decode_samples(header, result.frame, transfer_syntax=HTJ2KLossless, pixel_tag=PIXEL_DATA)
    assert found.tolist() == [[-1, 1], [-2048, 2047]]
    header[0x60000102] = pydicom.DataElement(0x60000102, "US", 12)
    with pytest.raises(CannotTranscode):
        transcode(header, stored.tobytes(), source=ExplicitVRLittleEndian, target=HTJ2KLossless)


def test_bits_above_unsigned_samples_are_kept() -> None:
    """Old objects keep overlays there."""
    stored = np.array([[0x1FFF, 0xF001]], np.uint16)
    header = header_for(stored, BitsStored=12, HighBit=11)
    decoders = {HTJ2KLossless: imagecodecs.htj2k_decode, JPEGLSLossless: imagecodecs.jpegls_decode}
    for target, decode in {**decoders, JPEG2000Lossless: imagecodecs.jpeg2k_decode}.items():
        encoded = transcode(header, stored.tobytes(), source=ExplicitVRLittleEndian, target=target).frame
        assert np.array_equal(decode(encoded), stored)


def test_lossy_frames_say_so() -> None:
    with open(str(get_testdata_file("SC_rgb_jpeg_dcmtk.dcm")), "rb") as stream:  # noqa: PTH123
        dicom = open_object(stream)
        frame = next(dicom.iter_frames())
    if "LossyImageCompression" in dicom.header:
        del dicom.header.LossyImageCompression
    result = transcode(dicom.header, frame, source=dicom.transfer_syntax, target=ExplicitVRLittleEndian)
    assert result.changes.LossyImageCompression == "01"
    assert result.changes.PhotometricInterpretation == "RGB"


@pytest.mark.parametrize(
    ("name", "plain"), [("liver_rle", "liver"), ("liver_nonbyte_aligned_rle", "liver_nonbyte_aligned")]
)
def test_run_length_encoded_bits(name: str, plain: str) -> None:
    folder = SHARED / "dicom" / "pydicom-data"
    if not folder.is_dir():
        pytest.skip("the files lie beside the project")
    encoded = open_object(io.BytesIO((folder / f"{plain}_rle.dcm").read_bytes()))
    native = open_object(io.BytesIO((folder / f"{plain}.dcm").read_bytes()))
    for frame, expected in zip(encoded.iter_frames(), native.iter_frames(), strict=True):
        result = transcode(encoded.header, frame, source=encoded.transfer_syntax, target=ExplicitVRLittleEndian)
        assert result.frame == expected


@given(st.binary(max_size=200), st.sampled_from([*CODECS, ExplicitVRLittleEndian]))
@settings(max_examples=60, deadline=None)
def test_damaged_frames_are_named(frame: bytes, target: UID) -> None:
    header = header_for(np.zeros((16, 16), np.uint16))
    with pytest.raises((Unreadable, CannotTranscode)):
        transcode(header, frame, source=UID("1.2.840.10008.1.2.4.90"), target=target)
        raise CannotTranscode  # .90 to .90 hands the frame through


@pytest.mark.parametrize("keyword", ["Rows", "Columns", "BitsAllocated", "SamplesPerPixel", "PixelRepresentation"])
@pytest.mark.parametrize("value", [None, [1, 2], 0])
def test_headers_that_make_no_sense_are_refused(keyword: str, value: Any) -> None:
    header = header_for(np.zeros((4, 4), np.uint16))
    header[keyword].value = value
    targets(header, ExplicitVRLittleEndian)
    if keyword in ("SamplesPerPixel", "PixelRepresentation") and not isinstance(value, list):
        return
    with pytest.raises((Unreadable, CannotTranscode)):
        transcode(header, b"\0" * 32, source=ExplicitVRLittleEndian, target=HTJ2KLossless)
