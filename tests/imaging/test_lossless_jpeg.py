"""Lossless JPEG against DCMTK, and decoders that never end the process."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.pixels import get_decoder
from pydicom.uid import UID, JPEG2000Lossless, JPEGLossless, JPEGLosslessSV1, JPEGLSLossless

from apps.imaging.dicom.parser import Unreadable, open_object
from apps.imaging.dicom.pixels import decode_frame, decode_samples
from apps.imaging.dicom.transcode import PIXEL_DATA
from tests import binaries
from tests.conftest import SHARED
from tests.imaging.test_transcode import header_for

FOLDER = SHARED / "dicom" / "pydicom-data"


def _files() -> list[Path]:
    names = ("JPEG-LL.dcm", "JPGLosslessP14SV1_1s_1f_8b.dcm", "bad_sequence.dcm")
    return [Path(str(get_testdata_file("SC_rgb_jpeg_gdcm.dcm"))), *(FOLDER / name for name in names)]


@pytest.mark.needs("dcmdjpeg")
@pytest.mark.parametrize("file", _files(), ids=lambda file: file.name)
def test_frames_equal_those_of_dcmtk(file: Path, tmp_path: Path) -> None:
    if not file.is_file():
        pytest.skip("the file lies beside the project")
    plain = tmp_path / "plain.dcm"
    program = binaries.require("dcmdjpeg")
    subprocess.run([program, "--conv-never", str(file), str(plain)], check=True, capture_output=True)
    dicom = open_object(io.BytesIO(file.read_bytes()))
    assert dicom.transfer_syntax in (JPEGLossless, JPEGLosslessSV1)
    frame = next(dicom.iter_frames())
    samples, _ = decode_samples(
        dicom.header, frame, transfer_syntax=dicom.transfer_syntax, pixel_tag=dicom.pixel_tag, as_rgb=False
    )
    assert np.array_equal(samples, pydicom.dcmread(plain).pixel_array)
    with pytest.raises(Unreadable):
        decode_frame(
            dicom.header, frame[: len(frame) // 2], transfer_syntax=dicom.transfer_syntax, pixel_tag=dicom.pixel_tag
        )


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("predictor", range(1, 8))
def test_every_predictor_and_depth(bits: int, predictor: int) -> None:
    depth = np.uint8 if bits == 8 else np.uint16
    array = np.random.default_rng(bits).integers(0, 2**bits, (13, 17)).astype(depth)
    frame = imagecodecs.jpeg8_encode(array, lossless=True, predictor=predictor, bitspersample=bits)
    header = header_for(array, BitsStored=bits, HighBit=bits - 1)
    assert np.array_equal(decode_frame(header, frame, transfer_syntax=JPEGLossless, pixel_tag=PIXEL_DATA), array)


def test_gdcm_decodes_nothing() -> None:
    """No dependency may bring it back: its C++ exceptions end the process."""
    for number in ("50", "51", "57", "70", "80", "81", "90", "91"):
        decoder = get_decoder(UID(f"1.2.840.10008.1.2.4.{number}"))
        assert decoder.available_plugins and "gdcm" not in decoder.available_plugins


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless, JPEGLosslessSV1])
def test_other_components_than_the_header_says_are_refused(syntax: UID) -> None:
    """The first ended the process in GDCM."""
    colour = np.zeros((8, 8, 3), np.uint8)
    encode = {
        JPEG2000Lossless: lambda: imagecodecs.jpeg2k_encode(colour, level=0, codecformat="j2k"),
        JPEGLSLossless: lambda: imagecodecs.jpegls_encode(colour),
        JPEGLosslessSV1: lambda: imagecodecs.jpeg8_encode(colour, lossless=True, predictor=1),
    }
    with pytest.raises(Unreadable):
        decode_frame(header_for(colour[..., 0]), encode[syntax](), transfer_syntax=syntax, pixel_tag=PIXEL_DATA)
