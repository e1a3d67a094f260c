"""Lossless conversion of a stored frame to another transfer syntax, for DICOMweb clients that ask for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import imagecodecs
import numpy as np
from pydicom import Dataset
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.tag import BaseTag
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSLossless,
    RLELossless,
)

from apps.imaging.dicom.native import NativeLayout
from apps.imaging.dicom.parser import Unreadable
from apps.imaging.dicom.pixel_layout import is_decodable
from apps.imaging.dicom.pixels import Pixels, decode_samples

PIXEL_DATA = BaseTag(0x7FE00010)
_LOSSY = frozenset({*(f"1.2.840.10008.1.2.4.{end}" for end in ("50", "51", "81"))})
"""Syntaxes that are lossy whatever the frame; of .91 and the like only the header can tell."""
_DISCRETE_COSINE = frozenset({JPEGBaseline8Bit, JPEGExtended12Bit})
"""JPEG that codes colour as YBR; it is decoded to RGB as its viewers do, since nothing exact is lost by that."""
_ONE_SAMPLE = frozenset({"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"})


class CannotTranscode(ValueError):
    """A conversion that would not be exact, or that the target has no form for: 406."""


@dataclass(frozen=True)
class Transcoded:
    """A frame in its new transfer syntax.

    Attributes:
        frame: native little-endian samples, or one compressed image without fragment delimiters; not padded.
        changes: header elements that differ from the stored object's, such as Photometric Interpretation.
    """

    frame: bytes
    changes: Dataset


def targets(header: Dataset, source: UID, *, pixel_tag: BaseTag = PIXEL_DATA) -> frozenset[str]:
    """Return the transfer syntaxes that :func:`transcode` offers for an object, judged by its header."""
    if not is_decodable(source):
        return frozenset()
    offered = {ExplicitVRLittleEndian, *(target for target in _CODECS if _has_form(header, source, target, pixel_tag))}
    return frozenset(str(target) for target in offered - {source})


def transcode(
    header: Dataset, frame: bytes, *, source: UID, target: UID, pixel_tag: BaseTag = PIXEL_DATA
) -> Transcoded:
    """Convert one frame.

    Native frames are never converted in colour; YBR_FULL_422 is resampled to YBR_FULL only for a codec, by repeating
    each pair's chroma, which the reverse step restores. A compressed result is decoded again and compared.

    Args:
        header: the stored object's Image Pixel module; is not changed.
        frame: as stored, see :meth:`~apps.imaging.dicom.parser.DicomObject.iter_frames`.
        target: Explicit VR Little Endian, or lossless HTJ2K, JPEG-LS, JPEG 2000 or RLE.

    Raises:
        CannotTranscode: if the result would not be exact or the target has no form for such pixels.
        Unreadable: ``undecodable``, ``bad_dimensions``.
    """
    if source == target:
        return Transcoded(frame, Dataset())
    if target == ExplicitVRLittleEndian:
        return _to_native(header, frame, source, pixel_tag)
    codec = _CODECS.get(target)
    if codec is None:
        raise CannotTranscode(f"frames are not encoded as {target}")
    if not _has_form(header, source, target, pixel_tag):
        raise CannotTranscode(f"{target.name} has no form for such pixels")
    samples, photometric = _samples(header, frame, source, pixel_tag)
    if samples.dtype.itemsize * 8 not in codec.bits:
        raise CannotTranscode(f"{target.name} has no form for such pixels")
    encoded = codec.encode_exactly(_sign_extended(header, samples))
    return Transcoded(encoded, _changes(header, source, samples, codec.colours.get(photometric, photometric)))


def _has_form(header: Dataset, source: UID, target: UID, pixel_tag: BaseTag) -> bool:
    """Return whether a codec takes such pixels, judged by their header."""
    try:
        samples, bits = _whole(header, "SamplesPerPixel", 1), _whole(header, "BitsAllocated")
    except Unreadable:
        return False
    codec = _CODECS[target]
    if pixel_tag != PIXEL_DATA or bits not in codec.bits:
        return False
    if samples == 1:
        return str(header.get("PhotometricInterpretation", "")) in _ONE_SAMPLE
    return samples == 3 and _decoded_colour(header, source) in codec.colours


def _decoded_colour(header: Dataset, source: UID) -> str:
    """Return the photometric interpretation of the samples that a codec is given."""
    photometric = str(header.get("PhotometricInterpretation", ""))
    if source in _DISCRETE_COSINE or photometric in ("YBR_RCT", "YBR_ICT"):
        return "RGB"
    return "YBR_FULL" if photometric == "YBR_FULL_422" else photometric


def _whole(header: Dataset, keyword: str, default: int | None = None) -> int:
    """Return a whole number of the Image Pixel module.

    Raises:
        Unreadable: ``bad_dimensions`` if it is missing without a default, or no number.
    """
    value = header.get(keyword)
    if default is not None and value in (None, ""):
        return default
    if not isinstance(value, int):
        raise Unreadable("bad_dimensions")
    return int(value)


def _to_native(header: Dataset, frame: bytes, source: UID, pixel_tag: BaseTag) -> Transcoded:
    if not source.is_compressed:
        return Transcoded(_little_endian(header, frame, source), Dataset())
    samples, photometric = _decoded(header, frame, source, pixel_tag)
    if _whole(header, "BitsAllocated") == 1:
        bits = np.packbits(samples.astype(np.uint8, copy=False), axis=None, bitorder="little")
        return Transcoded(bits.tobytes(), Dataset())
    content = samples.astype(samples.dtype.newbyteorder("<"), copy=False).tobytes()
    return Transcoded(content, _changes(header, source, samples, photometric))


def _little_endian(header: Dataset, frame: bytes, source: UID) -> bytes:
    size = _whole(header, "BitsAllocated") // 8
    if source != ExplicitVRBigEndian or size < 2:
        return frame
    if size not in (2, 4, 8) or len(frame) % size:
        raise Unreadable("undecodable")
    return np.frombuffer(frame, f">u{size}").astype(f"<u{size}").tobytes()


def _samples(header: Dataset, frame: bytes, source: UID, pixel_tag: BaseTag) -> tuple[Pixels, str]:
    """Return a frame's samples, colour by pixel, and their photometric interpretation."""
    if source.is_compressed:
        return _decoded(header, frame, source, pixel_tag)
    return _native_samples(header, _little_endian(header, frame, source))


