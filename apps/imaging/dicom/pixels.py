"""Decoding stored frames to arrays."""

from __future__ import annotations

import copy

import imagecodecs
import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.tag import BaseTag
from pydicom.uid import UID, ExplicitVRLittleEndian, RLELossless

from apps.imaging.dicom import extended_jpeg, lossless_jpeg
from apps.imaging.dicom.codestream import declared_size
from apps.imaging.dicom.parser import Unreadable

Pixels = npt.NDArray[np.generic]
extended_jpeg.register()
lossless_jpeg.register()


def decode_frame(header: Dataset, frame: bytes, *, transfer_syntax: UID, pixel_tag: BaseTag) -> Pixels:
    """Decode one frame to stored values.

    Args:
        header: the object's data set.
        frame: the frame's bytes as :meth:`DicomObject.iter_frames` yields them.

    Returns:
        (rows, columns) or (rows, columns, samples) in the stored type; colour as RGB.

    Raises:
        Unreadable: ``undecodable``, or ``bad_dimensions`` if the size declared by the compressed image differs
            from the header's by more than padding (a decompression bomb).
    """
    return decode_samples(header, frame, transfer_syntax=transfer_syntax, pixel_tag=pixel_tag)[0]


def decode_samples(
    header: Dataset, frame: bytes, *, transfer_syntax: UID, pixel_tag: BaseTag, as_rgb: bool = True
) -> tuple[Pixels, str]:
    """Decode one frame as :func:`decode_frame` does, on request without converting YBR_FULL to RGB.

    Returns:
        The samples and their photometric interpretation. A colour transformation that is part of the compression
        (YBR_RCT, YBR_ICT of JPEG 2000) is undone in any case.
    """
    try:
        _check_declared_size(header, frame)
        if transfer_syntax == RLELossless and header.BitsAllocated == 1:
            frame, transfer_syntax = _unpacked_bits(header, frame), ExplicitVRLittleEndian
        single = _single_frame(header, frame, transfer_syntax, pixel_tag)
        array, properties = get_decoder(transfer_syntax).as_array(single, raw=not as_rgb)
        return array.astype(array.dtype.newbyteorder("="), copy=False), str(properties["photometric_interpretation"])
    except Unreadable:
        raise
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # decoders raise anything on damaged input; a Rust panic is not an Exception
        raise Unreadable("undecodable") from error


def _unpacked_bits(header: Dataset, frame: bytes) -> bytes:
    """Decode a run-length encoded frame of single bits, which is coded in bytes of eight pixels; pydicom cannot."""
    content = bytes(imagecodecs.dicomrle_decode(frame, "u1"))
    length = (int(header.Rows) * int(header.Columns) + 7) // 8
    if len(content) < length:
        raise Unreadable("undecodable")
    return content[:length]


def _single_frame(header: Dataset, frame: bytes, transfer_syntax: UID, pixel_tag: BaseTag) -> Dataset:
    """Build a single-frame data set for pydicom's decoder; elements are copied, not shared with the caller's."""
    single = Dataset()
    single.update({tag: copy.deepcopy(header[tag]) for tag in header.keys() if tag.group == 0x0028})  # noqa: SIM118
    single.NumberOfFrames = 1
    single.SamplesPerPixel = int(single.get("SamplesPerPixel") or 1)
    single.setdefault("PhotometricInterpretation", "MONOCHROME2")
    single.file_meta = FileMetaDataset()
    single.file_meta.TransferSyntaxUID = transfer_syntax
    value = encapsulate([frame]) if transfer_syntax.is_compressed else frame + b"\0" * (len(frame) % 2)
    in_bytes = transfer_syntax.is_compressed or int(header.BitsAllocated) <= 8  # no 16-bit words to byte-swap
    vr = {0x7FE00008: "OF", 0x7FE00009: "OD"}.get(pixel_tag, "OB" if in_bytes else "OW")
    single.add_new(pixel_tag, vr, value)
    single[pixel_tag].is_undefined_length = transfer_syntax.is_compressed
    single.set_original_encoding(transfer_syntax.is_implicit_VR, transfer_syntax.is_little_endian)
    return single


