"""Construction of CT Image objects (PS3.3 section A.3) from the slices of a volume."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from apps.synthetic.dicom_image import FilmDescription, patient_and_study, uid_of

LUNG_WINDOW = (-600, 1500)
"""Centre and width in Hounsfield units."""


def wrap_volume(
    voxels: npt.NDArray[np.int16], study: FilmDescription, *, spacing: tuple[float, float, float]
) -> Iterator[bytes]:
    """Yield a DICOM file for each slice of a generated chest, from head to feet.

    Args:
        voxels: (slices, rows, columns) in Hounsfield units; rows run from front to back, columns from the patient's
            right to the left.
        spacing: between slices, rows and columns in mm.

    Raises:
        ValueError: for other shapes or types.
    """
    if voxels.ndim != 3 or voxels.dtype != np.int16:
        raise ValueError("a volume is a three-dimensional array of int16")
    study = replace(study, view="")
    for number, pixels in enumerate(voxels, start=1):
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        patient_and_study(dataset, study)
        _series(dataset, study, spacing)
        dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, uid_of(study, f"slice {number}")
        dataset.InstanceNumber, dataset.AcquisitionNumber = number, 1
        dataset.ImagePositionPatient = [
            round(-spacing[2] * voxels.shape[2] / 2, 3),
            round(-spacing[1] * voxels.shape[1] / 2, 3),
            round(-spacing[0] * number, 3),
        ]
        dataset.SliceLocation = dataset.ImagePositionPatient[2]
        _pixels(dataset, pixels)
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        buffer = io.BytesIO()
        dataset.save_as(buffer, enforce_file_format=True)
        yield buffer.getvalue()


def _series(dataset: Dataset, study: FilmDescription, spacing: tuple[float, float, float]) -> None:
    dataset.SeriesInstanceUID = uid_of(study, "series")
    dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator = uid_of(study, "frame of reference"), ""
    dataset.Modality, dataset.SeriesNumber, dataset.BodyPartExamined = "CT", 1, "CHEST"
    dataset.SeriesDescription = "SYNTHETIC chest CT" if study.synthetic else "Chest CT"
    dataset.Manufacturer, dataset.ManufacturerModelName = "MedPortal", "SYNTHETIC"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.KVP, dataset.PatientPosition = "", "HFS"
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing = [round(spacing[1], 5), round(spacing[2], 5)]
    dataset.SliceThickness = dataset.SpacingBetweenSlices = round(spacing[0], 5)
    dataset.BurnedInAnnotation = "NO"


def _pixels(dataset: Dataset, pixels: npt.NDArray[np.int16]) -> None:
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = 0, 1, "HU"
    dataset.WindowCenter, dataset.WindowWidth = LUNG_WINDOW
    dataset.add_new("PixelData", "OW", pixels.astype("<i2").tobytes())
