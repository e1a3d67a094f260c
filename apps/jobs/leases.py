"""Taking a job, keeping it, ending it, and handing it out again when its worker is gone."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from django.apps import apps
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Q
from django.utils import timezone

from apps.jobs.enqueue import enqueue_job
from apps.jobs.errors import Refusal, UserError
from apps.jobs.models import Job, State

logger = logging.getLogger(__name__)
J = TypeVar("J", bound=Job)

ORPHAN_AFTER = timedelta(seconds=60)
"""A queued row older than this is rung for again: its message may be lost."""


FIRST_PAUSE = timedelta(seconds=5)
"""Before the second attempt of a job that an error of the infrastructure ended; it doubles each time."""
TRANSIENT = (OperationalError, InterfaceError, ConnectionError, TimeoutError)
"""Errors of the infrastructure: trying again later may help. Not OSError: a file that is missing stays missing."""


class LeaseLost(Exception):
    """Another worker holds the job now; what was computed must be dropped."""


def claim(model: type[J], pk: uuid.UUID | str) -> J | None:
    """Take the job if it is free; None if it is done, held by a live worker, or gone."""
    now = timezone.now()
    token = uuid.uuid4()
    due = Q(retry_at=None) | Q(retry_at__lte=now)
    free = Q(state=State.QUEUED) & due | Q(state=State.RUNNING, lease_until__lt=now)
    taken = model._default_manager.filter(free, pk=pk).update(
        state=State.RUNNING,
        attempt=F("attempt") + 1,
        progress=0,
        lease_token=token,
        lease_until=now + timedelta(seconds=settings.JOB_LEASE_SECONDS),
        started_at=now,
        retry_at=None,
        reason_code="",
        reason_parameters={},
    )
    return model._default_manager.get(pk=pk) if taken else None


def renew(job: Job, *, progress: int) -> None:
    """Keep the job for another lease and tell how far it is (percent).

    Raises:
        LeaseLost: if the lease has passed to another worker.
    """
    until = timezone.now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)
    if not _mine(job).update(lease_until=until, progress=progress):
        raise LeaseLost(f"{type(job).__name__} {job.pk}")


def extend(job: Job) -> bool:
    """Keep the job for another lease without a word of progress; False if it is no longer this worker's."""
    until = timezone.now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)
    return bool(_mine(job).update(lease_until=until))


@contextmanager
def complete(job: Job, state: State = State.SUCCEEDED) -> Iterator[None]:
    """One transaction that ends the job; the results are written within it or not at all.

    Raises:
        LeaseLost: if the lease has passed to another worker; nothing is written then.
    """
    with transaction.atomic():
        ended = _mine(job).update(
            state=state, progress=100, lease_token=None, lease_until=None, finished_at=timezone.now()
        )
        if not ended:
            raise LeaseLost(f"{type(job).__name__} {job.pk}")
        yield
    job.refresh_from_db()


def fail(job: Job, error: Exception) -> None:
    """Record why the job ends without a result: refused or failed, with a readable reason."""
    readable = error if isinstance(error, UserError) else UserError("internal")
    if readable is not error:
        # The text of a foreign exception may hold patient data: its type and place must do.
        place = error.__traceback__
        while place and place.tb_next:
            place = place.tb_next
        where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "?"
        logger.error("%s %s failed: %s at %s", type(job).__name__, job.pk, type(error).__name__, where)
    with complete(job, State.REFUSED if isinstance(error, Refusal) else State.FAILED):
        _write_reason(job, readable.code, readable.parameters)


def record_failure(job: Job, error: Exception) -> None:
    """Refuse, fail, or (after an error of the infrastructure) queue the job again; nothing if its lease is lost."""
    if not _mine(job).exists():
        return
    if isinstance(error, TRANSIENT) and job.attempt < job.max_attempts:
        retry_later(job, error)
    else:
        fail(job, error)


def retry_later(job: Job, error: Exception) -> None:
    """Give the job back, to be claimed again after a pause that grows with each attempt."""
    pause = FIRST_PAUSE * 2 ** (job.attempt - 1)
    logger.warning("%s %s is tried again in %s: %s", type(job).__name__, job.pk, pause, type(error).__name__)
    given_back = _mine(job).update(
        state=State.QUEUED, lease_token=None, lease_until=None, retry_at=timezone.now() + pause
    )
    if given_back:
        enqueue_job(job, delay=pause.total_seconds())


@contextmanager
def recording_failures(*jobs: Job) -> Iterator[None]:
    """Do the jobs; an error ends those still running or queues them again, a lost lease is only logged."""
    try:
        yield
    except LeaseLost as lost:
        logger.warning("lease lost: %s", lost)
    except Exception as error:
        for job in jobs:
            record_failure(job, error)


def retry(job: Job) -> bool:
    """Queue a failed job once more; False if it is not failed (double clicks do nothing)."""
    with transaction.atomic():
        again = (
            type(job)
            ._default_manager.filter(pk=job.pk, state=State.FAILED)
            .update(
                state=State.QUEUED,
                attempt=0,
                progress=0,
                reason_code="",
                reason_parameters={},
                finished_at=None,
                retry_at=None,
            )
        )
        if again:
            enqueue_job(job)
    return bool(again)


def sweep() -> int:
    """Hand out again what a dead worker held, and ring again for what nobody heard; how many."""
    return sum(_sweep_model(model) for model in job_models())


def job_models() -> list[type[Job]]:
    """Every concrete kind of job in the project."""
    return [model for model in apps.get_models() if issubclass(model, Job)]


def _sweep_model(model: type[Job]) -> int:
    now = timezone.now()
    rows = model._default_manager
    expired = rows.filter(state=State.RUNNING, lease_until__lt=now)
    lost = {"lease_token": None, "lease_until": None, "finished_at": now, "reason_code": "worker_lost"}
    expired.filter(attempt__gte=model.max_attempts).update(state=State.FAILED, **lost)
    expired.update(state=State.QUEUED, lease_token=None, lease_until=None, queued_at=now - ORPHAN_AFTER)
    due = Q(retry_at=None) | Q(retry_at__lte=now)
    waiting = list(rows.filter(due, state=State.QUEUED, queued_at__lte=now - ORPHAN_AFTER)[:500])
    for job in waiting:
        rows.filter(pk=job.pk).update(queued_at=now)
        enqueue_job(job)
    return len(waiting)


def _mine(job: Job) -> Any:
    return type(job)._default_manager.filter(pk=job.pk, state=State.RUNNING, lease_token=job.lease_token)


def _write_reason(job: Job, code: str, parameters: Mapping[str, Any]) -> None:
    type(job)._default_manager.filter(pk=job.pk).update(reason_code=code, reason_parameters=dict(parameters))
