"""The demo's accounts and fictitious patients with generated images."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from apps.accounts.models import Role
from apps.synthetic.radiograph import Pattern

ISSUER = "MedPortal Demo"
TEAMS = ("Paediatrics A", "Paediatrics B")
PEOPLE: list[tuple[str, Role, str, int | None]] = [
    ("doctor", Role.DOCTOR, "Dr. Ada Brenner", 0),
    ("doctor2", Role.DOCTOR, "Dr. Lin Zhou", 1),
    ("radiologist", Role.RADIOLOGIST, "Dr. Iris Okafor", 0),
    ("nurse", Role.NURSE, "Sam Novak", 0),
    ("researcher", Role.RESEARCHER, "Dr. Jun Tanaka", None),
    ("auditor", Role.AUDITOR, "Maria Costa", None),
    ("patient", Role.PATIENT, "", None),
    ("admin", Role.ADMIN, "Robin Keller", None),
]
PORTAL_MRN = "SYN-9002"
PATIENTS, STUDIES = 30, 60
_OF_FIRST_TEAM = 20
_FAMILIES = ("Aalto", "Baptiste", "Chen=陈", "Dvořák", "Eriksen", "Fofana", "García", "Huang=黄", "Ito", "Jansen")
_GIVEN = ("Mila=小明", "Noah=子涵", "Sofia=思雨")
_FIRST_DAY = date(2026, 1, 5)


@dataclass(frozen=True)
class DemoFilm:
    """One study of one fictitious patient."""

    mrn: str
    name: str
    birth_date: date
    sex: str
    team: int
    study_date: date
    seed: int
    pattern: Pattern
    stat: bool


@dataclass(frozen=True)
class DemoChest:
    """A generated chest CT of one of the fictitious patients."""

    film: DemoFilm
    nodule: bool


def chests() -> list[DemoChest]:
    """Return two chest CTs, the first with a nodule; their seeds were not used to train any model."""
    studies = []
    for number, nodule in enumerate((True, False)):
        mrn, name, birth_date, sex, team = _person(number)
        day = _FIRST_DAY + timedelta(days=291 + number)
        film = DemoFilm(mrn, name, birth_date, sex, team, day, 9_000_000 + number, "normal", stat=False)
        studies.append(DemoChest(film, nodule))
    return studies


def films() -> list[DemoFilm]:
    """Return the 60 studies of 30 patients, the same on every call."""
    rng = np.random.default_rng(20260105)
    patterns: list[Pattern] = ["normal", "focal", "diffuse", "normal"]
    patients = [_person(number) for number in range(PATIENTS)]
    studies = []
    for number in range(STUDIES):
        mrn, name, birth_date, sex, team = patients[number % PATIENTS]
        day = _FIRST_DAY + timedelta(days=int(rng.integers(0, 290)))
        pattern = patterns[int(rng.integers(len(patterns)))]
        studies.append(DemoFilm(mrn, name, birth_date, sex, team, day, 4_000_000 + number, pattern, number % 19 == 7))
    return sorted(studies, key=lambda film: film.study_date)


def _person(number: int) -> tuple[str, str, date, str, int]:
    family, _, family_sign = _FAMILIES[number % len(_FAMILIES)].partition("=")
    given, _, given_sign = _GIVEN[number // len(_FAMILIES)].partition("=")
    ideographic = f"={family_sign}^{given_sign}" if family_sign else ""
    born = date(2021, 2, 3) + timedelta(days=41 * number)
    team = 0 if number < _OF_FIRST_TEAM else 1
    return f"SYN-{number + 1:04}", f"{family}^{given}{ideographic}", born, "FM"[number % 2], team
