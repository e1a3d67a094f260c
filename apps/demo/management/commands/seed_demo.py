"""``manage.py seed_demo``: accounts, synthetic patients and images of the demo."""

from __future__ import annotations

import io
import os
from argparse import ArgumentParser
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.accounts.actors import System
from apps.accounts.models import CareTeam, User
from apps.cases.collaboration import add_task
from apps.cases.services import open_case
from apps.demo import case_histories, patient_portal, people
from apps.imaging.ingest import receive
from apps.notes.editing import write as write_note
from apps.patients.portal_account import link_account
from apps.patients.queries import with_identity
from apps.predictions.alarms import evaluate, set_rule
from apps.predictions.prediction_requests import request_predictions
from apps.records.observations import build_observation, store_observations
from apps.synthetic.chest_ct import draw_chest
from apps.synthetic.dicom_image import FilmDescription, wrap_film
from apps.synthetic.dicom_series import wrap_volume
from apps.synthetic.radiograph import draw_film
from apps.terminology.loinc import catalogue

ACTOR = System("demonstration data")


class Command(BaseCommand):
    help = "Create the demo's accounts (--accounts), cases (--cases) or images (--films); idempotent."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--accounts", action="store_true")
        parser.add_argument("--cases", action="store_true")
        parser.add_argument("--films", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("only in demo mode: set MEDPORTAL_DEMO=1 on a machine without real patients")
        if options["accounts"]:
            create_accounts(os.environ.get("DEMO_PASSWORD") or "medportal-demo")
        if options["cases"]:
            self.stdout.write(f"{seed_cases()} cases opened")
        if options["films"]:
            self.stdout.write(f"{seed_films()} images stored")


def create_accounts(password: str) -> None:
    """Create the demo accounts and the two care teams; update passwords only if the demo password changed."""
    teams = [CareTeam.objects.get_or_create(name=name)[0] for name in people.TEAMS]
    for username, role, name, team in people.PEOPLE:
        user, _ = User.objects.get_or_create(username=username, defaults={"role": role, "staff_name": name})
        if not user.check_password(password):
            user.set_password(password)
            user.save()
        if team is not None:
            user.care_teams.add(teams[team])


def seed_films() -> int:
    """Generate and ingest the missing radiographs and CT slices; return how many were stored.

    They are ingested like any other study and analysed by the worker while the site is in use.
    """
    teams = [CareTeam.objects.get(name=name) for name in people.TEAMS]
    descriptions = people.films()
    count = 0
    with ProcessPoolExecutor(1) as pool:
        for film, content in zip(descriptions, pool.map(_draw, descriptions), strict=True):
            received = receive(io.BytesIO(content), actor=ACTOR, care_teams=[teams[film.team]], urgent=False)
            count += received.instance is not None and received.code == ""
        for chest in people.chests():
            for content in pool.submit(_draw_chest, chest).result():
                received = receive(io.BytesIO(content), actor=ACTOR, care_teams=[teams[chest.film.team]], urgent=False)
                count += received.instance is not None and received.code == ""
    return count


def seed_cases() -> int:
    """Create the missing cases with images, notes and values; return how many were created."""
    team = CareTeam.objects.get(name=people.TEAMS[0])
    doctor, nurse = User.objects.get(username="doctor"), User.objects.get(username="nurse")
    for what, above, below in case_histories.RULES:
        set_rule(team, what, above=above, below=below, actor=doctor)
    return sum(_seed_case(history, team, doctor, nurse) for history in case_histories.CASES)


def _seed_case(history: case_histories.DemoCase, team: CareTeam, doctor: User, nurse: User) -> bool:
    if with_identity(history.mrn, people.ISSUER) is not None:
        return False
    now = timezone.now()
    started = case_histories.at(now, -history.hours)
    film = people.DemoFilm(
        history.mrn,
        history.name,
        history.birth_date,
        history.sex,
        0,
        now.date(),
        history.seed,
        history.pattern,
        history.priority == 2,
    )
    received = receive(io.BytesIO(_draw(film)), actor=ACTOR, care_teams=[team], urgent=True)
    if received.instance is None:
        return False
    study = received.instance.series.study
    case = open_case(
        study.patient, title=history.title, priority=history.priority, study=study, started_at=started, actor=doctor
    )
    rows = []
    for hours, code, value in case_histories.values(history):
        measure = catalogue()[code]
        plausible = round(min(max(value, measure.minimum), measure.maximum), 2)
        rows.append(build_observation(case, code, case_histories.at(started, hours), plausible, source="entry"))
    store_observations(case, rows)
    for hours, kind, text in history.notes:
        note = write_note(case, text, kind=kind, actor=nurse if kind == "nursing" else doctor)
        moment = case_histories.at(started, hours)
        type(note).objects.filter(pk=note.pk).update(written_at=moment, changed_at=moment)
        case.events.filter(subject=f"note:{note.pk}").update(at=moment)
    for title in history.tasks:
        add_task(case, title, due=now.date() + timedelta(days=1), assignee=nurse, actor=doctor)
    patient_portal.enrich(case, doctor)
    if history.mrn == people.PORTAL_MRN:
        _link_portal_user(history.mrn)
        patient_portal.fill_page(case, User.objects.get(username="patient"), doctor)
        patient_portal.release_first(case.patient, doctor)
    request_predictions(case)
    evaluate(case)
    return True


def _draw(film: people.DemoFilm) -> bytes:
    drawn = draw_film(film.seed, pattern=film.pattern, size=512)
    return wrap_film(drawn.pixels, _described(film), bits=12)


def _draw_chest(chest: people.DemoChest) -> list[bytes]:
    drawn = draw_chest(chest.film.seed, nodule=chest.nodule)
    described = replace(_described(chest.film), description="Chest CT")
    return list(wrap_volume(drawn.voxels, described, spacing=drawn.spacing))


def _described(film: people.DemoFilm) -> FilmDescription:
    return FilmDescription(
        mrn=film.mrn,
        name=film.name,
        birth_date=film.birth_date,
        sex=film.sex,
        study_date=film.study_date,
        accession_number=f"SYN{film.seed}",
        identity=["medportal demo", film.mrn, str(film.seed)],
        issuer=people.ISSUER,
        priority="STAT" if film.stat else "ROUTINE",
        synthetic=True,
    )


def _link_portal_user(mrn: str) -> None:
    """Link the demo's patient account to one of the fictitious patients."""
    user = User.objects.get(username="patient")
    patient = with_identity(mrn, people.ISSUER)
    if patient is not None and patient.portal_user_id is None:
        link_account(patient, user, actor=ACTOR)
