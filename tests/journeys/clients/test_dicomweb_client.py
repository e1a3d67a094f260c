"""Every method of dicomweb-client (github.com/ImagingDataCommons/dicomweb-client) against the archive."""

from __future__ import annotations

import copy
import io
from collections.abc import Iterator
from typing import Any

import pydicom
import pytest
from dicomweb_client import DICOMwebClient
from PIL import Image
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.encaps import generate_frames
from pydicom.uid import generate_uid
from requests import HTTPError

from tests.journeys.services import Site

IMAGES = [
    "CT_small.dcm",
    "MR_small_implicit.dcm",
    "MR_small_bigendian.dcm",
    "SC_rgb_small_odd_jpeg.dcm",
    "JPGExtended.dcm",
    "SC_rgb_jpeg_gdcm.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "MR_small_jp2klossless.dcm",
    "JPEG2000.dcm",
    "SC_rgb_rle_16bit_2frame.dcm",
    "rtdose.dcm",
    "liver_1frame.dcm",
    "examples_palette.dcm",
    "examples_ybr_color.dcm",
]
"""A file for each transfer syntax and kind of pixels; all come with pydicom."""
OTHERS = ["rtplan.dcm", "waveform_ecg.dcm", "test-SR.dcm", "reportsi.dcm", "image_dfl.dcm"]
LOSSY = ["SC_rgb_small_odd_jpeg.dcm", "JPGExtended.dcm", "JPEG2000.dcm", "examples_ybr_color.dcm"]
AS_STORED: Any = (("application/dicom", "*"),)
"""Without a transfer syntax a client asks for Explicit VR Little Endian (PS3.18 section 8.7.3.5.2)."""
MEDIA_TYPES = {
    "1.2.840.10008.1.2.4.50": "image/jpeg",
    "1.2.840.10008.1.2.4.51": "image/jpeg",
    "1.2.840.10008.1.2.4.70": "image/jpeg",
    "1.2.840.10008.1.2.4.80": "image/jls",
    "1.2.840.10008.1.2.4.90": "image/jp2",
    "1.2.840.10008.1.2.4.91": "image/jp2",
    "1.2.840.10008.1.2.5": "image/dicom-rle",
}


def load(name: str) -> Dataset:
    """A file of pydicom's, as an object of a patient and a study of its own."""
    path = get_testdata_file(name, download=False)
    assert isinstance(path, str), name
    dataset = pydicom.dcmread(path)
    dataset.PatientID = f"CLIENT-{name}"
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(dataset, keyword, generate_uid(entropy_srcs=[name, keyword]))
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


def uids(dataset: Dataset) -> tuple[str, str, str]:
    return dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID


@pytest.fixture(scope="module")
def stored(client: DICOMwebClient) -> dict[str, Dataset]:
    """Objects by their file's name, stored in one request, all without failure."""
    objects = {name: load(name) for name in IMAGES + OTHERS}
    answer = client.store_instances(list(objects.values()))
    assert "FailedSOPSequence" not in answer, answer
    assert len(answer.ReferencedSOPSequence) == len(objects)
    return objects


@pytest.mark.parametrize("name", IMAGES + OTHERS)
def test_what_is_retrieved_is_what_was_stored(client: DICOMwebClient, stored: dict[str, Dataset], name: str) -> None:
    study, series, instance = uids(stored[name])
    copies = [
        client.retrieve_instance(study, series, instance, media_types=AS_STORED),
        *client.retrieve_series(study, series, media_types=AS_STORED),
        *client.iter_series(study, series, media_types=AS_STORED),
        *client.retrieve_study(study, media_types=AS_STORED),
        *client.iter_study(study, media_types=AS_STORED),
    ]
    assert len(copies) == 5
    for retrieved in copies:
        assert retrieved == stored[name]
        assert retrieved.file_meta.TransferSyntaxUID == stored[name].file_meta.TransferSyntaxUID
    (default,) = client.retrieve_series(study, series)
    assert default.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1" or name in LOSSY
    if default.get("SamplesPerPixel") == 1 and name not in LOSSY:
        assert (default.pixel_array == stored[name].pixel_array).all()


