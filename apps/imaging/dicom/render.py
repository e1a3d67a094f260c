"""Frames as 8-bit pictures for people: the rendered resources and thumbnails of PS3.18 section 8.3.5."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom import Dataset
from pydicom.multival import MultiValue
from pydicom.overlays import get_overlay_array
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi
from pydicom.tag import BaseTag
from pydicom.uid import UID

from apps.imaging.dicom.parser import Unreadable
from apps.imaging.dicom.pixels import Pixels, decode_frame, padded_pixels
from apps.imaging.dicom.render_options import MAX_VIEWPORT, Viewport, Window

Grey = npt.NDArray[np.float32]
DEFAULT_QUALITY = 90
_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF"}
_PALETTE_COLOURS = ("Red", "Green", "Blue")
_DAMAGED = (ValueError, TypeError, AttributeError, KeyError, IndexError, OverflowError, NotImplementedError)
_TAILS = (0.1, 99.9)
"""Percentiles between which a window is chosen where the object has none."""
_MAX_ASPECT = 20.0
MAX_PIXELS = 64_000_000
"""Larger frames are retrieved, but not drawn: drawing takes some twenty bytes a pixel."""
_DEFAULT_FRAME_TIME = 100.0
"""Milliseconds a frame of an animation is shown where the object does not say."""


def render_frame(
    header: Dataset,
    frame: bytes,
    *,
    transfer_syntax: UID,
    pixel_tag: BaseTag,
    number: int = 1,
    window: Window | None = None,
    viewport: Viewport | None = None,
    overlays: bool = False,
) -> Image.Image:
    """Draw one frame with square pixels.

    Grey goes through the modality and VOI transformations (PS3.3 sections C.11.1, C.11.2): the window asked for, else
    the object's first VOI LUT or window, else one that covers the values without padding; unsigned images of up to 8
    bits are shown as they are. Padding and values that are no numbers are black.

    Args:
        number: of the frame, from 1, for its functional groups (PS3.3 section C.7.6.16).
        window: is ignored for colour.
        overlays: whether overlay planes (PS3.3 section C.9.2) are drawn in white.

    Returns:
        Mode L or RGB. The size of the image, or as large as fits the viewport.

    Raises:
        Unreadable: ``undecodable``, ``bad_dimensions``, ``bad_palette``, ``too_large_to_draw``.
    """
    if int(header.get("Rows") or 0) * int(header.get("Columns") or 0) > MAX_PIXELS:
        raise Unreadable("too_large_to_draw", megapixels=MAX_PIXELS // 10**6)
    samples = decode_frame(header, frame, transfer_syntax=transfer_syntax, pixel_tag=pixel_tag)
    try:
        pixels = _drawn(samples, header, number, window)
        if overlays:
            pixels = _with_overlays(pixels, header)
        return _fitted(Image.fromarray(pixels), viewport, _aspect(header, number))
    except _DAMAGED as error:  # elements of the wrong type or number
        raise Unreadable("undecodable") from error


def _drawn(samples: Pixels, header: Dataset, number: int, window: Window | None) -> npt.NDArray[np.uint8]:
    photometric = str(header.get("PhotometricInterpretation", "MONOCHROME2"))
    if samples.ndim == 3:
        if samples.shape[2] != 3:  # ARGB and CMYK, retired: their colours would be drawn wrongly
            raise Unreadable("undecodable")
        return _eight_bits(samples, int(header.get("BitsStored") or 8))
    if photometric == "PALETTE COLOR":
        return _coloured(samples, header)
    return _grey(samples, header, number, window)


def encode_picture(
    pictures: Sequence[Image.Image], media_type: str, *, quality: int | None = None, header: Dataset | None = None
) -> bytes:
    """Encode pictures as JPEG, PNG or GIF; several become an animated GIF.

    Args:
        quality: of JPEG, 1 to 100.
        header: gives the time for which a frame is shown.

    Raises:
        ValueError: for another media type, or several pictures that are not to be a GIF.
    """
    form = _FORMATS.get(media_type)
    if form is None or not pictures or (len(pictures) > 1 and form != "GIF"):
        raise ValueError(f"{len(pictures)} pictures as {media_type}")
    options: dict[str, Any] = {}
    if form == "JPEG":
        options["quality"] = quality or DEFAULT_QUALITY
    if len(pictures) > 1:
        options |= {"save_all": True, "append_images": pictures[1:], "loop": 0, "duration": _frame_time(header)}
    buffer = io.BytesIO()
    pictures[0].save(buffer, form, **options)
    return buffer.getvalue()


def _frame_time(header: Dataset | None) -> float:
    header = header or Dataset()
    time = _positive(header.get("FrameTime"))
    rate = _positive(header.get("RecommendedDisplayFrameRate")) or _positive(header.get("CineRate"))
    return min(max(time or (1000.0 / rate if rate else _DEFAULT_FRAME_TIME), 20.0), 10_000.0)


def _positive(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def _group(header: Dataset, number: int, keyword: str) -> Dataset:
    """Return a functional group of a frame, else the shared one, else the header itself."""
    frames, shared = header.get("PerFrameFunctionalGroupsSequence"), header.get("SharedFunctionalGroupsSequence")
    places = [frames[number - 1] if frames and 1 <= number <= len(frames) else None, shared[0] if shared else None]
    for place in places:
        if place is not None and (group := place.get(keyword)):
            item: Dataset = group[0]
            return item
    return header


def _grey(samples: Pixels, header: Dataset, number: int, window: Window | None) -> npt.NDArray[np.uint8]:
    measured = _measured(samples, _group(header, number, "PixelValueTransformationSequence"))
    hidden = padded_pixels(samples, header)
    finite = np.isfinite(measured)
    if not finite.all():
        hidden = ~finite if hidden is None else hidden | ~finite
        measured = np.where(finite, measured, np.float32(0))
    if hidden is not None and hidden.all():
        hidden = None if finite.all() else ~finite  # an image of nothing but padding is still shown
    shares = _shares(measured, samples, hidden, header, number, window)
    if header.get("PhotometricInterpretation") == "MONOCHROME1" or header.get("PresentationLUTShape") == "INVERSE":
        shares = 1 - shares
    if hidden is not None:
        shares[hidden] = 0
    return np.rint(shares * 255).astype(np.uint8)


def _measured(samples: Pixels, transformation: Dataset) -> Grey:
    try:
        return np.asarray(apply_modality_lut(samples, transformation)).astype(np.float32)
    except _DAMAGED:  # the picture is for looking at, not for measuring
        return samples.astype(np.float32)


def _shares(
    measured: Grey,
    samples: Pixels,
    hidden: npt.NDArray[np.bool_] | None,
    header: Dataset,
    number: int,
    window: Window | None,
) -> Grey:
    """Return brightness from 0 to 1."""
    if window is None:
        looked_up = _looked_up(measured, header)
        if looked_up is not None:
            return looked_up
        floating = samples.dtype.kind == "f"
        window = _stored_window(_group(header, number, "FrameVOILUTSequence"), floating=floating)
    if window is not None:
        return apply_window(measured, window)
    bits = int(header.get("BitsStored") or 0)
    labels = header.get("SegmentationType") == "LABELMAP"
    if samples.dtype.kind == "u" and 0 < bits <= 8 and not labels and np.array_equal(measured, samples):
        return np.clip(measured / np.float32(2**bits - 1), 0, 1)
    return _stretched(measured, measured if hidden is None else measured[~hidden])


def apply_window(values: Grey, window: Window) -> Grey:
    """Apply a window (PS3.3 section C.11.2.1.2).

    Returns:
        float32 from 0 to 1, of the shape of ``values``.
    """
    center, width = np.float32(window.center), np.float32(window.width)
    if window.function == "SIGMOID":
        exponent = np.clip(-4 * (values - center) / width, -80, 80)
        return np.asarray(1 / (1 + np.exp(exponent)), np.float32)
    if window.function == "LINEAR_EXACT":
        return np.asarray(np.clip((values - center) / width + np.float32(0.5), 0, 1), np.float32)
    if window.width <= 1:
        return (values > center - np.float32(0.5)).astype(np.float32)
    return np.asarray(np.clip((values - (center - np.float32(0.5))) / (width - 1) + np.float32(0.5), 0, 1), np.float32)


def _looked_up(measured: Grey, header: Dataset) -> Grey | None:
    """Apply the first VOI LUT; None if there is none or it is damaged."""
    try:
        table = header.VOILUTSequence[0]
        values = np.asarray(apply_voi(np.rint(measured).astype(np.int32), header)).astype(np.float32)
        most = max(float(2 ** int(table.LUTDescriptor[2]) - 1), float(values.max()))
    except _DAMAGED:
        return None
    return values / np.float32(most)


def _stored_window(header: Dataset, *, floating: bool) -> Window | None:
    """Return the first window of the object; None if it has none that is valid.

    LINEAR is made for whole numbers: with floating-point samples, and with a width below 1, LINEAR_EXACT is meant.
    """
    try:
        center, width = float(_first(header.WindowCenter)), float(_first(header.WindowWidth))
    except _DAMAGED:
        return None
    function = str(header.get("VOILUTFunction") or "LINEAR").strip().upper()
    if function not in ("LINEAR_EXACT", "SIGMOID"):
        function = "LINEAR_EXACT" if floating or 0 < width < 1 else "LINEAR"
    window = Window(center, width, function)
    return window if window.is_valid else None


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, MultiValue | list | tuple) else value


def _stretched(values: Grey, visible: Grey) -> Grey:
    sample = visible.reshape(-1)[:: max(1, visible.size // 500_000)]
    low, high = (float(tail) for tail in np.percentile(sample, _TAILS))
    if high <= low:
        low, high = float(visible.min()), float(visible.max())
    if high <= low:
        return np.full_like(values, 0.5)
    return np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)


def _eight_bits(samples: Pixels, bits: int) -> npt.NDArray[np.uint8]:
    numbers = samples.astype(np.int64)
    if bits <= 8:
        return np.asarray(np.clip(numbers, 0, 255), np.uint8)
    return np.asarray(np.clip(numbers // 2 ** (bits - 8), 0, 255), np.uint8)


def _coloured(samples: Pixels, header: Dataset) -> npt.NDArray[np.uint8]:
    """Apply the palette, segmented or not (PS3.3 sections C.7.6.3.1.5, C.7.9.2)."""
    try:
        colours = np.asarray(apply_color_lut(samples, _palette(header)))[..., :3]
    except _DAMAGED as error:
        raise Unreadable("bad_palette") from error
    if colours.dtype.itemsize > 1 and colours.max() > 255:  # some write 8-bit colours into 16-bit entries
        colours = colours >> 8
    return colours.astype(np.uint8)


def _palette(header: Dataset) -> Dataset:
    """Return the palette with its tables as little-endian bytes; VR US, which some write, gives a list of numbers."""
    palette = Dataset()
    palette.set_original_encoding(False, True)
    big = header.original_encoding[1] is False
    for colour in _PALETTE_COLOURS:
        prefix = f"{colour}PaletteColorLookupTable"
        setattr(palette, f"{prefix}Descriptor", list(header[f"{prefix}Descriptor"].value))
        for keyword in (f"{prefix}Data", f"Segmented{prefix}Data"):
            if keyword in header:
                value = header[keyword].value
                words = np.frombuffer(value, ">u2" if big else "<u2") if isinstance(value, bytes) else np.asarray(value)
                setattr(palette, keyword, words.astype("<u2").tobytes())
    return palette


def _with_overlays(pixels: npt.NDArray[np.uint8], header: Dataset) -> npt.NDArray[np.uint8]:
    drawn = pixels.copy()
    for group in range(0x6000, 0x6020, 2):
        if (group, 0x3000) not in header:
            continue
        try:
            plane = np.asarray(get_overlay_array(header, group)).astype(bool)
            top, left = (int(number) - 1 for number in header[group, 0x0050].value)
        except _DAMAGED:  # the image is shown without a damaged plane
            continue
        plane = plane[0] if plane.ndim == 3 else plane
        plane = plane[max(0, -top) :, max(0, -left) :]
        target = drawn[max(0, top) :, max(0, left) :]
        rows, columns = min(plane.shape[0], target.shape[0]), min(plane.shape[1], target.shape[1])
        target[:rows, :columns][plane[:rows, :columns]] = 255
    return drawn


def _aspect(header: Dataset, number: int) -> float:
    """Return a pixel's height divided by its width, 1 if unknown or implausible."""
    measures = _group(header, number, "PixelMeasuresSequence")
    for source, keyword in ((header, "PixelAspectRatio"), (measures, "PixelSpacing"), (header, "ImagerPixelSpacing")):
        try:
            height, width = (float(part) for part in source.get(keyword))
            ratio = height / width
        except (*_DAMAGED, ZeroDivisionError):
            continue
        if math.isfinite(ratio) and 1 / _MAX_ASPECT <= ratio <= _MAX_ASPECT:
            return ratio
    return 1.0


