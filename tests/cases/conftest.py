from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import CareTeam, User
from apps.cases import casework
from apps.cases.models import Case
from apps.imaging.models import Study
from tests.factories import film_file, take_in


@pytest.fixture
def study(team: CareTeam) -> Study:
    """A study of a child whose date of birth is not known, not analysed."""
    received = take_in(film_file(3, pattern="focal", birth_date=None, age="004Y"), team)
    assert received.instance is not None
    return received.instance.series.study


@pytest.fixture
def case(study: Study, doctor: User) -> Case:
    """An open case of the team's patient, admitted 30 hours ago."""
    started = timezone.now() - timedelta(hours=30)
    return casework.open_case(study.patient, title="Cough and fever", study=study, started_at=started, actor=doctor)


@pytest.fixture
def words_alone(settings: Any) -> None:
    """No transformer: sentences are compared by their words."""
    settings.SENTENCE_MODEL = "words"
