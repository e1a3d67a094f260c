"""An engineer's client of the API, by the standard library alone."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any

from tests.factories import related
from tests.journeys.services import Site


class Api:
    """Signed in by token."""

    def __init__(self, site: Site, username: str = "doctor") -> None:
        self.url, self.token = site.url, site.token(username)

    def call(self, path: str, body: bytes | None = None, content_type: str = "") -> Any:
        return json.loads(self.raw(path, body, content_type))

    def raw(self, path: str, body: bytes | None = None, content_type: str = "") -> bytes:
        request = urllib.request.Request(self.url + path, data=body)
        if content_type:
            request.add_header("Content-Type", content_type)
        if self.token:
            request.add_header("Authorization", f"Token {self.token}")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            return bytes(answer.read())

    def status(self, path: str) -> int:
        try:
            self.raw(path)
        except urllib.error.HTTPError as error:
            return error.code
        return 200

    def store(self, *files: bytes) -> Any:
        body, content_type = related(*files)
        return self.call("/dicom-web/studies", body, content_type)

    def studies(self) -> list[dict[str, Any]]:
        return self.call("/api/v1/studies/")["results"]

    def analyses(self, study: str) -> list[dict[str, Any]]:
        return self.call(f"/api/v1/studies/{study}/analyses/")

    def explained(self, study: str, seconds: float = 240) -> dict[str, Any]:
        """Wait until the study's analysis and its explanations are done; the analysis."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            rows = self.analyses(study)
            found = [explanation for finding in rows[0]["findings"] for explanation in finding["explanations"]]
            states = {rows[0]["state"], *(explanation["state"] for explanation in found)}
            if found and states == {"succeeded"}:
                return rows[0]
            time.sleep(0.3)
        raise TimeoutError(str(self.analyses(study)))
