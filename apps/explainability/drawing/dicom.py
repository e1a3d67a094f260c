"""Explanations as DICOM objects: Parametric Map (PS3.3 A.75) and Secondary Capture (PS3.3 A.8).

A Parametric Map stores the values (32-bit floats) in the images' own geometry, so that viewers can overlay them on a CT
(tested with OHIF 3.12, which does not overlay on radiographs); every viewer can show a Secondary Capture.
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
from apps.imaging.dicom.derived import complete, reference

MANUFACTURER = "MedPortal"
SERIES_NUMBERS = {"map": 9101, "capture": 9102}
"""Far above the series numbers of acquired series."""


@dataclass(frozen=True)
class ObjectDescription:
    """Description of a DICOM object; no patient data beyond the image's own header.

    Attributes:
        label: the explained label, in English.
        model: name and version of the model package.
        uid: source of the object's UIDs: the explanation's id and revision.
    """

    label: str
    model: str
    uid: str


@dataclass(frozen=True)
class StreamedFile:
    """A DICOM file generated while it is sent: the map of a CT is as large as the CT.

    Attributes:
        length: total length in bytes.
    """

    length: int
    chunks: Iterator[bytes]


def parametric_map(
    headers: Sequence[Dataset], attributions: npt.NDArray[np.float32], description: ObjectDescription
) -> StreamedFile:
    """Build a Parametric Map with one frame per image at the images' own resolution.

    OHIF only shows maps with the images' own rows, columns and number of frames, and maps stored values from 0 to 1 to
    colours. Each pixel is therefore its region's attribution relative to the strongest region, -1 to 1; the real world
    value mapping converts it to probability.

    Args:
        headers: of the image, or of a volume's slices, without pixel data.
        attributions: (images, rows, columns) in probability per region, in each image's orientation.
    """
    scale = float(np.abs(attributions).max()) or 1.0
    rows, columns = int(headers[0].Rows), int(headers[0].Columns)
    sources = [_with_position(header) for header in headers]
    for source in sources:  # orientations may differ by rounding, which highdicom rejects
        source.ImageOrientationPatient = sources[0].ImageOrientationPatient
        source.FrameOfReferenceUID = sources[0].FrameOfReferenceUID
    document = _map(sources, scale, description)
    document.Rows, document.Columns = rows, columns
    del document.FloatPixelData
    complete(document, headers)
    numbers = {header.SOPInstanceUID: number for number, header in enumerate(headers)}
    shares = (attributions / scale).astype("<f4")
    # highdicom sorts frames by position: each references its source image.
    order = [numbers[_source_of(frame)] for frame in document.PerFrameFunctionalGroupsSequence]
    head = _serialised(document) + _element_header("FloatPixelData", "OF", 4 * len(order) * rows * columns)
    frames = (upsampled(shares[number], rows, columns).tobytes() for number in order)
    return StreamedFile(len(head) + 4 * len(order) * rows * columns, chain([head], frames))


def _map(sources: list[Dataset], scale: float, description: ObjectDescription) -> ParametricMap:
    """Build the map for images of one pixel each: everything but the pixel data and its dimensions."""
    mapping = RealWorldValueMapping(
        lut_label="SHAP",
        lut_explanation="SHAP attribution of the pixel's region, probability",
        unit=codes.UCUM.NoUnits,
        value_range=(-1.0, 1.0),
        slope=scale,
        intercept=0.0,
        quantity_definition=codes.DCM.Probability,
    )
    document = ParametricMap(
        sources,
        np.zeros((len(sources), 1, 1), dtype=np.float32),
        series_instance_uid=_uid(description, "map series"),
        series_number=SERIES_NUMBERS["map"],
        sop_instance_uid=_uid(description, "map"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=description.model,
        software_versions=description.model,
        device_serial_number="0",
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[mapping],
        voi_lut_transformations=[hd.VOILUTTransformation(window_center=0.0, window_width=2.0)],
        content_label="SHAP",
        content_description=f"Decision support: {description.label}"[:64],
    )
    document.SeriesDescription = f"Decision support: {description.label}"[:64]
    return document


def _source_of(frame: Dataset) -> str:
    return str(frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID)


def _element_header(keyword: str, representation: str, length: int) -> bytes:
    """Tag, value representation and length in Explicit VR Little Endian (PS3.5 7.1.2)."""
    tag = Tag(keyword)
    return struct.pack("<HH2sHL", tag.group, tag.element, representation.encode(), 0, length)


def secondary_capture(header: Dataset, picture: npt.NDArray[np.uint8], description: ObjectDescription) -> bytes:
    """Build a Secondary Capture from an image with the explanation burnt in, (rows, columns, 3)."""
    document = SCImage.from_ref_dataset(
        reference(header),
        picture,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "F"),
        series_instance_uid=_uid(description, "capture series"),
        series_number=SERIES_NUMBERS["capture"],
        sop_instance_uid=_uid(description, "capture"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        transfer_syntax_uid=ExplicitVRLittleEndian,
    )
    document.SeriesDescription = f"Decision support: {description.label}"[:64]
    document.ManufacturerModelName = description.model
    document.BurnedInAnnotation = "YES"
    complete(document, [header])
    return _serialised(document)


def upsampled(regions: npt.NDArray[np.float32], rows: int, columns: int) -> npt.NDArray[np.float32]:
    """Upsample regions to (rows, columns): each pixel gets the value of the region that contains its centre."""
    return regions[region_of(rows, regions.shape[0])][:, region_of(columns, regions.shape[1])]


def _with_position(header: Dataset) -> Dataset:
    """The header of a one-pixel image with a spatial position: radiographs have none, but a map requires one."""
    source = reference(header)
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


def _uid(description: ObjectDescription, what: str) -> str:
    """Deterministic UID: the same explanation gives the same objects, so that an archive stores each once."""
    return generate_uid(entropy_srcs=[description.uid, what])


def _serialised(document: Dataset) -> bytes:
    buffer = io.BytesIO()
    document.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