def _decoded(header: Dataset, frame: bytes, source: UID, pixel_tag: BaseTag) -> tuple[Pixels, str]:
    as_rgb = source in _DISCRETE_COSINE
    return decode_samples(header, frame, transfer_syntax=source, pixel_tag=pixel_tag, as_rgb=as_rgb)


def _native_samples(header: Dataset, frame: bytes) -> tuple[Pixels, str]:
    rows, columns, samples = _whole(header, "Rows"), _whole(header, "Columns"), _whole(header, "SamplesPerPixel", 1)
    photometric, bits = str(header.PhotometricInterpretation), _whole(header, "BitsAllocated")
    if rows < 1 or columns < 1:
        raise Unreadable("bad_dimensions")
    layout = NativeLayout.of(
        rows=rows, columns=columns, samples=samples, bits=bits, photometric=photometric, frames=1, word_swapped=False
    )
    if len(frame) < layout.frame_bytes:
        raise Unreadable("undecodable")
    kind = "i" if _whole(header, "PixelRepresentation", 0) == 1 else "u"
    values = np.frombuffer(frame[: layout.frame_bytes], f"<{kind}{bits // 8}")
    if samples == 1:
        return values.reshape(rows, columns), photometric
    if photometric == "YBR_FULL_422":
        return _resampled(values, rows, columns), "YBR_FULL"
    if _whole(header, "PlanarConfiguration", 0) == 1:
        return np.ascontiguousarray(values.reshape(samples, rows, columns).transpose(1, 2, 0)), photometric
    return values.reshape(rows, columns, samples), photometric


