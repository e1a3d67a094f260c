"""A job is claimed, kept alive, completed, refused, failed or tried again in one place."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import OperationalError
from django.utils import timezone

from apps.accounts.models import User
from apps.explainability.models import PlaygroundQuery
from apps.explainability.playground import submit
from apps.inference.models import PackageVersion
from apps.jobs import leases
from apps.jobs.errors import Refusal
from apps.jobs.models import State
from apps.jobs.runner import JobRunner, heartbeat


class Echo(JobRunner[PlaygroundQuery, dict[str, Any], dict[str, Any]]):
    """Answers with what it was given, or raises it."""

    model = PlaygroundQuery
    raised: dict[str, Exception] = {}

    def load(self, job: PlaygroundQuery) -> dict[str, Any]:
        return job.given

    def run(self, job: PlaygroundQuery, loaded: dict[str, Any]) -> dict[str, Any]:
        if error := self.raised.get(loaded["text"]):
            raise error
        return loaded

    def save(self, job: PlaygroundQuery, result: dict[str, Any]) -> None:
        job.answer = result
        job.save(update_fields=["answer"])


class EchoTogether(Echo):
    """The same for all that wait, in one pass that any of them can spoil."""

    def claim(self, pk: Any) -> list[PlaygroundQuery]:
        waiting = PlaygroundQuery.objects.filter(state=State.QUEUED).order_by("queued_at").values_list("pk", flat=True)
        return [job for other in list(waiting) if (job := leases.claim(PlaygroundQuery, other))]

    def run_batch(
        self, loaded: Sequence[tuple[PlaygroundQuery, dict[str, Any]]]
    ) -> Iterable[tuple[PlaygroundQuery, Any]]:
        return [(job, self.run(job, values)) for job, values in loaded]


@pytest.fixture
def package(packages: None) -> PackageVersion:
    return PackageVersion.objects.filter(name="note-specialty").latest("installed_at")


def asked(package: PackageVersion, doctor: User, text: str) -> PlaygroundQuery:
    return submit(package, {"text": text}, actor=doctor)


def reread(job: PlaygroundQuery) -> PlaygroundQuery:
    return PlaygroundQuery.objects.get(pk=job.pk)


def test_a_job_is_loaded_run_and_saved_once(package: PackageVersion, doctor: User) -> None:
    job = asked(package, doctor, "fine")
    Echo().execute(job.pk)
    done = reread(job)
    assert (done.state, done.answer, done.attempt) == (State.SUCCEEDED, {"text": "fine"}, 1)
    Echo().execute(job.pk)
    assert reread(job).attempt == 1


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (Refusal("uniform"), State.REFUSED, "uniform"),
        (ValueError("secret"), State.FAILED, "internal"),
        (FileNotFoundError("gone"), State.FAILED, "internal"),
    ],
)
def test_an_error_ends_the_job(
    error: Exception, state: State, reason: str, package: PackageVersion, doctor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Echo, "raised", {"bad": error})
    job = asked(package, doctor, "bad")
    Echo().execute(job.pk)
    done = reread(job)
    assert (done.state, done.reason_code) == (state, reason)


def test_an_error_of_the_infrastructure_is_tried_again_after_growing_pauses(
    package: PackageVersion, doctor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Echo, "raised", {"bad": OperationalError("the database is restarting")})
    job = asked(package, doctor, "bad")
    pauses = []
    for _attempt in range(PlaygroundQuery.max_attempts - 1):
        Echo().execute(job.pk)
        waiting = reread(job)
        assert waiting.state == State.QUEUED and waiting.retry_at is not None
        pauses.append((waiting.retry_at - timezone.now()).total_seconds())
        Echo().execute(job.pk)
        assert reread(job).attempt == waiting.attempt, "not before its pause is over"
        PlaygroundQuery.objects.filter(pk=job.pk).update(retry_at=timezone.now())
    assert 3 < pauses[0] <= 5 and 8 < pauses[1] <= 10
    Echo().execute(job.pk)
    assert (reread(job).state, reread(job).attempt) == (State.FAILED, PlaygroundQuery.max_attempts)


def test_the_members_of_a_batch_fail_one_by_one(
    package: PackageVersion, doctor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Echo, "raised", {"bad": ValueError("only this one")})
    jobs = [asked(package, doctor, text) for text in ("first", "bad", "last")]
    EchoTogether().execute(jobs[0].pk)
    assert [reread(job).state for job in jobs] == [State.SUCCEEDED, State.FAILED, State.SUCCEEDED]


@pytest.mark.django_db(transaction=True)
def test_a_heartbeat_keeps_the_lease_of_work_that_says_nothing(
    package: PackageVersion, doctor: User, settings: LazySettings
) -> None:
    settings.JOB_LEASE_SECONDS = 0.6
    job = leases.claim(PlaygroundQuery, asked(package, doctor, "slow").pk)
    assert job is not None
    with heartbeat([job]):
        time.sleep(1.5)
        assert leases.sweep() == 0, "its lease has not expired"
        assert leases.claim(PlaygroundQuery, job.pk) is None
    time.sleep(0.7)
    assert leases.claim(PlaygroundQuery, job.pk) is not None, "once the work has stopped, the lease runs out"
