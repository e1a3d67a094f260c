"""Explanations as DICOM objects: Parametric Map (PS3.3 A.75) and Secondary Capture (PS3.3 A.8).

A Parametric Map keeps the numbers (32-bit floats) in the film's own geometry, so that viewers such as 3D
Slicer and OHIF lay them over the film; a Secondary Capture is a picture that every viewer shows.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import highdicom as hd
import numpy as np
import numpy.typing as npt
from highdicom.pm import ParametricMap, RealWorldValueMapping
from highdicom.sc import SCImage
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

MANUFACTURER = "MedPortal"
SERIES_NUMBERS = {"map": 9101, "capture": 9102}
"""Far beyond those of acquired series."""


@dataclass(frozen=True)
class Said:
    """What the object says of itself: no patient's data beyond the film's own header.

    Attributes:
        label: what is explained, in English.
        model: name and version of the model package.
        uid: what the objects' UIDs are made of: the explanation's id and revision.
    """

    label: str
    model: str
    uid: str


def parametric_map(header: Dataset, attributions: npt.NDArray[np.float32], said: Said) -> bytes:
    """Attributions in probability a pixel as a Parametric Map of the film.

    Args:
        header: the film's, without pixels.
        attributions: (rows, columns) of the film itself.
    """
    return _written(
        _map(header, attributions.astype(np.float32)[None], said, "SHAP attribution, probability per pixel")
    )


def _map(header: Dataset, values: npt.NDArray[np.float32], said: Said, what: str, **geometry: Any) -> ParametricMap:
    """(frames, rows, columns) as a Parametric Map; without ``geometry`` it lies where the film lies."""
    end = float(np.abs(values).max()) or 1.0
    mapping = RealWorldValueMapping(
        lut_label="SHAP",
        lut_explanation=what,
        unit=codes.UCUM.NoUnits,
        value_range=(-end, end),
        slope=1.0,
        intercept=0.0,
        quantity_definition=codes.DCM.Probability,
    )
    return ParametricMap(
        [_placed(header)],
        values,
        series_instance_uid=_uid(said, "map series"),
        series_number=SERIES_NUMBERS["map"],
        sop_instance_uid=_uid(said, "map"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=said.model,
        software_versions=said.model,
        device_serial_number="0",
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[mapping],
        voi_lut_transformations=[hd.VOILUTTransformation(window_center=0.0, window_width=2 * end)],
        content_label="SHAP",
        content_description=f"Decision support: {said.label}"[:64],
        **geometry,
    )


@dataclass(frozen=True)
class Placed:
    """How a grid of attributions lies in space (LPS, mm).

    Attributes:
        sizes: of a region along slices, rows and columns.
        origin: (3,) the middle of the first region.
        axes: (3, 3) unit vectors along slices, rows' order and columns' order.
    """

    sizes: tuple[float, float, float]
    origin: npt.NDArray[np.float64]
    axes: npt.NDArray[np.float64]


def volume_map(header: Dataset, attributions: npt.NDArray[np.float32], placed: Placed, said: Said) -> bytes:
    """Attributions of a volume's regions as a Parametric Map with a frame for each slab, where they lie in space.

    Args:
        header: of one of the volume's slices, without pixels.
        attributions: (slabs, rows, columns) in probability a region.
    """
    down, along_rows, along_columns = placed.axes
    positions = [
        hd.PlanePositionSequence(hd.CoordinateSystemNames.PATIENT, placed.origin + number * placed.sizes[0] * down)
        for number in range(len(attributions))
    ]
    made = _map(
        header,
        attributions.astype(np.float32),
        said,
        "SHAP attribution, probability per region",
        pixel_measures=hd.PixelMeasuresSequence(placed.sizes[1:], placed.sizes[0], placed.sizes[0]),
        plane_orientation=hd.PlaneOrientationSequence(
            hd.CoordinateSystemNames.PATIENT, (*along_columns.tolist(), *along_rows.tolist())
        ),
        plane_positions=positions,
    )
    return _written(made)


def secondary_capture(header: Dataset, picture: npt.NDArray[np.uint8], said: Said) -> bytes:
    """The film with its explanation burnt in, (rows, columns, 3), as a Secondary Capture."""
    made = SCImage.from_ref_dataset(
        header,
        picture,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "F"),
        series_instance_uid=_uid(said, "capture series"),
        series_number=SERIES_NUMBERS["capture"],
        sop_instance_uid=_uid(said, "capture"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        transfer_syntax_uid=ExplicitVRLittleEndian,
    )
    made.SeriesDescription = f"Decision support: {said.label}"[:64]
    made.ManufacturerModelName = said.model
    made.BurnedInAnnotation = "YES"
    return _written(made)


def stretched(attributions: npt.NDArray[np.float32], rows: int, columns: int) -> npt.NDArray[np.float32]:
    """Attributions of regions as attributions of the film's pixels, (rows, columns); the sum stays."""
    flat = Image.fromarray(attributions.astype(np.float32)).resize((columns, rows), Image.Resampling.NEAREST)
    values = np.asarray(flat, dtype=np.float64)
    total = float(attributions.sum(dtype=np.float64))
    change = values.sum()
    return (values * (total / change) if abs(change) > 1e-12 else values).astype(np.float32)


def _placed(header: Dataset) -> Dataset:
    """The header with a position in space: a projection film has none, yet a map must name one."""
    source = Dataset()
    source.update(header)
    source.file_meta = FileMetaDataset()
    source.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    spacing = header.get("PixelSpacing") or header.get("ImagerPixelSpacing") or [1.0, 1.0]
    for name, value in {
        "FrameOfReferenceUID": generate_uid(entropy_srcs=[header.SOPInstanceUID, "frame of reference"]),
        "PositionReferenceIndicator": "",
        "PixelSpacing": spacing,
        "ImageOrientationPatient": [1, 0, 0, 0, 0, -1],
        "ImagePositionPatient": [0, 0, 0],
        "SliceThickness": 1.0,
    }.items():
        if name not in source:
            setattr(source, name, value)
    return source


def _uid(said: Said, what: str) -> str:
    """The same explanation gives the same objects, so that an archive keeps each once."""
    return generate_uid(entropy_srcs=[said.uid, what])


def _written(made: Dataset) -> bytes:
    buffer = io.BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
