"""The kernel against pydicom and against garbage."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file

from apps.imaging.dicom.attributes import read_attributes
from apps.imaging.dicom.codestream import declared_size
from apps.imaging.dicom.layout import Layout
from apps.imaging.dicom.parser import Unreadable, open_object, open_stored
from apps.imaging.dicom.pixels import decode_frame
from apps.synthetic.radiograph import PATTERNS, draw_film
from tests import binaries
from tests.factories import film_file

FILES = [
    "CT_small.dcm",
    "MR_small.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_RLE.dcm",
    "JPEG2000.dcm",
    "image_dfl.dcm",
    "SC_rgb_rle_2frame.dcm",
    "rtdose_expb.dcm",
    "liver_1frame.dcm",
]


def local(name: str) -> Path:
    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.skip(f"pydicom does not install {name}")
    return Path(path)


@pytest.mark.parametrize("name", FILES)
def test_frames_equal_pydicoms(name: str) -> None:
    path = local(name)
    whole = pydicom.dcmread(path).pixel_array
    with path.open("rb") as stream:
        dicom = open_object(stream)
        frames = [
            decode_frame(dicom.header, frame, transfer_syntax=dicom.transfer_syntax, pixel_tag=dicom.pixel_tag)
            for frame in dicom.iter_frames()
        ]
    assert np.array_equal(np.stack(frames) if dicom.frames > 1 else frames[0], whole)


def test_a_layout_survives_storage() -> None:
    for name in FILES:
        with local(name).open("rb") as stream:
            dicom = open_object(stream)
            again = open_stored(stream, Layout.from_bytes(dicom.layout.to_bytes()))
            assert again.layout == dicom.layout and again.header == dicom.header
            assert list(again.iter_frames()) == list(dicom.iter_frames())


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 6000), st.binary(min_size=1, max_size=8))
def test_damage_never_escapes_as_another_error(place: int, damage: bytes) -> None:
    content = bytearray(film_file(size=64))
    content[place : place + len(damage)] = damage
    try:
        dicom = open_object(io.BytesIO(bytes(content)))
        read_attributes(dicom.header)
        for frame in dicom.iter_frames():
            decode_frame(dicom.header, frame, transfer_syntax=dicom.transfer_syntax, pixel_tag=dicom.pixel_tag)
    except Unreadable as problem:
        assert problem.code


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 9000))
def test_a_file_cut_anywhere_is_refused_or_known_to_lack_its_pixels(length: int) -> None:
    content = film_file(size=64)
    try:
        dicom = open_object(io.BytesIO(content[: min(length, len(content) - 1)]))
    except Unreadable:
        return
    # Cut between two elements: nothing tells, unless the header describes an image already.
    assert not dicom.frames and ("BitsAllocated" not in dicom.header or dicom.layout.problem == "pixels_missing")


@given(st.binary(max_size=300))
def test_code_streams_of_any_content_are_looked_at_safely(content: bytes) -> None:
    starts = (b"\xff\xd8", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  ")
    for start in (b"", *starts):
        stream = start + content
        assert declared_size(stream) is None or stream.startswith(starts)


def test_declared_sizes_are_read() -> None:
    for name in ("JPEG2000.dcm", "JPEG-LL.dcm", "JPGExtended.dcm"):
        path = get_testdata_file(name, download=False)
        if path:
            with Path(path).open("rb") as stream:
                dicom = open_object(stream)
                size = declared_size(next(dicom.iter_frames()))
            assert size == (dicom.header.Rows, dicom.header.Columns)


def test_a_synthetic_film_is_reproducible_and_knows_its_opacity() -> None:
    for pattern in PATTERNS:
        film = draw_film(5, pattern=pattern, size=128)
        assert np.array_equal(film.pixels, draw_film(5, pattern=pattern, size=128).pixels)
        assert film.opacity.any() == (pattern != "normal")
        assert film.pixels.max() < 4096
    plain, sick = draw_film(5, size=128), draw_film(6, size=128)
    assert not np.array_equal(plain.pixels, sick.pixels)


@pytest.mark.parametrize("wrong", [{"pattern": "cloud"}, {"size": 32}])
def test_impossible_films_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        draw_film(1, **wrong)  # type: ignore[arg-type]


@pytest.mark.needs("dcmdump")
def test_dcmtk_reads_our_films(tmp_path: Path) -> None:
    import subprocess

    path = tmp_path / "film.dcm"
    path.write_bytes(film_file())
    told = subprocess.run([binaries.require("dcmdump"), str(path)], capture_output=True, text=True, check=True)
    assert "SYNTHETIC" in told.stdout and not told.stderr
