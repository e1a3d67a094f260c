"""An answer that is no probability never becomes a finding, a prediction or an explanation."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone, translation

from apps.accounts.models import CareTeam, User
from apps.cases import services
from apps.explainability import explanation as explaining
from apps.explainability import occlusion, playground, similar
from apps.explainability.models import FilmEmbedding
from apps.inference import jobs
from apps.inference.engines.input_checks import InputRejected, check_novelty
from apps.inference.engines.radiograph.model import RadiographModel
from apps.inference.models import Analysis, Finding, PackageVersion
from apps.inference.output_checks import (
    INVALID,
    checked_probabilities,
    require_finite,
    require_valid_answer,
)
from apps.jobs.errors import UserError
from apps.jobs.models import State
from apps.notes import note_extraction
from apps.predictions import jobs as prediction_runner
from apps.predictions import prediction_jobs
from apps.predictions.models import Alarm, Prediction, PredictionKind
from apps.records.models import Case, Event
from tests.factories import arrive, film_file

WRONG = [math.nan, math.inf, -math.inf, -0.01, 1.01]
BROKEN = pytest.mark.parametrize("wrong", WRONG)


@BROKEN
def test_probabilities_are_finite_and_within_their_range(wrong: float) -> None:
    with pytest.raises(UserError, match="not a valid number"):
        checked_probabilities([0.2, wrong])
    assert checked_probabilities([0, 1, 1 + 1e-9, -1e-9]) == [0, 1, 1, 0]


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_every_number_of_an_answer_is_looked_at(wrong: float) -> None:
    for answer in (
        {"a": [{"b": (1, wrong)}]},
        {"a": np.array([[0.0, wrong]], dtype=np.float16)},
        [np.float32(wrong)],
    ):
        with pytest.raises(UserError):
            require_finite(answer)
    require_finite({"a": [1, "nan", None, True, np.arange(3), {"b": {0.5}}]})


@BROKEN
@pytest.mark.parametrize(
    "answer",
    [
        lambda wrong: {"risk": wrong},
        lambda wrong: {"risk": 0.5, "band": [0.1, wrong]},
        lambda wrong: {"course": [[6, 0.1, 0.1, 0.1], [7, 0.1, wrong, 0.1]]},
        lambda wrong: {"following": [("death", wrong)]},
        lambda wrong: {"probabilities": {"image": wrong}},
        lambda wrong: {"outputs": {"urology": wrong}},
        lambda wrong: {"probability": wrong, "title": {"en": "Urology"}},
    ],
)
def test_probabilities_are_known_by_their_names(answer: Any, wrong: float) -> None:
    with pytest.raises(UserError):
        require_valid_answer(answer(wrong))
    require_valid_answer(answer(0.5))


def test_a_novelty_that_is_no_number_is_novel() -> None:
    with pytest.raises(InputRejected):
        check_novelty(math.nan, 1.0)


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the model of films answers for each film's pneumonia."""
    answers: list[float] = []

    def run(self: RadiographModel, planes: Any) -> Any:
        probabilities = np.full((len(planes), len(self.package.labels)), 0.25)
        probabilities[:, 0] = [answers.pop(0) for _ in planes]
        return SimpleNamespace(probabilities=probabilities, novelty=np.zeros(len(planes)))

    monkeypatch.setattr(RadiographModel, "run", run)
    return answers


@BROKEN
def test_an_invalid_answer_fails_its_analysis_alone(
    wrong: float, answering: list[float], packages: None, team: CareTeam
) -> None:
    analyses = [arrive(film_file(seed, mrn=f"P{seed}"), team) for seed in (1, 2, 3)]
    answering += [0.9, wrong, 0.1]
    jobs.analyse(str(analyses[0].pk))
    for analysis in analyses:
        analysis.refresh_from_db()
    states = sorted((analysis.state, analysis.reason_code, analysis.findings.count()) for analysis in analyses)
    assert states == sorted([(State.SUCCEEDED, "", 4), (State.SUCCEEDED, "", 4), (State.FAILED, INVALID, 0)])
    failed = next(analysis for analysis in analyses if analysis.state == State.FAILED)
    with translation.override("zh-hans"):
        assert "阴性" in str(failed.reason)


