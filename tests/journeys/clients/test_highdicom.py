"""Objects that highdicom makes from the archive's images: stored, retrieved, and read by highdicom again."""

from __future__ import annotations

import io
from collections.abc import Callable

import highdicom as hd
import numpy as np
import pydicom
import pytest
from dicomweb_client import DICOMwebClient
from highdicom.sr import (
    CodedConcept,
    Comprehensive3DSR,
    ImageRegion3D,
    Measurement,
    MeasurementReport,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    TrackingIdentifier,
    srread,
)
from highdicom.sr.enum import GraphicTypeValues3D
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, RLELossless

from tests.factories import chest_files
from tests.journeys.clients.test_dicomweb_client import AS_STORED, uids

SHAPE = (16, 64, 64)
EQUIPMENT = {
    "manufacturer": "Clients",
    "manufacturer_model_name": "test",
    "software_versions": "1",
    "device_serial_number": "1",
}
ALGORITHM = hd.AlgorithmIdentificationSequence("thresholding", codes.DCM.ArtificialIntelligence, "1")


@pytest.fixture(scope="module")
def slices(client: DICOMwebClient) -> list[Dataset]:
    """A CT series as the archive gives it back."""
    objects = [pydicom.dcmread(io.BytesIO(file)) for file in chest_files(mrn="HIGHDICOM-1", shape=SHAPE)]
    assert "FailedSOPSequence" not in client.store_instances(objects)
    series = client.retrieve_series(*uids(objects[0])[:2], media_types=AS_STORED)
    assert len(series) == SHAPE[0]
    return sorted(series, key=lambda image: image.InstanceNumber)


def mask(slices: list[Dataset]) -> np.ndarray:
    return np.stack([image.pixel_array > np.median(image.pixel_array) for image in slices]).astype(np.uint8)


def stored(client: DICOMwebClient, document: Dataset) -> Dataset:
    """Store an object and retrieve it: the same, in the study of its images."""
    answer = client.store_instances([document])
    assert "FailedSOPSequence" not in answer, answer
    copy = client.retrieve_instance(*uids(document), media_types=AS_STORED)
    expected = io.BytesIO()
    document.save_as(expected)
    assert copy == pydicom.dcmread(io.BytesIO(expected.getvalue()))
    return copy


def as_file(dataset: Dataset) -> io.BytesIO:
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    buffer.seek(0)
    return buffer


