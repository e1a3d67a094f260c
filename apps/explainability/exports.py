"""Exports of explanations: PNG, JSON, DICOM Parametric Map and Secondary Capture."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from apps.explainability.drawing import volume
from apps.explainability.drawing.overlay import Style, burnt_in
from apps.explainability.models import Explanation
from apps.explainability.queries import (
    SPACES,
    arrays,
    region_values,
    shown_values,
    slice_values,
    strongest_slice,
)
from apps.imaging.queries import GreyFrame, drawable, grey_frame, header_of

if TYPE_CHECKING:
    from apps.explainability.drawing.dicom import StreamedFile

MAX_EDGE = 1024
"""Maximum edge of images in pixels."""


def film_png(explanation: Explanation, view: str = "film") -> bytes:
    """The image or strongest slice, windowed to its 0.5th to 99.5th percentile; or a volume's projection."""
    if view in volume.PROJECTIONS:
        box = arrays(explanation).plane
        assert box is not None
        down, rows, columns = explanation.geometry["extent"]
        return volume.grey_png(box, view, (down, rows, columns), MAX_EDGE // 2)
    pixels = _frame(explanation).pixels.astype(np.float32)
    low, high = np.percentile(pixels, [0.5, 99.5])
    grey = np.clip((pixels - low) / max(float(high - low), 1e-6), 0, 1)
    image = Image.fromarray(np.round(255 * grey).astype(np.uint8))
    image.thumbnail((MAX_EDGE, MAX_EDGE))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def film_with_overlay(explanation: Explanation, edge: int = 640, style: Style | None = None) -> bytes:
    """The image, or a volume's strongest slice, with the explanation overlaid, as PNG for print."""
    picture = Image.fromarray(burnt_in(_frame(explanation).pixels, shown_values(explanation), style or Style()))
    picture.thumbnail((edge, edge))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def parametric_map(explanation: Explanation) -> StreamedFile:
    """A DICOM Parametric Map of the displayed attributions: a volume's uncertain regions are 0."""
    from apps.explainability.drawing import dicom  # imported lazily: highdicom is large and rarely needed

    description = dicom.ObjectDescription(**_description(explanation))
    if not explanation.geometry:
        return dicom.parametric_map([_frame(explanation).header], region_values(explanation)[None], description)
    uids = explanation.geometry["slices"]
    stored = explanation.finding.analysis.series.instances.in_bulk(uids, field_name="sop_instance_uid")
    layers = slice_values(explanation, len(uids))
    return dicom.parametric_map([header_of(stored[uid]) for uid in uids], layers, description)


def secondary_capture(explanation: Explanation) -> bytes:
    """A DICOM Secondary Capture."""
    from apps.explainability.drawing import dicom

    frame = _frame(explanation)
    picture = burnt_in(frame.pixels, shown_values(explanation), Style())
    return dicom.secondary_capture(frame.header, picture, dicom.ObjectDescription(**_description(explanation)))


def arrays_json(explanation: Explanation) -> dict[str, Any]:
    """Attributions and half-widths as nested lists, with the model's name and version."""
    stored = arrays(explanation)
    widths = {} if stored.half_width is None else {"half_widths": _by_space(stored.half_width)}
    return {
        "decision_support": True,
        "model": str(explanation.finding.analysis.package),
        "attributions": _by_space(stored.values),
        **widths,
    }


def _by_space(values: Any) -> dict[str, Any]:
    return {space: np.round(part.astype(float), 7).tolist() for space, part in zip(SPACES, values, strict=True)}


def _frame(explanation: Explanation) -> GreyFrame:
    """The image, or a volume's strongest slice."""
    finding = explanation.finding
    uid = strongest_slice(explanation)
    if uid == finding.instance.sop_instance_uid:
        return grey_frame(finding.instance, finding.frame)
    instances = drawable(finding.analysis.series.instances).select_related("series__study")
    return grey_frame(instances.get(sop_instance_uid=uid))


def _description(explanation: Explanation) -> dict[str, str]:
    finding = explanation.finding
    return {
        "label": finding.card_label["title"]["en"],
        "model": str(finding.analysis.package),
        "uid": f"{explanation.pk}/{explanation.revision}",
    }