@BROKEN
def test_the_database_takes_no_such_finding_either(wrong: float, packages: None, team: CareTeam) -> None:
    analysis = arrive(film_file(1), team)
    instance = analysis.series.instances.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Finding.objects.create(
            analysis=analysis, instance=instance, label="pneumonia", position=0, probability=wrong,
            threshold=0.5, positive=False, is_abnormal=True,
        )  # fmt: skip
    assert not Finding.objects.exists()


@BROKEN
def test_a_batch_names_the_reason_instead_of_a_number(
    wrong: float, answering: list[float], packages: None, tmp_path: Path
) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    for seed in (1, 2):
        (folder / f"{seed}.dcm").write_bytes(film_file(seed))
    answering += [0.9, wrong]
    call_command("predict", "cxr-pneumonia", str(folder), "--out", str(tmp_path / "out.csv"))
    with (tmp_path / "out.csv").open() as file:
        first, second = list(csv.DictReader(file))
    assert first["pneumonia"] == "0.900000" and not first["refusal"]
    assert second["pneumonia"] == "" and "not a valid number" in second["refusal"]


@pytest.fixture
def case(packages: None, team: CareTeam, doctor: User) -> Case:
    analysis: Analysis = arrive(film_file(1), team)
    study = analysis.series.study
    return services.open_case(study.patient, title="Cough", study=study, started_at=timezone.now(), actor=doctor)


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        (PredictionKind.DETERIORATION, {"risk": math.nan, "band": [0, 1]}),
        (PredictionKind.CASE_RISK, {"risk": 1.5}),
        (PredictionKind.CASE_RISK, {"risk": 0.5, "shares": {"image": math.inf}}),
        (PredictionKind.NEXT_EVENT, {"following": [("death", math.nan)]}),
    ],
)
def test_an_invalid_prediction_fails_and_raises_no_alarm(
    kind: PredictionKind, answer: dict[str, Any], case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = PackageVersion.objects.get(name="case-risk")
    prediction = Prediction.objects.create(case=case, kind=kind, package=package)
    events = Event.objects.count()
    monkeypatch.setattr(prediction_runner, "_predict", lambda prediction: answer)
    prediction_runner.predict(str(prediction.pk))
    prediction.refresh_from_db()
    assert (prediction.state, prediction.reason_code, prediction.answer) == (State.FAILED, INVALID, {})
    assert Event.objects.count() == events and not Alarm.objects.exists()


@pytest.mark.parametrize(
    "store",
    [
        lambda: occlusion.store_answer(_row(), [math.nan]),
        lambda: playground.store_answer(_row(), {"outputs": {"urology": math.nan}}),
        lambda: playground.store_answer(_row(), {"output": math.inf}),
        lambda: note_extraction.store_specialty_explanation(_row(), {"outputs": {"urology": 2.0}}),
        lambda: note_extraction.store_extraction(_row(), _understood({"probability": math.nan}, 0.0)),
        lambda: note_extraction.store_extraction(_row(), _understood({}, math.nan)),
        lambda: explaining.store_attribution(_row(), _account(values=math.nan), stage="", seconds={}),  # type: ignore[arg-type]
        lambda: explaining.store_attribution(_row(), _account(output=1.5), stage="", seconds={}),  # type: ignore[arg-type]
        lambda: similar.store_embeddings(_row(), {_row(): np.array([math.nan])}),  # type: ignore[dict-item]
        lambda: prediction_jobs.store_prediction(_row(), {"risk": -1.0}),
    ],
)
def test_whatever_stores_an_answer_refuses_an_invalid_one(store: Any) -> None:
    with pytest.raises(UserError) as refusal:
        store()
    assert refusal.value.code == INVALID
    assert not FilmEmbedding.objects.exists()


def _row() -> Any:
    """A row that must not be touched before the answer was checked; only its card is read."""
    card = {"labels": [{"code": "pneumonia"}]}
    package = SimpleNamespace(card=card)
    return _Row(finding=SimpleNamespace(analysis=SimpleNamespace(package=package)))


class _Row(SimpleNamespace):
    __hash__ = object.__hash__  # type: ignore[assignment]


def _understood(specialty: dict[str, Any], number: float) -> Any:
    return SimpleNamespace(specialty=specialty, vectors=np.array([[number]], dtype=np.float16))


def _account(*, values: float = 0.0, output: float = 0.5) -> Any:
    return SimpleNamespace(
        values=np.array([values]), half_width=None, base=(0.1, -2.0), output=(output, 0.0), total=(0.4, 2.0), zones=[]
    )
