"""A pydicom decoder plug-in for lossless JPEG (PS3.5 section A.4.2), which none of pydicom's installed ones decodes.

python-gdcm would, but is not installed: its C++ exceptions end the process when its wrapper lets one through, for
instance for a JPEG 2000 frame with another number of components than the header says.
"""

from __future__ import annotations

import imagecodecs
import numpy as np
from pydicom.pixels import get_decoder
from pydicom.pixels.decoders.base import DecodeRunner
from pydicom.uid import JPEGLossless, JPEGLosslessSV1

from apps.imaging.dicom.extended_jpeg import END_OF_IMAGE

DECODER_DEPENDENCIES = {JPEGLossless: ("imagecodecs",), JPEGLosslessSV1: ("imagecodecs",)}
"""Packages that pydicom names if the plug-in is unavailable."""
LABEL = "imagecodecs"


def is_available(uid: str) -> bool:
    """Return whether a transfer syntax can be decoded; called by pydicom for every plug-in."""
    return uid in DECODER_DEPENDENCIES and bool(imagecodecs.JPEG8.available)


def decode_frame(source: bytes, runner: DecodeRunner) -> bytes:
    """Decode one frame without colour conversion.

    Returns:
        Little-endian samples, pixel by pixel; one byte each up to 8 bits, else two.

    Raises:
        ValueError: if the image is truncated, which libjpeg fills with grey, or its number of samples differs from the
            header's.
        imagecodecs.Jpeg8Error: for any other damage.
    """
    if not source.rstrip(b"\0\xff").endswith(END_OF_IMAGE):  # fill bytes may follow
        raise ValueError("the image has no end marker")
    as_coded = "RGB" if runner.samples_per_pixel == 3 else None
    image = np.asarray(imagecodecs.jpeg8_decode(source, colorspace=as_coded, outcolorspace=as_coded))
    expected = (runner.rows, runner.columns, runner.samples_per_pixel)
    if image.size != expected[0] * expected[1] * expected[2]:
        raise ValueError(f"decoded {image.shape}, expected {expected}")
    runner.set_option("bits_allocated", image.dtype.itemsize * 8)
    runner.set_option("planar_configuration", 0)
    return image.astype(image.dtype.newbyteorder("<")).tobytes()


def register() -> None:
    """Register the plug-in with pydicom, after its built-in ones; idempotent."""
    for uid in DECODER_DEPENDENCIES:
        decoder = get_decoder(uid)
        if LABEL not in decoder.available_plugins:
            decoder.add_plugin(LABEL, (__name__, "decode_frame"))
