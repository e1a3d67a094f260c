"""Explanations as files for other systems."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from apps.explainability.drawing import volume
from apps.explainability.drawing.overlay import Style, burnt_in
from apps.explainability.models import Explanation
from apps.explainability.queries import SPACES, arrays, region_values, shown_values, strongest_slice
from apps.imaging.queries import GreyFrame, grey_frame

LARGEST = 1024
"""Edge of pictures in pixels."""


def film_png(explanation: Explanation, view: str = "film") -> bytes:
    """The film or the strongest slice, windowed from its 0.5th to its 99.5th percentile; or a volume's projection."""
    if view in volume.PROJECTIONS:
        box = arrays(explanation).plane
        assert box is not None
        down, rows, columns = explanation.geometry["extent"]
        return volume.grey_png(box, view, (down, rows, columns), LARGEST // 2)
    pixels = _frame(explanation).pixels.astype(np.float32)
    low, high = np.percentile(pixels, [0.5, 99.5])
    grey = np.clip((pixels - low) / max(float(high - low), 1e-6), 0, 1)
    image = Image.fromarray(np.round(255 * grey).astype(np.uint8))
    image.thumbnail((LARGEST, LARGEST))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def film_with_overlay(explanation: Explanation, edge: int = 640, style: Style | None = None) -> bytes:
    """The film, or a volume's strongest slice, with the explanation drawn over it, PNG: for print."""
    picture = Image.fromarray(burnt_in(_frame(explanation).pixels, shown_values(explanation), style or Style()))
    picture.thumbnail((edge, edge))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def parametric_map(explanation: Explanation) -> bytes:
    """A DICOM Parametric Map."""
    from apps.explainability.drawing import dicom  # its library is large, and few ask for DICOM objects

    frame = _frame(explanation)
    if explanation.geometry:
        said = dicom.Said(**_said(explanation))
        return dicom.volume_map(frame.header, region_values(explanation), _placed(explanation), said)
    values = dicom.stretched(region_values(explanation), *frame.pixels.shape)
    return dicom.parametric_map(frame.header, values, dicom.Said(**_said(explanation)))


def secondary_capture(explanation: Explanation) -> bytes:
    """A DICOM Secondary Capture."""
    from apps.explainability.drawing import dicom

    frame = _frame(explanation)
    picture = burnt_in(frame.pixels, shown_values(explanation), Style())
    return dicom.secondary_capture(frame.header, picture, dicom.Said(**_said(explanation)))


def arrays_json(explanation: Explanation) -> dict[str, Any]:
    """Attributions and half-widths as nested lists, and who says so."""
    found = arrays(explanation)
    widths = {} if found.half_width is None else {"half_widths": _by_space(found.half_width)}
    return {
        "decision_support": True,
        "model": str(explanation.finding.analysis.package),
        "attributions": _by_space(found.values),
        **widths,
    }


def _by_space(values: Any) -> dict[str, Any]:
    return {space: np.round(part.astype(float), 7).tolist() for space, part in zip(SPACES, values, strict=True)}


def _frame(explanation: Explanation) -> GreyFrame:
    """The film, or a volume's strongest slice."""
    finding = explanation.finding
    uid = strongest_slice(explanation)
    if uid == finding.instance.sop_instance_uid:
        return grey_frame(finding.instance, finding.frame)
    instances = finding.analysis.series.instances.select_related("series__study")
    return grey_frame(instances.get(sop_instance_uid=uid))


def _placed(explanation: Explanation) -> Any:
    """How the regions of a volume's explanation lie in space."""
    from apps.explainability.drawing.dicom import Placed

    geometry, grid = explanation.geometry, region_values(explanation).shape
    sizes = [length / number for length, number in zip(geometry["extent"], grid, strict=True)]
    # The first voxel's middle, from the first region's corner: half a slice's voxel back, half a region on.
    numbers = (len(geometry["slices"]), explanation.finding.instance.rows, explanation.finding.instance.columns)
    back = [length / number for length, number in zip(geometry["extent"], numbers, strict=True)]
    axes = np.array(geometry["axes"])
    origin = np.array(geometry["origin"]) + (0.5 * (np.array(sizes) - np.array(back))) @ axes
    return Placed(tuple(sizes), origin, axes)


def _said(explanation: Explanation) -> dict[str, str]:
    finding = explanation.finding
    return {
        "label": finding.card_label["title"]["en"],
        "model": str(finding.analysis.package),
        "uid": f"{explanation.pk}/{explanation.revision}",
    }
