"""OHIF's published build in front of the archive; needs OHIF_DIST, see docs/interoperability.md."""

from __future__ import annotations

import io
import mimetypes
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pydicom
import pytest
import requests
from dicomweb_client import DICOMwebClient
from playwright.sync_api import Browser, Page

from apps.explainability.drawing.dicom import ObjectDescription, parametric_map
from tests.factories import chest_files
from tests.journeys.services import Site

pytestmark = [
    pytest.mark.needs("chromium"),
    pytest.mark.skipif(not os.environ.get("OHIF_DIST"), reason="needs OHIF_DIST, the folder of OHIF's build"),
]
CONFIGURATION = """window.config = {
  routerBasename: '/', extensions: [], modes: [], customizationService: {}, showStudyList: true,
  showWarningMessageForCrossOrigin: false, showCPUFallbackMessage: false, maxNumberOfWebWorkers: 2,
  investigationalUseDialog: {option: 'never'}, defaultDataSourceName: 'archive',
  dataSources: [{
    namespace: '@ohif/extension-default.dataSourcesModule.dicomweb', sourceName: 'archive',
    configuration: {
      friendlyName: 'archive', name: 'archive', wadoUriRoot: '/dicom-web', qidoRoot: '/dicom-web',
      wadoRoot: '/dicom-web', qidoSupportsIncludeField: true, imageRendering: 'wadors',
      thumbnailRendering: 'wadors', enableStudyLazyLoad: true, supportsFuzzyMatching: true,
      supportsWildcard: true, omitQuotationForMultipartRequest: true,
    },
  }],
};"""
SHAPE = (16, 64, 64)
DRAWN = """() => [...document.querySelectorAll('.viewport-element canvas, canvas.cornerstone-canvas')].map(source => {
  if (!source.width) return [0, 0];
  const copy = document.createElement('canvas');
  copy.width = copy.height = 64;
  const context = copy.getContext('2d');
  context.drawImage(source, 0, 0, 64, 64);
  const pixels = context.getImageData(0, 0, 64, 64).data;
  let bright = 0, coloured = 0;
  for (let i = 0; i < pixels.length; i += 4) {
    const [r, g, b] = [pixels[i], pixels[i + 1], pixels[i + 2]];
    if (r + g + b > 60) bright++;
    if (Math.max(r, g, b) - Math.min(r, g, b) > 40) coloured++;
  }
  return [bright, coloured];
})"""
"""For each canvas: how many of 64 × 64 points are bright, and how many coloured."""


class _Proxy(BaseHTTPRequestHandler):
    """OHIF's files, and the archive at the same origin, to which it adds the token."""

    protocol_version = "HTTP/1.1"
    root: Path
    archive: str
    headers_added: dict[str, str]
    session: requests.Session

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/dicom-web"):
            asked = {**self.headers_added, "Accept": self.headers.get("Accept", "*/*"), "Host": self.headers["Host"]}
            answer = self.session.get(self.archive + self.path, headers=asked, timeout=60)
            return self._send(answer.status_code, answer.content, answer.headers.get("Content-Type", ""))
        if path == "/app-config.js":
            return self._send(200, CONFIGURATION.encode(), "text/javascript")
        file = self.root / path.lstrip("/")
        if not file.is_file():
            file = self.root / "index.html"
        kind = "application/wasm" if file.suffix == ".wasm" else mimetypes.guess_type(file)[0]
        return self._send(200, file.read_bytes(), kind or "application/octet-stream")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def ohif(archive: Site, authorization: dict[str, str]) -> Iterator[str]:
    """OHIF's address."""
    session = requests.Session()
    session.trust_env = False
    facts = {
        "root": Path(os.environ["OHIF_DIST"]),
        "archive": archive.url,
        "headers_added": authorization,
        "session": session,
    }
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Proxy", (_Proxy,), facts))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def study(client: DICOMwebClient) -> str:
    """A chest CT with our Parametric Map of it."""
    files = [pydicom.dcmread(io.BytesIO(file)) for file in chest_files(mrn="OHIF-1", shape=SHAPE)]
    values = np.zeros((SHAPE[0], 8, 8), np.float32)
    values[:, 2:5, 2:5] = 0.2
    made = parametric_map(files, values, ObjectDescription("nodule", "ct-nodule 1", "ohif"))
    map_ = pydicom.dcmread(io.BytesIO(b"".join(made.chunks)))
    assert "FailedSOPSequence" not in client.store_instances([*files, map_])
    return str(files[0].StudyInstanceUID)


def _wait_drawn(page: Page, which: int, at_least: int) -> None:
    page.wait_for_function(f"() => ({DRAWN})().some(counts => counts[{which}] >= {at_least})", timeout=60_000)


def test_ohif_lists_opens_and_overlays(ohif: str, study: str, webgl_browser: Browser, tmp_path: Path) -> None:
    page = webgl_browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(ohif)
    page.get_by_text("Berg, Tove").first.wait_for(timeout=60_000)
    page.screenshot(path=tmp_path / "list.png")
    page.goto(f"{ohif}/viewer?StudyInstanceUIDs={study}")
    _wait_drawn(page, 0, 500)
    page.screenshot(path=tmp_path / "image.png")
    page.add_style_tag(content=".shepherd-modal-overlay-container, .shepherd-element { display: none !important }")
    page.get_by_text("Decision support").first.dblclick()
    _wait_drawn(page, 1, 50)
    page.screenshot(path=tmp_path / "map.png")
    page.close()