def _fitted(picture: Image.Image, viewport: Viewport | None, aspect: float) -> Image.Image:
    """Cut out the viewport's region, make pixels square and scale to the largest size that fits."""
    region = (0.0, 0.0, float(picture.width), float(picture.height))
    if viewport is not None:
        region, picture = _region(picture, viewport)
    width, height = region[2] - region[0], region[3] - region[1]
    shown = (width, height * aspect) if aspect >= 1 else (width / aspect, height)
    limits = (viewport.width, viewport.height) if viewport else (max(shown[0], 1.0), max(shown[1], 1.0))
    scale = min(limits[0] / shown[0], limits[1] / shown[1])
    if viewport is None:
        scale = min(1.0, max(picture.width, picture.height, MAX_VIEWPORT) / max(shown))
    size = (max(1, round(shown[0] * scale)), max(1, round(shown[1] * scale)))
    if size == picture.size and region == (0.0, 0.0, *map(float, picture.size)):
        return picture
    smaller = size[0] < width or size[1] < height
    return picture.resize(size, Image.Resampling.LANCZOS if smaller else Image.Resampling.BILINEAR, box=region)


def _region(picture: Image.Image, viewport: Viewport) -> tuple[tuple[float, float, float, float], Image.Image]:
    """Return the region inside the picture, and the picture flipped as asked."""
    width, height = float(picture.width), float(picture.height)
    across, down = viewport.region_width or width, viewport.region_height or height
    left, top = min(viewport.left, width - 1), min(viewport.top, height - 1)
    right, bottom = min(left + abs(across), width), min(top + abs(down), height)
    if across < 0:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        left, right = width - right, width - left
    if down < 0:
        picture = picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
        top, bottom = height - bottom, height - top
    return (left, top, right, bottom), picture