def _resampled(values: Pixels, rows: int, columns: int) -> Pixels:
    """Repeat the chroma of native YBR_FULL_422 (Y, Y, Cb, Cr) for both pixels, PS3.3 section C.7.6.3.1.2."""
    if columns % 2:
        raise CannotTranscode("YBR_FULL_422 with an odd number of columns")
    pairs = values.reshape(rows, columns // 2, 4)
    full = np.empty((rows, columns, 3), values.dtype)
    full[:, 0::2, 0], full[:, 1::2, 0] = pairs[..., 0], pairs[..., 1]
    full[..., 1] = np.repeat(pairs[..., 2], 2, axis=1)
    full[..., 2] = np.repeat(pairs[..., 3], 2, axis=1)
    return full


def _sign_extended(header: Dataset, samples: Pixels) -> Pixels:
    """Extend the sign of samples that are stored without: a decoder takes a codec's samples as they are.

    Raises:
        CannotTranscode: if the bits above the sign hold an overlay (PS3.5 section 8.1.2, retired).
    """
    depth = samples.dtype.itemsize * 8
    spare = depth - _whole(header, "BitsStored", depth)
    if samples.dtype.kind != "i" or not 0 < spare < depth:
        return samples
    extended: Pixels = np.right_shift(np.left_shift(samples, spare), spare)  # type: ignore[call-overload]
    embedded = any(tag.group >> 8 == 0x60 and tag.element == 0x0102 and header[tag].value for tag in header.keys())  # noqa: SIM118
    if embedded and not np.array_equal(extended, samples):
        raise CannotTranscode("an overlay lies in the bits above the sign")
    return extended


def _changes(header: Dataset, source: UID, samples: Pixels, photometric: str) -> Dataset:
    changes = Dataset()
    if photometric != header.get("PhotometricInterpretation"):
        changes.PhotometricInterpretation = photometric
    if samples.ndim == 3 and header.get("PlanarConfiguration") != 0:
        changes.PlanarConfiguration = 0
    if samples.dtype.itemsize * 8 != header.BitsAllocated:
        changes.BitsAllocated = samples.dtype.itemsize * 8
    if source in _LOSSY and header.get("LossyImageCompression") != "01":
        changes.LossyImageCompression = "01"
    return changes


@dataclass(frozen=True)
class _Codec:
    """A lossless codec.

    Attributes:
        colours: photometric interpretations of three samples that it takes, and what they are called when encoded.
        unsigned: it knows no signed samples and gets their bits.
    """

    encode: Callable[[Pixels], bytes | bytearray]
    decode: Callable[[bytes, Pixels], Any]
    bits: frozenset[int]
    colours: Mapping[str, str] = field(default_factory=lambda: {"RGB": "RGB", "YBR_FULL": "YBR_FULL"})
    unsigned: bool = False

    def encode_exactly(self, samples: Pixels) -> bytes:
        """Encode at the full depth of Bits Allocated, since old objects keep overlays above Bits Stored.

        Raises:
            CannotTranscode: if decoding does not give the samples back.
        """
        given = samples.copy(order="C")  # a view of one row or column keeps strides that encoders stumble over
        if self.unsigned:
            given = given.view(f"u{given.dtype.itemsize}")
        try:
            encoded = bytes(self.encode(given))
            restored = np.asarray(self.decode(encoded, given))
        except (ValueError, RuntimeError, TypeError) as error:
            raise CannotTranscode("the encoder refuses such pixels") from error
        if restored.size != given.size or not np.array_equal(restored.reshape(given.shape), given):
            raise CannotTranscode("the encoded frame would not be exact")
        return encoded


def _encode_rle(samples: Pixels) -> bytes:
    """Encode by planes of bytes, PS3.5 annex G; not by GDCM, which ends the process on one column of 16 bits."""
    colour = samples.ndim == 3
    return RLELosslessEncoder.encode(
        samples,
        rows=samples.shape[0],
        columns=samples.shape[1],
        samples_per_pixel=3 if colour else 1,
        planar_configuration=0,
        photometric_interpretation="RGB" if colour else "MONOCHROME2",
        bits_allocated=samples.dtype.itemsize * 8,
        bits_stored=samples.dtype.itemsize * 8,
        pixel_representation=0,
        number_of_frames=1,
        encoding_plugin="pylibjpeg",
    )


def _decode_rle(encoded: bytes, samples: Pixels) -> Pixels:
    padded = np.frombuffer(imagecodecs.dicomrle_decode(encoded, samples.dtype), samples.dtype)
    planes = padded[: samples.size].reshape(-1, *samples.shape[:2])
    return planes.transpose(1, 2, 0) if samples.ndim == 3 else planes


_CODECS = {
    HTJ2KLossless: _Codec(
        lambda samples: imagecodecs.htj2k_encode(samples, reversible=True),
        lambda encoded, _: imagecodecs.htj2k_decode(encoded),
        frozenset({8, 16}),  # OpenJPEG, which most clients decode with, reads no more
        {"RGB": "YBR_RCT"},  # browsers' OpenJPH mixes up components that no transformation binds together
    ),
    JPEGLSLossless: _Codec(
        lambda samples: imagecodecs.jpegls_encode(samples, out=2 * samples.nbytes + 4_096),  # noise does not shrink
        lambda encoded, _: imagecodecs.jpegls_decode(encoded),
        frozenset({8, 16}),
        unsigned=True,
    ),
    JPEG2000Lossless: _Codec(
        lambda samples: imagecodecs.jpeg2k_encode(samples, level=0, codecformat="j2k", reversible=True, mct=False),
        lambda encoded, _: imagecodecs.jpeg2k_decode(encoded),
        frozenset({8, 16}),
    ),
    RLELossless: _Codec(
        _encode_rle,
        _decode_rle,
        frozenset({8, 16}),
        unsigned=True,
    ),
}
