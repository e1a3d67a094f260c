"""Explanations as DICOM objects: Parametric Map (PS3.3 A.75) and Secondary Capture (PS3.3 A.8).

A Parametric Map keeps the numbers (32-bit floats) in the images' own geometry, so that viewers lay them over a CT
(OHIF 3.12: tried; over films it lays none); a Secondary Capture is a picture that every viewer shows.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import highdicom as hd
import numpy as np
import numpy.typing as npt
from highdicom.pm import ParametricMap, RealWorldValueMapping
from highdicom.sc import SCImage
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from apps.explainability.drawing.volume import region_of

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


@dataclass(frozen=True)
class Streamed:
    """A DICOM file that is made while it is sent: the map of a CT is as large as the CT.

    Attributes:
        length: of all chunks together, bytes.
    """

    length: int
    chunks: Iterator[bytes]


def parametric_map(headers: Sequence[Dataset], attributions: npt.NDArray[np.float32], said: Said) -> Streamed:
    """Attributions as a Parametric Map with a frame for each image, pixel upon pixel.

    OHIF shows only maps of the images' own rows, columns and number, and colours what is stored from 0 to 1. So each
    pixel holds its region's attribution as a share of the strongest region's, -1 to 1; the real world value mapping
    makes probabilities of them.

    Args:
        headers: of the film, or of a volume's slices, without pixels.
        attributions: (images, rows, columns) in probability a region, each as its image lies.
    """
    scale = float(np.abs(attributions).max()) or 1.0
    rows, columns = int(headers[0].Rows), int(headers[0].Columns)
    sources = [_placed(header) for header in headers]
    for source in sources:  # they lie alike but for rounding, which highdicom does not forgive
        source.ImageOrientationPatient = sources[0].ImageOrientationPatient
        source.FrameOfReferenceUID = sources[0].FrameOfReferenceUID
    made = _map(sources, scale, said)
    made.Rows, made.Columns = rows, columns
    del made.FloatPixelData
    place = {header.SOPInstanceUID: number for number, header in enumerate(headers)}
    shares = (attributions / scale).astype("<f4")
    # highdicom sorts frames by where they lie: each says of which image it is.
    order = [place[_source_of(frame)] for frame in made.PerFrameFunctionalGroupsSequence]
    head = _written(made) + _element_header("FloatPixelData", "OF", 4 * len(order) * rows * columns)
    frames = (stretched(shares[number], rows, columns).tobytes() for number in order)
    return Streamed(len(head) + 4 * len(order) * rows * columns, chain([head], frames))


def _map(sources: list[Dataset], scale: float, said: Said) -> ParametricMap:
    """The map of images of one pixel each: everything but its pixels and their number."""
    mapping = RealWorldValueMapping(
        lut_label="SHAP",
        lut_explanation="SHAP attribution of the pixel's region, probability",
        unit=codes.UCUM.NoUnits,
        value_range=(-1.0, 1.0),
        slope=scale,
        intercept=0.0,
        quantity_definition=codes.DCM.Probability,
    )
    made = ParametricMap(
        sources,
        np.zeros((len(sources), 1, 1), dtype=np.float32),
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
        voi_lut_transformations=[hd.VOILUTTransformation(window_center=0.0, window_width=2.0)],
        content_label="SHAP",
        content_description=f"Decision support: {said.label}"[:64],
    )
    made.SeriesDescription = f"Decision support: {said.label}"[:64]
    return made


def _source_of(frame: Dataset) -> str:
    return str(frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID)


def _element_header(keyword: str, representation: str, length: int) -> bytes:
    """Tag, value representation and length in Explicit VR Little Endian (PS3.5 7.1.2)."""
    tag = Tag(keyword)
    return struct.pack("<HH2sHL", tag.group, tag.element, representation.encode(), 0, length)


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


def stretched(regions: npt.NDArray[np.float32], rows: int, columns: int) -> npt.NDArray[np.float32]:
    """(rows, columns) pixels, each with the number of the region in which its middle lies."""
    return regions[region_of(rows, regions.shape[0])][:, region_of(columns, regions.shape[1])]


def _placed(header: Dataset) -> Dataset:
    """The header, of a single pixel, with a position in space: a film has none, yet a map must name one."""
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
    source.Rows = source.Columns = 1
    return source


def _uid(said: Said, what: str) -> str:
    """The same explanation gives the same objects, so that an archive keeps each once."""
    return generate_uid(entropy_srcs=[said.uid, what])


def _written(made: Dataset) -> bytes:
    buffer = io.BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
