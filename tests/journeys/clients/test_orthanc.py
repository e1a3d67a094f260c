"""Orthanc with its DICOMweb plug-in as a client of the archive: stores to it, queries it, retrieves from it."""

from __future__ import annotations

import io
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
import requests
from dicomweb_client import DICOMwebClient
from pydicom import Dataset

from tests import binaries
from tests.journeys.clients.test_dicomweb_client import AS_STORED, load, uids
from tests.journeys.services import Site, free_port, stop, wait_for

pytestmark = pytest.mark.needs("orthanc")

FILES = [
    "CT_small.dcm",
    "MR_small_implicit.dcm",
    "MR_small_jp2klossless.dcm",
    "SC_rgb_rle_16bit_2frame.dcm",
    "examples_ybr_color.dcm",
    "liver_1frame.dcm",
    "rtplan.dcm",
    "test-SR.dcm",
]
PLUGINS = ["/usr/share/orthanc/plugins", "/usr/lib/orthanc"]


class Orthanc:
    """A running Orthanc that knows the archive as "ours"."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, path: str) -> requests.Response:
        answer = self.session.get(self.url + path, timeout=60)
        answer.raise_for_status()
        return answer

    def post(self, path: str, body: Any) -> Any:
        content = body if isinstance(body, bytes) else json.dumps(body)
        answer = self.session.post(self.url + path, data=content, timeout=60)
        assert answer.ok, (path, answer.text)
        return answer.json()

    def upload(self, dataset: Dataset) -> str:
        """Store an object in Orthanc; its id there."""
        buffer = io.BytesIO()
        dataset.save_as(buffer)
        return str(self.post("/instances", buffer.getvalue())["ID"])

    def server(self, action: str, body: Any) -> Any:
        """Let Orthanc make a request of the archive and wait for its job."""
        answer = self.post(f"/dicom-web/servers/ours/{action}", body)
        while isinstance(answer, dict) and "ID" in answer and "Type" not in answer:
            job = self.get(f"/jobs/{answer['ID']}").json()
            if job["State"] in ("Success", "Failure"):
                assert job["State"] == "Success", job
                return job
            time.sleep(0.1)
        return answer

    def clear(self) -> None:
        for patient in self.get("/patients").json():
            self.session.delete(f"{self.url}/patients/{patient}", timeout=60).raise_for_status()
        assert self.get("/instances").json() == []


@pytest.fixture(scope="module")
def orthanc(
    archive: Site, authorization: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Orthanc]:
    """Orthanc on a port and a folder of its own."""
    folder, port = tmp_path_factory.mktemp("orthanc"), free_port()
    plugin = next(path for place in PLUGINS for path in sorted(Path(place).glob("libOrthancDicomWeb.so*")))
    settings = {
        "Name": "journey",
        "HttpPort": port,
        "DicomServerEnabled": False,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "Plugins": [str(plugin)],
        "DicomWeb": {
            "Enable": True,
            "Servers": {"ours": {"Url": f"{archive.url}/dicom-web/", "HttpHeaders": authorization}},
        },
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "log").open("wb") as log:
        command = [binaries.require("orthanc"), str(folder / "orthanc.json")]
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, start_new_session=True)
    peer = Orthanc(f"http://127.0.0.1:{port}")
    try:
        wait_for(lambda: peer.session.get(f"{peer.url}/system", timeout=2).ok, 60, f"Orthanc; see {folder / 'log'}")
        yield peer
    finally:
        stop(process)


@pytest.fixture(scope="module")
def sent(orthanc: Orthanc) -> dict[str, Dataset]:
    """Objects that Orthanc stored to the archive in one request."""
    objects = {name: load(name) for name in FILES}
    for name, dataset in objects.items():
        dataset.PatientID = f"ORTHANC-{name}"
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            setattr(dataset, keyword, f"{dataset[keyword].value[:60]}.7")
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    resources = [orthanc.upload(dataset) for dataset in objects.values()]
    orthanc.server("stow", {"Resources": resources, "Synchronous": False})
    return objects


def test_orthanc_stores(client: DICOMwebClient, sent: dict[str, Dataset]) -> None:
    for name, dataset in sent.items():
        assert client.retrieve_instance(*uids(dataset), media_types=AS_STORED) == dataset, name


def test_orthanc_queries(orthanc: Orthanc, sent: dict[str, Dataset]) -> None:
    wanted = sent["CT_small.dcm"]
    asked = {"Uri": "/studies", "Arguments": {"PatientID": wanted.PatientID}}
    answer = json.loads(orthanc.session.post(f"{orthanc.url}/dicom-web/servers/ours/get", json=asked).content)
    assert [row["0020000D"]["Value"] for row in answer] == [[wanted.StudyInstanceUID]]
    (study,) = orthanc.server("qido", {"Uri": "/studies", "Arguments": {"PatientID": wanted.PatientID}})
    assert study["0020000D"]["Value"] == wanted.StudyInstanceUID
    assert study["00100010"]["Value"] == str(wanted.PatientName)
    (series,) = orthanc.server("qido", {"Uri": f"/studies/{wanted.StudyInstanceUID}/series"})
    assert series["0020000E"]["Value"] == wanted.SeriesInstanceUID
    everything = orthanc.server("qido", {"Uri": "/studies", "Arguments": {"PatientID": "ORTHANC-*", "limit": "100"}})
    assert len(everything) == len(sent)


def test_orthanc_retrieves(orthanc: Orthanc, sent: dict[str, Dataset]) -> None:
    orthanc.clear()
    resources = [{"Study": dataset.StudyInstanceUID} for dataset in sent.values()]
    orthanc.server("retrieve", {"Resources": resources, "Synchronous": False})
    copies = {}
    for instance in orthanc.get("/instances").json():
        copy = pydicom.dcmread(io.BytesIO(orthanc.get(f"/instances/{instance}/file").content))
        copies[copy.SOPInstanceUID] = copy
    for name, dataset in sent.items():
        copy = copies.pop(dataset.SOPInstanceUID)
        assert copy == dataset, name
        assert copy.get("PixelData") == dataset.get("PixelData"), name
        assert copy.file_meta.TransferSyntaxUID == dataset.file_meta.TransferSyntaxUID, name
    assert not copies