@pytest.mark.parametrize(
    ("kind", "syntax"),
    [("BINARY", ExplicitVRLittleEndian), ("FRACTIONAL", RLELossless), ("LABELMAP", JPEG2000Lossless)],
)
def test_segmentation(client: DICOMwebClient, slices: list[Dataset], kind: str, syntax: str) -> None:
    segment = hd.seg.SegmentDescription(
        1, "lung", codes.SCT.Organ, codes.SCT.Lung, "AUTOMATIC", algorithm_identification=ALGORITHM
    )
    document = hd.seg.Segmentation(
        slices,
        mask(slices).astype(np.float32) if kind == "FRACTIONAL" else mask(slices),
        kind,
        [segment],
        hd.UID(),
        501,
        hd.UID(),
        1,
        transfer_syntax_uid=syntax,
        **EQUIPMENT,
    )
    copy = hd.seg.segread(as_file(stored(client, document)))
    sources = [image.SOPInstanceUID for image in slices]
    pixels = copy.get_pixels_by_source_instance(sources, combine_segments=kind == "LABELMAP")
    assert np.array_equal(np.squeeze(pixels), mask(slices))
    if kind == "BINARY":
        first = client.retrieve_instance_frames(*uids(document), [1])
        assert [len(frame) for frame in first] == [SHAPE[1] * SHAPE[2] // 8]


def test_measurement_report(client: DICOMwebClient, slices: list[Dataset]) -> None:
    """TID 1500."""
    place = np.array(slices[3].ImagePositionPatient, dtype=float)
    ring = place + np.array([[0, 0, 0], [10, 0, 0], [10, 10, 0], [0, 0, 0]])
    observer = ObserverContext(codes.DCM.Person, PersonObserverIdentifyingAttributes("Müller^Jörg=郑^伟"))
    group = PlanarROIMeasurementsAndQualitativeEvaluations(
        TrackingIdentifier(hd.UID(), "nodule"),
        ImageRegion3D(GraphicTypeValues3D.POLYGON, ring, slices[0].FrameOfReferenceUID),
        finding_type=CodedConcept("27925004", "SCT", "Nodule"),
        measurements=[Measurement(codes.SCT.Area, 50.0, codes.UCUM.SquareMillimeter)],
    )
    report = MeasurementReport(
        ObservationContext(observer_person_context=observer), codes.LN.CTUnspecifiedBodyRegion, [group]
    )
    document = Comprehensive3DSR(
        slices,
        report,
        hd.UID(),
        502,
        hd.UID(),
        1,
        manufacturer="Clients",
        is_complete=True,
        specific_character_set="ISO_IR 192",
    )
    copy = srread(as_file(stored(client, document)))
    (found,) = copy.content.get_planar_roi_measurement_groups()
    assert found.tracking_identifier == "nodule"
    assert found.get_measurements()[0].value == 50.0
    assert "郑^伟" in str(copy)


def test_secondary_capture(client: DICOMwebClient, slices: list[Dataset]) -> None:
    picture = np.random.default_rng(1).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    document = hd.sc.SCImage.from_ref_dataset(
        slices[0],
        picture,
        "RGB",
        8,
        "PATIENT",
        hd.UID(),
        503,
        hd.UID(),
        1,
        "Clients",
        patient_orientation=("L", "F"),
        transfer_syntax_uid=RLELossless,
    )
    copy = hd.imread(as_file(stored(client, document)))
    assert np.array_equal(copy.get_frame(1, apply_icc_profile=False), picture)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint16], ids=str)
def test_parametric_map(client: DICOMwebClient, slices: list[Dataset], dtype: type) -> None:
    values = np.random.default_rng(2).random(SHAPE) * 100
    mapping = hd.pm.RealWorldValueMapping(
        "value",
        "a quantity",
        codes.UCUM.NoUnits,
        (0.0, 100.0) if np.dtype(dtype).kind == "f" else (0, 100),
        slope=1,
        intercept=0,
    )
    document = hd.pm.ParametricMap(
        slices,
        values.astype(dtype),
        hd.UID(),
        504,
        hd.UID(),
        1,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[mapping],
        window_center=50,
        window_width=100,
        **EQUIPMENT,
    )
    copy = pydicom.dcmread(as_file(stored(client, document)))
    order = [
        float(frame.PlanePositionSequence[0].ImagePositionPatient[2]) for frame in copy.PerFrameFunctionalGroupsSequence
    ]
    at = [order.index(float(image.ImagePositionPatient[2])) for image in slices]
    assert np.array_equal(copy.pixel_array[at], values.astype(dtype))
    assert len(client.retrieve_instance_frames(*uids(document), [1])[0]) == values[0].astype(dtype).nbytes


Maker = Callable[[list[Dataset]], Dataset]


def key_objects(slices: list[Dataset]) -> Dataset:
    content = hd.ko.KeyObjectSelection(codes.DCM.Manifest, slices[:2])
    return hd.ko.KeyObjectSelectionDocument(slices[:2], content, hd.UID(), 505, hd.UID(), 1, manufacturer="Clients")


def presentation_state(slices: list[Dataset]) -> Dataset:
    return hd.pr.GrayscaleSoftcopyPresentationState(
        slices, hd.UID(), 506, hd.UID(), 1, content_label="STATE", voi_lut_transformations=[
            hd.pr.SoftcopyVOILUTTransformation(40, 400)
        ], **EQUIPMENT,
    )  # fmt: skip


@pytest.mark.parametrize("make", [key_objects, presentation_state], ids=lambda make: make.__name__)
def test_objects_without_pixels(client: DICOMwebClient, slices: list[Dataset], make: Maker) -> None:
    document = make(slices)
    stored(client, document)
    rows = client.search_for_instances(*uids(document)[:2])
    assert [row["00080016"]["Value"] for row in rows] == [[document.SOPClassUID]]
