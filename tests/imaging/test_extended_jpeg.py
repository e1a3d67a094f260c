"""JPEG Extended with 12 bits: pydicom's own test files, against DCMTK."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.pixels import get_decoder
from pydicom.uid import JPEGExtended12Bit

from apps.imaging.dicom import extended_jpeg
from apps.imaging.dicom.parser import Unreadable, open_object
from apps.imaging.dicom.pixels import decode_frame
from tests import binaries

FILES = ("JPEG-lossy.dcm", "JPGExtended.dcm")


def _decoded(content: bytes, damage: Any = bytes) -> Any:
    found = open_object(io.BytesIO(content))
    assert found.transfer_syntax == JPEGExtended12Bit
    (frame,) = found.iter_frames()
    return decode_frame(found.header, damage(frame), transfer_syntax=found.transfer_syntax, pixel_tag=found.pixel_tag)


@pytest.mark.needs("dcmdjpeg")
@pytest.mark.parametrize("name", FILES)
def test_frames_equal_those_of_dcmtk(name: str, tmp_path: Path) -> None:
    file = Path(str(get_testdata_file(name)))
    plain = tmp_path / "plain.dcm"
    program = binaries.require("dcmdjpeg")
    subprocess.run([program, "--conv-never", str(file), str(plain)], check=True, capture_output=True)
    expected = pydicom.dcmread(plain).pixel_array
    found = _decoded(file.read_bytes())
    assert found.shape == (1024, 256) and found.dtype == np.uint16 and found.max() > 255
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("kept", [200, 0.5])
def test_a_damaged_frame_is_refused(kept: float) -> None:
    content = Path(str(get_testdata_file(FILES[0]))).read_bytes()
    with pytest.raises(Unreadable, match="undecodable"):
        _decoded(content, damage=lambda frame: frame[: kept if kept > 1 else int(len(frame) * kept)])


def test_a_header_of_another_size_is_refused() -> None:
    content = Path(str(get_testdata_file(FILES[0]))).read_bytes()
    found = open_object(io.BytesIO(content))
    (frame,) = found.iter_frames()
    found.header.SamplesPerPixel = 3
    with pytest.raises(Unreadable, match="undecodable"):
        decode_frame(found.header, frame, transfer_syntax=found.transfer_syntax, pixel_tag=found.pixel_tag)


def test_the_plug_in_is_registered_once_and_for_this_syntax_alone() -> None:
    extended_jpeg.register()
    extended_jpeg.register()
    assert get_decoder(JPEGExtended12Bit).available_plugins.count(extended_jpeg.LABEL) == 1
    assert not extended_jpeg.is_available("1.2.840.10008.1.2.4.50")
