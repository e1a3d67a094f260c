"""Alarms follow the values that they rest on: voided ones take them back, limits of detection are not numbers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import CareTeam, User
from apps.predictions import alarms
from apps.predictions.models import Alarm
from apps.records.models import Case, Event
from apps.records.observations import add, void
from tests.case_factories import work

pytestmark = pytest.mark.usefixtures("words_alone", "packages")


def test_voiding_a_value_takes_back_its_alarm(case: Case, doctor: User, team: CareTeam) -> None:
    alarms.set_rule(team, "2823-3", above=6, below=None, actor=doctor)
    now = timezone.now()
    first = add(case, "2823-3", "6.5", "mmol/L", now - timedelta(minutes=20), actor=doctor)
    second = add(case, "2823-3", "7.5", "mmol/L", now - timedelta(minutes=10), actor=doctor)
    work()
    alarm = Alarm.objects.get()
    assert alarm.content["value"] == 7.5
    void(second, actor=doctor)
    work()
    alarm = Alarm.objects.get()
    assert alarm.ended_at is None and alarm.content["value"] == 6.5, "the earlier value crosses the limit as well"
    void(first, actor=doctor)
    work()
    alarm.refresh_from_db()
    assert alarm.ended_at is not None and alarm.ended_by is None
    assert Event.objects.filter(case=case, token="alarm.withdrawn").exists()


def test_a_limit_of_detection_raises_an_alarm_only_if_it_must(case: Case, doctor: User, team: CareTeam) -> None:
    alarms.set_rule(team, "2345-7", above=None, below=60, actor=doctor)
    alarms.set_rule(team, "1988-5", above=None, below=0.3, actor=doctor)
    alarms.set_rule(team, "2524-7", above=4, below=None, actor=doctor)
    now = timezone.now() - timedelta(minutes=5)
    add(case, "2345-7", "<40", "mg/dL", now, actor=doctor)
    add(case, "1988-5", "<0.5", "mg/L", now, actor=doctor)
    add(case, "2524-7", "<5", "mmol/L", now, actor=doctor)
    alarms.evaluate(case)
    (alarm,) = Alarm.objects.all()
    assert (alarm.rule.what, alarm.content["comparator"], alarm.content["value"]) == ("2345-7", "<", 40)


def test_pulse_oximetry_stands_in_for_arterial_saturation(case: Case, doctor: User, team: CareTeam) -> None:
    alarms.set_rule(team, "2708-6", above=None, below=88, actor=doctor)
    add(case, "59408-5", "84", "%", timezone.now() - timedelta(minutes=5), actor=doctor)
    alarms.evaluate(case)
    assert Alarm.objects.get().content["value"] == 84
