"""Every DICOM file there is: what is read frame by frame equals what pydicom reads at once."""

from __future__ import annotations

import io
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pydicom
import pytest
from django.db import transaction
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate_extended, generate_frames
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, RLELossless

from apps.accounts.models import CareTeam
from apps.imaging.dicom.parser import DicomObject, Unreadable, open_object
from apps.imaging.dicom.pixels import decode_frame, grey_frame
from apps.imaging.models import Outcome, QuarantinedFile
from apps.imaging.queries import frame_bytes, header_of, open_file
from apps.protection import keys
from apps.protection.containers import SealedContainer
from tests.conftest import SHARED
from tests.factories import film_file, take_in

INSTALLED = Path(pydicom.__file__).parent / "data"
ROOTS = {"pydicom": INSTALLED, "data": SHARED / "dicom", "cases": SHARED.parent / "cases" / "dicom"}
FILES = sorted(
    f"{name}:{path.relative_to(root)}"
    for name, root in ROOTS.items()
    if root.is_dir()
    for path in root.rglob("*")
    if path.is_file() and path.suffix not in (".py", ".json", ".jsonl", ".md", ".txt", ".pyc")
)
UNDECODABLE = {
    "JPEG-lossy.dcm",  # 12-bit JPEG Extended
    "JPEG2000-embedded-sequence-delimiter.dcm",
    "emri_small_jpeg_2k_lossless_too_short.dcm",
    "liver_nonbyte_aligned_rle.dcm",  # RLE of single bits
    "liver_rle.dcm",
}
"""Files that pydicom itself cannot decode with the installed plug-ins."""
STORED_ONLY = {
    "badVR.dcm": "bad_dimensions",
    "meta_missing_tsyntax.dcm": "bad_dimensions",
    "nested_priv_SQ.dcm": "bad_dimensions",
    "liver_deflate.dcm": "unsupported_transfer_syntax",
    "liver_nonbyte_aligned_deflate.dcm": "unsupported_transfer_syntax",
}
"""Files with a pixel element that no frame can be read from, and why."""


def path_of(name: str) -> Path:
    root, _colon, relative = name.partition(":")
    return ROOTS[root] / relative


def decoded(dicom: DicomObject) -> np.ndarray:
    """All frames; each is decoded before the next is read, as ingest does."""
    frames = [
        decode_frame(dicom.header, frame, transfer_syntax=dicom.transfer_syntax, pixel_tag=dicom.pixel_tag)
        for frame in dicom.iter_frames()
    ]
    return np.stack(frames) if dicom.frames > 1 else frames[0]


def reference(path: Path, syntax: UID) -> Dataset:
    dataset = pydicom.dcmread(path, force=True)
    if "TransferSyntaxUID" not in getattr(dataset, "file_meta", {}):
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = syntax
    return dataset


@pytest.mark.parametrize("name", FILES)
def test_every_file_comes_back_as_pydicom_reads_it(name: str) -> None:
    path = path_of(name)
    with path.open("rb") as stream:
        try:
            dicom = open_object(stream)
        except Unreadable:
            with pytest.raises(Exception):  # noqa: B017 - what is refused has no pixels for pydicom either
                _ = pydicom.dcmread(path).pixel_array
            return
        frames_told = dicom.header.get("NumberOfFrames")
        if path.name in UNDECODABLE or not dicom.frames:
            assert len(list(dicom.iter_frames())) == dicom.frames
            assert (
                dicom.frames
                or dicom.layout.problem in (STORED_ONLY.get(path.name), "pixels_missing")
                or not dicom.pixel_tag
            )
            return
        whole = reference(path, dicom.transfer_syntax).pixel_array
        pixels = decoded(dicom)
        assert pixels.dtype == whole.dtype.newbyteorder("=")
        assert np.array_equal(pixels, whole, equal_nan=pixels.dtype.kind == "f")
        assert dicom.header.get("NumberOfFrames") == frames_told


