"""DICOMweb beside Orthanc in one run, with the same 100 CT slices; ``python -m tests.benchmarks.dicomweb``.

Processor time is that of the server's process and its children, per request. Ours seals every byte, Orthanc does not.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

import psutil  # noqa: E402
import pydicom  # noqa: E402
import requests  # noqa: E402

from tests import binaries  # noqa: E402
from tests.benchmarks.table import Row  # noqa: E402
from tests.factories import chest_files, related  # noqa: E402
from tests.journeys.services import Site, free_port, stop, wait_for  # noqa: E402

SHAPE = (100, 512, 512)
FRAME = 'multipart/related; type="application/octet-stream"'
JSON = "application/dicom+json"
PLUGIN_FOLDERS = ("/usr/share/orthanc/plugins", "/usr/lib/orthanc")
Figures = dict[str, tuple[float, float]]
"""By name: requests a second, and milliseconds of processor time a request."""


class Server:
    """A DICOMweb server; every thread has a connection of its own."""

    def __init__(self, root: str, pid: int, headers: dict[str, str]) -> None:
        self.root, self.process, self.headers = root, psutil.Process(pid), headers

    def session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.headers.update({**self.headers, "Accept-Encoding": "identity"})  # Orthanc would compress each frame
        return session

    def processor_seconds(self) -> float:
        processes = [self.process, *self.process.children(recursive=True)]
        return sum(times.user + times.system for times in (process.cpu_times() for process in processes))

    def timed(self, number: int, action: Callable[[], object]) -> tuple[float, float]:
        """Requests a second, and milliseconds of processor time for each."""
        before, started = self.processor_seconds(), time.perf_counter()
        action()
        seconds = time.perf_counter() - started
        return number / seconds, 1000 * (self.processor_seconds() - before) / number


@contextmanager
def orthanc(folder: Path) -> Iterator[Server]:
    """An empty Orthanc."""
    port = free_port()
    plugin = next(path for place in PLUGIN_FOLDERS for path in sorted(Path(place).glob("libOrthancDicomWeb.so*")))
    settings = {
        "HttpPort": port,
        "DicomServerEnabled": False,
        "AuthenticationEnabled": False,
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "Plugins": [str(plugin)],
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    command = [binaries.require("orthanc"), str(folder / "orthanc.json")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    server = Server(f"http://127.0.0.1:{port}/dicom-web", process.pid, {})
    try:
        wait_for(lambda: server.session().get(f"{server.root}/studies", timeout=2).ok, 60, "Orthanc")
        yield server
    finally:
        stop(process)


def figures(server: Server, files: list[bytes]) -> tuple[Figures, list[bytes]]:
    """Measure a server; also return the first frame of each slice, to compare."""
    session = server.session()
    results: Figures = {}
    first = pydicom.dcmread(io.BytesIO(files[0]), stop_before_pixels=True)
    series = f"{server.root}/studies/{first.StudyInstanceUID}/series/{first.SeriesInstanceUID}"
    uids = [pydicom.dcmread(io.BytesIO(file), stop_before_pixels=True).SOPInstanceUID for file in files]

    def store() -> None:
        for start in range(0, len(files), 10):
            body, content_type = related(*files[start : start + 10])
            headers = {"Content-Type": content_type, "Accept": JSON}
            session.post(f"{server.root}/studies", data=body, headers=headers).raise_for_status()

    def frames(own: requests.Session) -> list[bytes]:
        answers = [own.get(f"{series}/instances/{uid}/frames/1", headers={"Accept": FRAME}) for uid in uids]
        return [answer.content.partition(b"\r\n\r\n")[2][: SHAPE[1] * SHAPE[2] * 2] for answer in answers]

    def by_six() -> None:
        threads = [threading.Thread(target=frames, args=(server.session(),)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def repeat(url: str) -> None:
        for _ in range(20):
            session.get(url, headers={"Accept": JSON}).raise_for_status()

    results["STOW of CT slices, 10 a request"] = server.timed(len(files), store)
    pixels = frames(session)
    results["frames, 1 client"] = server.timed(len(files), lambda: frames(session))
    results["frames, 6 clients"] = server.timed(6 * len(files), by_six)
    results["metadata of the series"] = server.timed(20, lambda: repeat(f"{series}/metadata"))
    search = f"{server.root}/studies?StudyInstanceUID={first.StudyInstanceUID}"
    results["QIDO by Study Instance UID"] = server.timed(20, lambda: repeat(search))
    return results, pixels


def measure() -> Iterator[Row]:
    """Rates and processor time, ours against Orthanc's; nothing where Orthanc is missing."""
    if binaries.find("orthanc") is None:
        return
    files = list(chest_files(mrn="BENCHMARK", shape=SHAPE))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        with Site(place / "ours", background=False, API_RATE="1000000/min") as site:
            token = {"Authorization": f"Token {site.token('doctor')}"}
            own, frames = figures(Server(f"{site.url}/dicom-web", site.processes[0].pid, token), files)
        with orthanc(place) as peer:
            others, other_frames = figures(peer, files)
    assert frames == other_frames, "both give the same bytes"
    assert all(len(frame) == SHAPE[1] * SHAPE[2] * 2 for frame in frames)
    for what, (rate, cost) in own.items():
        other_rate, other_cost = others[what]
        yield Row(
            what, f"{rate:.1f}/s, {cost:.1f} ms CPU", f"{other_rate:.1f}/s, {other_cost:.1f} ms", rate / other_rate
        )


if __name__ == "__main__":
    for row in measure():
        print(Row.line(row), flush=True)
