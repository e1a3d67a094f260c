"""Makers of rows and files for tests."""

from __future__ import annotations

import io
import time
import zipfile
from datetime import date
from functools import cache
from typing import Any

import factory
import numpy as np
from allauth.account.internal.flows import login
from django.test import Client

from apps.accounts.actors import System
from apps.accounts.models import CareTeam, Role, User
from apps.imaging.ingest import Received, receive
from apps.inference.models import Analysis
from apps.inference.routing import route
from apps.synthetic.chest_ct import draw_chest
from apps.synthetic.dicom_image import FilmDescription, wrap_film
from apps.synthetic.dicom_series import wrap_volume
from apps.synthetic.radiograph import Pattern, draw_film

PASSWORD = "correct horse battery staple"
ACTOR = System("a test")


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda number: f"user{number}")
    role = Role.DOCTOR
    password = factory.django.Password(PASSWORD)

    @factory.post_generation
    def teams(self, create: bool, extracted: list[CareTeam] | None, **kwargs: Any) -> None:
        self.care_teams.set(extracted or [])


@cache
def film_pixels(seed: int = 1, pattern: Pattern = "normal", size: int = 256) -> np.ndarray:
    """A drawn film; drawing takes time, so each is drawn once."""
    return draw_film(seed, pattern=pattern, size=size).pixels


def film_file(seed: int = 1, *, pattern: Pattern = "normal", size: int = 256, **description: Any) -> bytes:
    """A DX file of a drawn film."""
    said: dict[str, Any] = {
        "mrn": "MRN-1",
        "name": "Lindqvist^Åsa",
        "birth_date": date(2021, 5, 4),
        "sex": "F",
        "study_date": date(2026, 3, 2),
        "accession_number": "A1",
        "synthetic": True,
        **description,
    }
    said.setdefault("identity", [said["mrn"], str(seed)])
    return wrap_film(film_pixels(seed, pattern, size), FilmDescription(**said), bits=12)


@cache
def chest_files(
    seed: int = 9_000_022, *, nodule: bool = True, shape: tuple[int, int, int] = (40, 96, 96), mrn: str = "CT-1"
) -> tuple[bytes, ...]:
    """The slices of a drawn chest CT, from head to feet."""
    drawn = draw_chest(seed, nodule=nodule, shape=shape)
    described = FilmDescription(
        mrn=mrn,
        name="Berg^Tove",
        birth_date=date(1961, 2, 3),
        sex="F",
        study_date=date(2026, 3, 2),
        accession_number="A2",
        identity=[mrn, str(seed), str(shape)],
        description="Chest CT",
        synthetic=True,
    )
    return tuple(wrap_volume(drawn.voxels, described, spacing=drawn.spacing))


def take_in(content: bytes, team: CareTeam, **options: Any) -> Received:
    """Receive a file as the system, for a care team."""
    return receive(io.BytesIO(content), actor=options.pop("actor", ACTOR), care_teams=[team], **options)


def arrive(content: bytes, team: CareTeam) -> Analysis:
    """Receive a film and have it routed, as happens after commit; the queued analysis."""
    received = take_in(content, team)
    assert received.instance is not None, received.code
    return route(received.instance.series, urgent=True)[0]


def zip_of(files: dict[str, bytes]) -> bytes:
    """A ZIP archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def related(*parts: bytes, boundary: str = "BOUNDARY") -> tuple[bytes, str]:
    """A multipart/related body of DICOM parts and its content type."""
    body = b"".join(
        f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode() + part + b"\r\n" for part in parts
    )
    return body + f"--{boundary}--\r\n".encode(), f'multipart/related; type="application/dicom"; boundary={boundary}'


def browser_of(user: User | None) -> Client:
    """A browser in which the user has just signed in."""
    client = Client()
    if user is not None:
        client.force_login(user)
        session = client.session
        session[login.AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": time.time()}]
        session[login._AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(user.pk)
        session.save()
    return client