@pytest.mark.parametrize("name", IMAGES)
def test_frames_in_the_stored_syntax_and_decoded(client: DICOMwebClient, stored: dict[str, Dataset], name: str) -> None:
    dataset = stored[name]
    syntax = dataset.file_meta.TransferSyntaxUID
    count = int(dataset.get("NumberOfFrames") or 1)
    numbers = list(range(1, count + 1))
    if syntax.is_compressed:
        expected = list(generate_frames(dataset.PixelData, number_of_frames=count))
        kind: Any = ((MEDIA_TYPES[str(syntax)], str(syntax)),)
        assert client.retrieve_instance_frames(*uids(dataset), numbers, media_types=kind) == expected
    else:
        big = not syntax.is_little_endian
        pixels = dataset.pixel_array.astype("<u2").tobytes() if big else dataset.PixelData
        assert b"".join(client.retrieve_instance_frames(*uids(dataset), numbers)) == pixels[: len(pixels)]
    native: Any = (("application/octet-stream", "1.2.840.10008.1.2.1"),)
    frames = list(client.iter_instance_frames(*uids(dataset), numbers, media_types=native))
    samples = dataset.Rows * dataset.Columns * dataset.SamplesPerPixel
    length = -(-samples // 8) if dataset.BitsAllocated == 1 else samples * dataset.BitsAllocated // 8
    assert [len(frame) for frame in frames] == [length] * count
    if syntax.is_compressed and dataset.SamplesPerPixel == 1:
        assert b"".join(frames) == dataset.pixel_array.tobytes()


@pytest.mark.parametrize("name", IMAGES)
def test_rendered_images(client: DICOMwebClient, stored: dict[str, Dataset], name: str) -> None:
    dataset = stored[name]
    size = (dataset.Columns, dataset.Rows)
    for media_type, format_name in (("image/png", "PNG"), ("image/jpeg", "JPEG")):
        kind: Any = (media_type,)
        picture = Image.open(io.BytesIO(client.retrieve_instance_rendered(*uids(dataset), media_types=kind)))
        assert (picture.format, picture.size) == (format_name, size)
        frame = client.retrieve_instance_frames_rendered(*uids(dataset), [1], media_types=kind)
        assert Image.open(io.BytesIO(frame)).size == size
    series = client.retrieve_series_rendered(*uids(dataset)[:2], media_types=("image/png",))
    assert Image.open(io.BytesIO(series)).format == "PNG"


def bulk_urls(archive: Site, model: Any) -> Iterator[str]:
    """The addresses of the bulk data that metadata refer to, at any depth."""
    for attribute in model.values():
        if "BulkDataURI" in attribute:
            # The client's Host header lacks the port, from which the server builds its addresses.
            yield attribute["BulkDataURI"].replace("http://127.0.0.1/", f"{archive.url}/")
        for item in attribute.get("Value", []) if attribute["vr"] == "SQ" else []:
            yield from bulk_urls(archive, item)


@pytest.mark.parametrize("name", IMAGES + OTHERS)
def test_metadata_and_bulk_data(archive: Site, client: DICOMwebClient, stored: dict[str, Dataset], name: str) -> None:
    study, series, instance = uids(stored[name])
    metadata = client.retrieve_instance_metadata(study, series, instance)
    assert client.retrieve_series_metadata(study, series) == client.retrieve_study_metadata(study) == [metadata]
    dataset = Dataset.from_json(metadata, bulk_data_uri_handler=lambda *_: b"")
    for keyword in ("PatientID", "SOPClassUID", "Modality", "Rows", "BitsStored"):
        assert dataset.get(keyword) == stored[name].get(keyword), keyword
    private = {element.tag for element in stored[name] if element.tag.is_private and element.tag.element}
    assert private <= set(dataset.keys())
    addresses = list(bulk_urls(archive, metadata))
    assert addresses or "PixelData" not in stored[name]
    for address in addresses:
        parts = client.retrieve_bulkdata(address)
        assert parts and all(parts)
        assert list(client.iter_bulkdata(address)) == parts


def test_searches(client: DICOMwebClient, stored: dict[str, Dataset]) -> None:
    wanted = stored["CT_small.dcm"]
    study, series, instance = uids(wanted)
    (found,) = client.search_for_studies(search_filters={"PatientID": wanted.PatientID})
    assert found["0020000D"]["Value"] == [study]
    assert client.search_for_studies(search_filters={"PatientID": "CLIENT-CT*"}) == [found]
    assert client.search_for_studies(search_filters={"PatientID": "nobody"}) == []
    everything = client.search_for_studies()
    assert len(everything) == len(stored)
    pages = [client.search_for_studies(limit=5, offset=offset) for offset in range(0, len(everything), 5)]
    assert [row for page in pages for row in page] == everything
    assert client.search_for_studies(limit=5, get_remaining=True) == everything
    fields = client.search_for_studies(fields=["StudyDescription"], search_filters={"StudyInstanceUID": study})
    assert fields[0]["0020000D"]["Value"] == [study]
    (row,) = client.search_for_series(study)
    assert row["0020000E"]["Value"] == [series]
    assert [row["00080060"]["Value"] for row in client.search_for_series(search_filters={"Modality": "RTPLAN"})] == [
        ["RTPLAN"]
    ]
    for rows in (
        client.search_for_instances(study),
        client.search_for_instances(study, series),
        client.search_for_instances(search_filters={"SOPInstanceUID": instance}),
    ):
        assert [row["00080018"]["Value"] for row in rows] == [[instance]]
    name = str(wanted.PatientName)
    fuzzy = client.search_for_studies(fuzzymatching=True, search_filters={"PatientName": name[:6]})
    assert study in [row["0020000D"]["Value"][0] for row in fuzzy]


def test_deletions(client: DICOMwebClient) -> None:
    """Refused with the reason within the retention period, and possible after it."""
    kept, old = load("MR_small_RLE.dcm"), load("MR_small_RLE.dcm")
    kept.StudyDate, old.StudyDate, old.PatientID = "20260101", "19500101", "CLIENT-OLD"
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(old, keyword, generate_uid(entropy_srcs=["old", keyword]))
    old.file_meta = copy.copy(kept.file_meta)
    old.file_meta.MediaStorageSOPInstanceUID = old.SOPInstanceUID
    for dataset in (kept, old):
        study, series, instance = uids(dataset)
        for delete, address in (
            (client.delete_instance, (study, series, instance)),
            (client.delete_series, (study, series)),
            (client.delete_study, (study,)),
        ):
            assert "FailedSOPSequence" not in client.store_instances([dataset])
            assert client.retrieve_study(study, media_types=AS_STORED) == [dataset]
            if dataset is kept:
                with pytest.raises(HTTPError) as refused:
                    delete(*address)
                assert refused.value.response.status_code == 409
                assert "must be kept until 2056-01-01" in refused.value.response.text
                continue
            delete(*address)
            with pytest.raises(HTTPError) as gone:
                client.retrieve_study(study)
            assert gone.value.response.status_code == 404


def test_storing_to_a_study_refuses_another(client: DICOMwebClient) -> None:
    dataset = load("MR_small.dcm")
    with pytest.raises(HTTPError) as refused:
        client.store_instances([dataset], study_instance_uid=generate_uid())
    assert refused.value.response.status_code == 409
    assert "FailedSOPSequence" not in client.store_instances([dataset], study_instance_uid=dataset.StudyInstanceUID)
    assert client.retrieve_study(dataset.StudyInstanceUID, media_types=AS_STORED) == [dataset]
