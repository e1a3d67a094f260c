"""Makers of DICOM files for tests."""

from __future__ import annotations

import io
from typing import Any

import pydicom
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian


def changed(content: bytes, **values: Any) -> bytes:
    """The file with other values of some elements; None removes one."""
    dataset = pydicom.dcmread(io.BytesIO(content))
    for keyword, value in values.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def beside(film: bytes, sop_class: str, **values: Any) -> bytes:
    """An object of another class in the study of a film."""
    source = pydicom.dcmread(io.BytesIO(film), stop_before_pixels=True)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for keyword in ("PatientID", "PatientName", "PatientBirthDate", "StudyInstanceUID", "SpecificCharacterSet"):
        setattr(dataset, keyword, source.get(keyword))
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.SeriesInstanceUID = (
        sop_class,
        f"1.2.3.{sop_class[-4:]}",
        "1.2.9",
    )
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
