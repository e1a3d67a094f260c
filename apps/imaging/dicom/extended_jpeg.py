"""A pydicom decoder plug-in for 12-bit JPEG Extended (1.2.840.10008.1.2.4.51).

PS3.5 section A.4.1: lossy JPEG of ISO/IEC 10918-1 processes 2 and 4, of which Pillow and GDCM decode only 8 bits.
libjpeg-turbo, through imagecodecs, decodes both.
"""

from __future__ import annotations

import imagecodecs
import numpy as np
from pydicom.pixels import get_decoder
from pydicom.pixels.decoders.base import DecodeRunner
from pydicom.uid import JPEGExtended12Bit

DECODER_DEPENDENCIES = {JPEGExtended12Bit: ("imagecodecs",)}
"""Packages that pydicom names if the plug-in is unavailable."""
LABEL = "imagecodecs"
END_OF_IMAGE = b"\xff\xd9"


def is_available(uid: str) -> bool:
    """Return whether a transfer syntax can be decoded; called by pydicom for every plug-in."""
    return uid == JPEGExtended12Bit and bool(imagecodecs.JPEG8.available)


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
    image = np.asarray(imagecodecs.jpeg8_decode(source))
    expected = (runner.rows, runner.columns, runner.samples_per_pixel)
    if image.size != expected[0] * expected[1] * expected[2]:
        raise ValueError(f"decoded {image.shape}, expected {expected}")
    runner.set_option("bits_allocated", image.dtype.itemsize * 8)
    return image.astype(image.dtype.newbyteorder("<")).tobytes()


def register() -> None:
    """Register the plug-in with pydicom, after its built-in ones; idempotent."""
    decoder = get_decoder(JPEGExtended12Bit)
    if LABEL not in decoder.available_plugins:
        decoder.add_plugin(LABEL, (__name__, "decode_frame"))
