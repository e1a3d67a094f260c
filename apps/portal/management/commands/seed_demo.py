"""``manage.py seed_demo``: accounts, synthetic patients and films of the demonstration."""

from __future__ import annotations

import io
import os
from argparse import ArgumentParser
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.accounts.actors import System
from apps.accounts.models import CareTeam, User
from apps.imaging.dicom.synthetic import draw_film
from apps.imaging.dicom.wrapping import FilmDescription, wrap_film
from apps.imaging.ingest import receive
from apps.patients.portal_account import link_account
from apps.patients.queries import with_identity
from apps.portal.management import demo_cast

ACTOR = System("the demonstration is seeded")


class Command(BaseCommand):
    help = "Make the demo's accounts (--accounts) or its films (--films); both can be repeated."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--accounts", action="store_true")
        parser.add_argument("--films", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("only in the demonstration: set MEDPORTAL_DEMO=1 on a machine without real patients")
        if options["accounts"]:
            make_accounts(os.environ.get("DEMO_PASSWORD") or "medportal-demo")
        if options["films"]:
            self.stdout.write(f"{seed_films()} films taken in")


def make_accounts(password: str) -> None:
    """The log-ins and the two care teams; existing ones keep their passwords unless it changed."""
    teams = [CareTeam.objects.get_or_create(name=name)[0] for name in demo_cast.TEAMS]
    for username, role, name, team in demo_cast.PEOPLE:
        user, _ = User.objects.get_or_create(username=username, defaults={"role": role, "staff_name": name})
        if not user.check_password(password):
            user.set_password(password)
            user.save()
        if team is not None:
            user.care_teams.add(teams[team])


def seed_films() -> int:
    """Draw and take in the films that are not there yet; returns how many were taken in.

    They arrive like any other scan, and are analysed by the worker while the site is in use.
    """
    teams = [CareTeam.objects.get(name=name) for name in demo_cast.TEAMS]
    descriptions = demo_cast.films()
    taken = 0
    with ProcessPoolExecutor(1) as pool:
        for film, content in zip(descriptions, pool.map(_draw, descriptions), strict=True):
            received = receive(io.BytesIO(content), actor=ACTOR, care_teams=[teams[film.team]], urgent=False)
            taken += received.instance is not None and received.code == ""
            _link_portal_user(film.mrn)
    return taken


def _draw(film: demo_cast.DemoFilm) -> bytes:
    drawn = draw_film(film.seed, pattern=film.pattern, size=512)
    description = FilmDescription(
        mrn=film.mrn,
        name=film.name,
        birth_date=film.birth_date,
        sex=film.sex,
        study_date=film.study_date,
        accession_number=f"SYN{film.seed}",
        identity=["medportal demo", film.mrn, str(film.seed)],
        issuer=demo_cast.ISSUER,
        priority="STAT" if film.stat else "ROUTINE",
        synthetic=True,
    )
    return wrap_film(drawn.pixels, description, bits=12)


def _link_portal_user(mrn: str) -> None:
    """The demo's patient signs in as the first of the cast."""
    if mrn != demo_cast.PORTAL_MRN:
        return
    user = User.objects.get(username="patient")
    patient = with_identity(mrn, demo_cast.ISSUER)
    if patient is not None and patient.portal_user_id is None:
        link_account(patient, user, actor=ACTOR)
