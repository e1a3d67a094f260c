from __future__ import annotations

from datetime import date

import pytest

from apps.accounts.models import AuditEntry, CareTeam, User
from apps.patients.identity import Identity, Verdict, match, register
from apps.patients.models import Patient
from apps.patients.queries import found_by
from tests.factories import ACTOR

JANE = Identity("1", "H", "Doe^Jane", date(2020, 1, 1), "F")


@pytest.fixture
def jane(team: CareTeam) -> Patient:
    return register(JANE, care_teams=[team], actor=ACTOR)


def test_an_unknown_mrn_is_new(doctor: User) -> None:
    assert match(JANE, actor=doctor).verdict is Verdict.NEW


@pytest.mark.parametrize(
    ("identity", "verdict"),
    [
        (JANE, Verdict.MATCH),
        (Identity(" 1 ", "H", "DOE^JANE"), Verdict.MATCH),
        (Identity("1", "H", "", date(2020, 1, 1)), Verdict.MATCH),
        (Identity("1", "H", "Doe^John", date(2020, 1, 1)), Verdict.CONFLICT),
        (Identity("1", "H", "Doe^Jane", date(2020, 1, 2)), Verdict.CONFLICT),
        (Identity("1", "Other", "Doe^Jane"), Verdict.NEW),
        (Identity("2", "H", "Doe^Jane", date(2020, 1, 1)), Verdict.NEW),
    ],
)
def test_only_what_both_sides_state_is_compared(
    jane: Patient, doctor: User, identity: Identity, verdict: Verdict
) -> None:
    assert match(identity, actor=doctor).verdict is verdict


def test_a_record_of_another_team_is_out_of_reach(jane: Patient, stranger: User) -> None:
    assert match(JANE, actor=stranger).verdict is Verdict.OUT_OF_REACH


def test_registering_twice_gives_one_record(jane: Patient, team: CareTeam) -> None:
    assert register(JANE, care_teams=[team], actor=ACTOR) == jane
    assert Patient.objects.count() == 1
    assert AuditEntry.objects.filter(action="patient.created").count() == 1


@pytest.mark.parametrize("text", ["1", " 1 ", "doe", "JANE Doe", "Doe^Jane", "Jan", "do ja", '"doe"'])
def test_search_finds_by_mrn_and_first_letters(jane: Patient, text: str) -> None:
    assert list(found_by(text)) == [jane]


@pytest.mark.parametrize("text", ["2", "Doe John", "^", "%", '"Jan"', "oe"])
def test_search_finds_nothing_else(jane: Patient, text: str) -> None:
    assert not found_by(text).exists()
