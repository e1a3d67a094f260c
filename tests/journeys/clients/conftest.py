"""One archive for the tests with other people's software: a web process without workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from dicomweb_client import DICOMwebClient

from tests.journeys.services import Site


@pytest.fixture(scope="package")
def archive(tmp_path_factory: pytest.TempPathFactory, database_templates: Path) -> Iterator[Site]:
    """The archive, served as ``manage.py demo`` serves it."""
    folder = tmp_path_factory.mktemp("archive")
    with Site(folder, templates=database_templates, background=False, RETENTION_YEARS="30") as running:
        yield running


@pytest.fixture(scope="package")
def authorization(archive: Site) -> dict[str, str]:
    """The headers with which a doctor's software reads and stores."""
    return {"Authorization": f"Token {archive.token('doctor')}"}


@pytest.fixture(scope="package")
def client(archive: Site, authorization: dict[str, str]) -> DICOMwebClient:
    """dicomweb-client, signed in by token."""
    session = requests.Session()
    session.trust_env = False  # no proxy on the way to this machine
    return DICOMwebClient(f"{archive.url}/dicom-web", session=session, headers=authorization)