@pytest.mark.parametrize("name", FILES)
def test_stored_bytes_are_the_files_own(name: str) -> None:
    """Fragments of compressed files, and whole native frames where they start on a byte of their own."""
    path = path_of(name)
    with path.open("rb") as stream:
        try:
            dicom = open_object(stream)
        except Unreadable:
            return
        frames = list(dicom.iter_frames())
        if not frames:
            return
        own = reference(path, dicom.transfer_syntax).get(dicom.pixel_tag)
    if own is None:
        assert path.name in UNDECODABLE
    elif dicom.transfer_syntax.is_compressed:
        expected = list(generate_frames(own.value, number_of_frames=dicom.frames))[: dicom.frames]
        assert frames == expected
    elif dicom.header.BitsAllocated >= 8:
        content = b"".join(frames)
        if own.VR == "OW" and dicom.header.BitsAllocated == 8 and not dicom.transfer_syntax.is_little_endian:
            content += b"\0" * (len(content) % 2)
            content = np.frombuffer(content, "<u2").byteswap().tobytes()[: len(content) // 2 * 2]
            assert own.value[: len(content) - 2] == content[:-2]
        else:
            assert own.value[: len(content)] == content and len(content) > 0


def test_what_came_in_goes_out(team: CareTeam) -> None:
    """Every byte of every file that has identifiers is stored, or else held or refused with a reason."""
    for name in FILES:
        with transaction.atomic():  # each file is judged alone: many share identifiers
            check_what_goes_out(path_of(name).read_bytes(), team, name)
            transaction.set_rollback(True)
        keys.forget()


def check_what_goes_out(content: bytes, team: CareTeam, name: str) -> None:
    received = take_in(content, team)
    if received.outcome == Outcome.HELD:
        (held,) = QuarantinedFile.objects.all()
        with SealedContainer(held.blob, holder=held.key_holder) as file:
            assert file.read() == content, name
    elif received.instance is None:
        assert received.code in {"not_dicom", "media_directory", "truncated", "missing_uid"}, name
    else:
        with open_file(received.instance) as file:
            assert file.read() == content and b"".join(file.pieces()) == content, name
        assert received.instance.size == len(content)
        assert header_of(received.instance) == open_object(io.BytesIO(content)).header, name


def multiframe(syntax: UID, *, bits: int, shape: tuple[int, ...], vr: str = "OB") -> tuple[bytes, np.ndarray]:
    """A native multi-frame file of random samples, and the samples."""
    generator = np.random.default_rng(7)
    high = 2 if bits == 1 else 2**bits
    samples = generator.integers(0, high, shape, dtype=np.uint8 if bits <= 8 else np.uint16)
    if bits == 1:
        content = np.packbits(samples.ravel(), bitorder="little").tobytes()
    else:
        content = samples.astype(samples.dtype.newbyteorder("<" if syntax.is_little_endian else ">")).tobytes()
    content += b"\0" * (len(content) % 2)
    if vr == "OW" and bits == 8 and not syntax.is_little_endian:
        content = np.frombuffer(content, "<u2").byteswap().tobytes()
    dataset = pydicom.dcmread(io.BytesIO(film_file(size=64)))
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = shape[:3]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    if len(shape) == 4:
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
    dataset.add_new("PixelData", vr, content)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, implicit_vr=False, little_endian=syntax.is_little_endian, force_encoding=True)
    return buffer.getvalue(), samples


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("vr", ["OB", "OW"])
@pytest.mark.parametrize(
    ("bits", "shape"),
    [
        (8, (4, 64, 64)),
        (8, (3, 5, 7)),  # odd frames lie back to back without padding
        (8, (3, 5, 3, 3)),
        (16, (3, 5, 7)),
        (1, (5, 3, 3)),
    ],
)
def test_native_frames_of_every_length_come_back(
    syntax: UID, vr: str, bits: int, shape: tuple[int, ...], team: CareTeam
) -> None:
    if bits == 1 and not syntax.is_little_endian and vr == "OW":
        pytest.skip("pydicom writes no swapped words of single bits")
    if bits == 16 and vr == "OB":
        pytest.skip("16 bits are words")
    content, samples = multiframe(syntax, bits=bits, shape=shape, vr=vr)
    assert np.array_equal(decoded(open_object(io.BytesIO(content))), samples)
    instance = take_in(content, team).instance
    assert instance is not None and instance.frames == shape[0]
    stored = [frame_bytes(instance, number + 1) for number in range(shape[0])]
    if bits == 8:
        assert stored == [frame.tobytes() for frame in samples]
    assert len({len(frame) for frame in stored}) == 1


def test_a_callers_changes_to_the_header_cost_no_pixels() -> None:
    content, samples = multiframe(ExplicitVRLittleEndian, bits=8, shape=(4, 6, 6))
    dicom = open_object(io.BytesIO(content))
    dicom.header.NumberOfFrames = 1
    dicom.header.Rows = 1
    assert b"".join(dicom.iter_frames()) == samples.tobytes()


