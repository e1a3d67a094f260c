"""Construction of Digital X-Ray objects (PS3.3 section A.26) from greyscale images."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    generate_uid,
)

ROOT = "2.25."


@dataclass(frozen=True)
class FilmDescription:
    """Header values of a wrapped image.

    Attributes:
        identity: strings from which the UIDs are derived; the same strings give the same UIDs.
        name: a person name, components separated by ^.
        synthetic: whether the image is generated; the header then says so.
        age: Patient's Age as an Age String ("004Y"); omitted if empty.
    """

    mrn: str
    name: str
    birth_date: date | None
    sex: str
    study_date: date
    accession_number: str
    identity: Sequence[str]
    description: str = "Chest, frontal"
    view: str = "PA"
    issuer: str = ""
    priority: str = "ROUTINE"
    synthetic: bool = False
    age: str = ""


def wrap_film(pixels: npt.NDArray[np.unsignedinteger], film: FilmDescription, *, bits: int) -> bytes:
    """Build a DICOM file of a frontal chest radiograph.

    Args:
        pixels: (rows, columns) uint8 or uint16, larger = brighter.
        bits: bits stored, 8 to 16.

    Raises:
        ValueError: for other shapes or types.
    """
    if pixels.ndim != 2 or pixels.dtype not in (np.uint8, np.uint16):
        raise ValueError("an image is a two-dimensional array of uint8 or uint16")
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    patient_and_study(dataset, film)
    _series_and_equipment(dataset, film)
    _image(dataset, film)
    _pixels(dataset, pixels, bits)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def uid_of(film: FilmDescription, level: str) -> str:
    """Return the UID of a level (study, series, instance …)."""
    return str(generate_uid(prefix=ROOT, entropy_srcs=[*film.identity, level]))


def patient_and_study(dataset: Dataset, film: FilmDescription) -> None:
    """Write the Patient and General Study modules into a data set."""
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientID, dataset.PatientName, dataset.PatientSex = film.mrn, film.name, film.sex
    dataset.IssuerOfPatientID = film.issuer
    dataset.PatientBirthDate = film.birth_date.strftime("%Y%m%d") if film.birth_date else ""
    if film.age:
        dataset.PatientAge = film.age
    dataset.StudyInstanceUID = uid_of(film, "study")
    dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = film.study_date.strftime("%Y%m%d")
    dataset.StudyTime = dataset.ContentTime = "120000"
    dataset.StudyID = "1"
    dataset.AccessionNumber = film.accession_number
    dataset.ReferringPhysicianName = ""
    dataset.StudyDescription = film.description
    dataset.RequestedProcedurePriority = film.priority


def _series_and_equipment(dataset: Dataset, film: FilmDescription) -> None:
    dataset.SeriesInstanceUID = uid_of(film, "series")
    dataset.Modality, dataset.SeriesNumber = "DX", 1
    dataset.SeriesDescription = "SYNTHETIC frontal film" if film.synthetic else "Frontal film"
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.Manufacturer = "MedPortal"
    dataset.ManufacturerModelName = "SYNTHETIC" if film.synthetic else "wrapped picture"
    dataset.BodyPartExamined, dataset.ViewPosition = "CHEST", film.view
    region = Dataset()
    region.CodeValue, region.CodingSchemeDesignator, region.CodeMeaning = "43799004", "SCT", "Chest"
    dataset.AnatomicRegionSequence = [region]
    dataset.ImageLaterality = "U"


def _image(dataset: Dataset, film: FilmDescription) -> None:
    dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID = uid_of(film, "instance")
    dataset.InstanceNumber = 1
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.DerivationDescription = "SYNTHETIC: drawn by a program" if film.synthetic else "wrapped from a picture file"
    dataset.BurnedInAnnotation = "YES" if film.synthetic else "NO"
    dataset.PatientOrientation = ["L", "F"]
    dataset.AcquisitionContextSequence = []
    dataset.DetectorType = "DIRECT"
    dataset.LossyImageCompression = "00" if film.synthetic else "01"


def _pixels(dataset: Dataset, pixels: npt.NDArray[np.unsignedinteger], bits: int) -> None:
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = pixels.dtype.itemsize * 8, bits, bits - 1
    dataset.PixelRepresentation = 0
    dataset.PixelIntensityRelationship, dataset.PixelIntensityRelationshipSign = "LOG", 1
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = 0, 1, "US"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.WindowCenter, dataset.WindowWidth = 2 ** (bits - 1), 2**bits
    content = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    dataset.add_new("PixelData", "OW" if pixels.dtype == np.uint16 else "OB", content + b"\0" * (len(content) % 2))
