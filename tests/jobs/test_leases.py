"""A job is done once, by one worker, whatever happens to the others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import CareTeam
from apps.inference.models import Analysis
from apps.jobs import enqueue as enqueueing
from apps.jobs import leases
from apps.jobs.errors import Refusal, UserError
from apps.jobs.models import State
from tests.factories import arrive, film_file


@pytest.fixture
def job(packages: None, team: CareTeam) -> Analysis:
    return arrive(film_file(), team)


def expire(job: Analysis) -> None:
    Analysis.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


@pytest.fixture
def bells(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """What is sent to the broker."""
    sent: list[tuple[str, str, str]] = []
    monkeypatch.setattr(enqueueing, "_send", lambda *bell: sent.append(bell[:3]))
    return sent


def test_only_one_worker_gets_the_job(job: Analysis) -> None:
    assert leases.claim(Analysis, job.pk) is not None
    assert leases.claim(Analysis, job.pk) is None


def test_an_expired_lease_is_claimed_again_and_the_first_worker_writes_nothing(job: Analysis) -> None:
    first = leases.claim(Analysis, job.pk)
    expire(job)
    second = leases.claim(Analysis, job.pk)
    assert first and second
    with pytest.raises(leases.LeaseLost), leases.complete(first):
        pytest.fail("the body must not run")
    with pytest.raises(leases.LeaseLost):
        leases.renew(first, progress=50)
    with leases.complete(second):
        pass
    assert second.state == State.SUCCEEDED


def test_a_done_job_is_not_claimed(job: Analysis) -> None:
    with leases.complete(leases.claim(Analysis, job.pk)):
        pass
    assert leases.claim(Analysis, job.pk) is None


def test_results_are_written_with_the_state_or_not_at_all(job: Analysis) -> None:
    claimed = leases.claim(Analysis, job.pk)
    with pytest.raises(ZeroDivisionError), leases.complete(claimed):
        Analysis.objects.filter(pk=job.pk).update(progress=77)
        raise ZeroDivisionError
    job.refresh_from_db()
    assert (job.state, job.progress) == (State.RUNNING, 0)


@pytest.mark.django_db(transaction=True)
def test_the_sweeper_hands_out_again_what_a_dead_worker_held(job: Analysis, bells: list[tuple[str, str, str]]) -> None:
    leases.claim(Analysis, job.pk)
    expire(job)
    assert leases.sweep() == 1
    job.refresh_from_db()
    assert job.state == State.QUEUED
    assert bells == [("inference.analyse", str(job.pk), "accelerator")]


def test_the_sweeper_leaves_a_live_lease_alone(job: Analysis) -> None:
    claimed = leases.claim(Analysis, job.pk)
    leases.sweep()
    job.refresh_from_db()
    assert job.state == State.RUNNING
    leases.renew(claimed, progress=10)


def test_after_three_lost_workers_the_job_fails_with_a_reason(job: Analysis) -> None:
    for _ in range(3):
        assert leases.claim(Analysis, job.pk)
        expire(job)
        leases.sweep()
    job.refresh_from_db()
    assert job.state == State.FAILED
    assert "stopped unexpectedly" in job.reason


def test_an_unexpected_error_fails_without_its_text(job: Analysis, caplog: pytest.LogCaptureFixture) -> None:
    claimed = leases.claim(Analysis, job.pk)
    with leases.recording_failures(claimed):
        raise ValueError("Lindqvist^Åsa")
    job.refresh_from_db()
    assert (job.state, job.reason_code) == (State.FAILED, "internal")
    assert "Lindqvist" not in caplog.text
    assert "ValueError" in caplog.text


def test_a_refusal_is_not_a_failure(job: Analysis) -> None:
    claimed = leases.claim(Analysis, job.pk)
    with leases.recording_failures(claimed):
        raise Refusal("uniform")
    job.refresh_from_db()
    assert job.state == State.REFUSED
    assert "blank" in job.reason


def test_a_retry_happens_once(job: Analysis) -> None:
    leases.fail(leases.claim(Analysis, job.pk), UserError("internal"))
    assert leases.retry(job)
    assert not leases.retry(job)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (State.QUEUED, 0)


@pytest.mark.django_db(transaction=True)
def test_a_broker_out_of_reach_loses_nothing(job: Analysis, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*args: object, **options: object) -> None:
        raise OSError("no broker")

    monkeypatch.setattr("celery.app.base.Celery.send_task", unreachable)
    enqueueing.enqueue_job(job)
    job.refresh_from_db()
    assert job.state == State.QUEUED


def test_an_unknown_reason_code_is_a_programming_error() -> None:
    with pytest.raises(KeyError):
        UserError("no such code")