def test_an_extended_offset_table_parts_frames_of_several_fragments() -> None:
    frames = [bytes([number]) * (8 + number) * 2 for number in range(3)]
    dataset = pydicom.dcmread(io.BytesIO(film_file(size=64)))
    dataset.file_meta.TransferSyntaxUID = RLELossless
    dataset.NumberOfFrames = 3
    content, offsets, lengths = encapsulate_extended(frames)
    dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = offsets, lengths
    dataset.add_new("PixelData", "OB", content)
    dataset["PixelData"].is_undefined_length = True
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    read = list(open_object(io.BytesIO(buffer.getvalue())).iter_frames())
    assert all(mine == frame for mine, frame in zip_longest(read, frames))


def shown(values: list[list[int]], **attributes: object) -> np.ndarray:
    """A tiny grey film as :func:`grey_frame` renders it, from 0 for its darkest to 1 for its brightest pixel."""
    array = np.array(values, dtype="<i2" if attributes.get("PixelRepresentation") else "<u2")
    header = pydicom.dcmread(io.BytesIO(film_file(size=64)), stop_before_pixels=True)
    for keyword in ("WindowCenter", "WindowWidth", "VOILUTFunction", "RescaleSlope", "RescaleIntercept"):
        if keyword in header:
            delattr(header, keyword)
    header.Rows, header.Columns = array.shape
    header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 16, 16, 15, 0
    header.PhotometricInterpretation = "MONOCHROME2"
    for keyword, value in attributes.items():
        setattr(header, keyword, value)
    grey = grey_frame(
        header, array.tobytes(), transfer_syntax=ExplicitVRLittleEndian, pixel_tag=pydicom.tag.Tag("PixelData")
    )
    return (grey - grey.min()) / (grey.max() - grey.min())


RAMP = [[0, 100, 200, 300, 400]]
WINDOW = {"WindowCenter": 200, "WindowWidth": 200}


@pytest.mark.parametrize(
    ("attributes", "right"),
    [
        ({}, [0, 0.25, 0.5, 0.75, 1]),
        (WINDOW, [0, 0.0025, 0.505, 1, 1]),  # PS3.3 C.11.2.1.2.1
        ({**WINDOW, "VOILUTFunction": "LINEAR"}, [0, 0.0025, 0.505, 1, 1]),
        ({**WINDOW, "VOILUTFunction": "LINEAR_EXACT"}, [0, 0, 0.5, 1, 1]),
        ({**WINDOW, "VOILUTFunction": "SIGMOID"}, [0, 0.104, 0.5, 0.896, 1]),
        ({"WindowCenter": [200, 9000], "WindowWidth": [200, 10]}, [0, 0.0025, 0.505, 1, 1]),
        ({"PhotometricInterpretation": "MONOCHROME1"}, [1, 0.75, 0.5, 0.25, 0]),
        ({"PhotometricInterpretation": "MONOCHROME1", **WINDOW}, [1, 0.9975, 0.495, 0, 0]),
        ({**WINDOW, "WindowWidth": 0, "RescaleSlope": -1, "RescaleIntercept": 0}, [1, 0.75, 0.5, 0.25, 0]),
    ],
)
def test_grey_frames_follow_the_window_of_the_file(attributes: dict[str, object], right: list[float]) -> None:
    assert shown(RAMP, **attributes)[0] == pytest.approx(right, abs=0.006)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_dark_and_counts_in_no_range(photometric: str) -> None:
    grey = shown([[63000, 100, 200, 63001]], PhotometricInterpretation=photometric, PixelPaddingValue=63000,
                 PixelPaddingRangeLimit=63001)  # fmt: skip
    bright, dark = (1, 2) if photometric == "MONOCHROME1" else (2, 1)
    assert grey[0, bright] == 1 and grey[0, dark] == 0 and grey[0, 0] == grey[0, 3] == 0


def test_the_sign_of_twelve_bits_is_extended() -> None:
    grey = shown([[0x0800, 0x0FFF, 0, 0x07FF]], BitsStored=12, HighBit=11, PixelRepresentation=1)
    assert list(grey[0]) == sorted(grey[0]) and grey[0, 0] == 0 and grey[0, 3] == 1