def grey_frame(header: Dataset, frame: bytes, *, transfer_syntax: UID, pixel_tag: BaseTag) -> Pixels:
    """Decode a greyscale frame for display: larger = brighter.

    The modality and VOI transformations of PS3.3 sections C.11.1 and C.11.2 are applied, and
    MONOCHROME1 is inverted.

    Returns:
        (rows, columns) float32.

    Raises:
        Unreadable: ``undecodable``, or ``not_grey`` for a colour frame.
    """
    if int(header.get("SamplesPerPixel") or 1) != 1 or photometric_of(header) == "PALETTE COLOR":
        raise Unreadable("not_grey")
    stored = decode_frame(header, frame, transfer_syntax=transfer_syntax, pixel_tag=pixel_tag)
    values = _windowed(stored, header)
    padding = padded_pixels(stored, header)
    visible = values if padding is None or padding.all() else values[~padding]
    darkest, brightest = visible.min(), visible.max()
    if photometric_of(header) == "MONOCHROME1":
        values = brightest + darkest - values
    if padding is not None:
        values[padding] = darkest
    return values


def photometric_of(header: Dataset) -> str:
    """Return the Photometric Interpretation; files that lack it are taken as MONOCHROME2."""
    return str(header.get("PhotometricInterpretation") or "MONOCHROME2")


def _windowed(stored: Pixels, header: Dataset) -> npt.NDArray[np.float32]:
    """Apply the modality and VOI transformations; a damaged one is skipped so that the image is still shown."""
    try:
        measured = np.asarray(apply_modality_lut(stored, header))
    except (ValueError, TypeError, AttributeError, KeyError, IndexError):
        return stored.astype(np.float32)
    try:
        return np.asarray(apply_voi_lut(measured, header)).astype(np.float32)
    except (ValueError, TypeError, AttributeError, KeyError, IndexError):
        return measured.astype(np.float32)


def padded_pixels(stored: Pixels, header: Dataset) -> npt.NDArray[np.bool_] | None:
    """Return the mask of padding pixels (PS3.3 section C.7.5.1.1.2); None if the object declares no padding."""
    value = header.get("PixelPaddingValue")
    if not isinstance(value, int):
        return None
    limit = header.get("PixelPaddingRangeLimit")
    low, high = sorted((value, limit if isinstance(limit, int) else value))
    numbers = np.asarray(stored, dtype=np.float64)
    return np.asarray((numbers >= low) & (numbers <= high))


def measured_frame(header: Dataset, frame: bytes, *, transfer_syntax: UID, pixel_tag: BaseTag) -> Pixels:
    """Decode a greyscale frame in measured units, without windowing: Hounsfield units for CT.

    Only the modality transformation of PS3.3 section C.11.1 is applied. If it is damaged, that is an error: a wrong
    unit would be a wrong measurement.

    Returns:
        (rows, columns) float32.

    Raises:
        Unreadable: ``undecodable``, or ``not_grey`` for a colour frame.
    """
    if int(header.get("SamplesPerPixel") or 1) != 1 or not photometric_of(header).startswith("MONOCHROME"):
        raise Unreadable("not_grey")
    stored = decode_frame(header, frame, transfer_syntax=transfer_syntax, pixel_tag=pixel_tag)
    try:
        return np.asarray(apply_modality_lut(stored, header), dtype=np.float32)
    except (ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        raise Unreadable("undecodable") from error


def transcode_native(header: Dataset, frame: bytes, *, transfer_syntax: UID, pixel_tag: BaseTag) -> bytes:
    """Decode a frame to native little-endian bytes, for clients that mis-decode its transfer syntax."""
    array = decode_frame(header, frame, transfer_syntax=transfer_syntax, pixel_tag=pixel_tag)
    return array.astype(array.dtype.newbyteorder("<")).tobytes()


def _check_declared_size(header: Dataset, frame: bytes) -> None:
    declared = declared_size(frame)
    expected = (int(header.Rows), int(header.Columns))
    if declared is not None and declared != expected:
        raise Unreadable("bad_dimensions")
