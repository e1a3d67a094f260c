"""Job leases: claim, renew, complete, fail, retry, and re-queue after a worker is lost."""

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
"""A row queued for longer than this is sent again: its message may be lost."""
FIRST_PAUSE = timedelta(seconds=5)
"""Delay before the second attempt after an infrastructure error; it doubles with each attempt."""
TRANSIENT = (OperationalError, InterfaceError, ConnectionError, TimeoutError)
"""Infrastructure errors worth retrying. OSError is not among them: a missing file stays missing."""


class LeaseLost(Exception):
    """Another worker holds the job now; the computed result must be discarded."""


def claim(model: type[J], pk: uuid.UUID | str) -> J | None:
    """Lease the job if it is free; None if it is finished, held by a live worker, or deleted."""
    now = timezone.now()
    token = uuid.uuid4()
    due = Q(retry_at=None) | Q(retry_at__lte=now)
    free = Q(state=State.QUEUED) & due | Q(state=State.RUNNING, lease_until__lt=now)
    claimed = model._default_manager.filter(free, pk=pk).update(
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
    return model._default_manager.get(pk=pk) if claimed else None


def renew(job: Job, *, progress: int) -> None:
    """Renew the lease and record the progress in percent.

    Raises:
        LeaseLost: if another worker has taken over the lease.
    """
    until = timezone.now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)
    if not _mine(job).update(lease_until=until, progress=progress):
        raise LeaseLost(f"{type(job).__name__} {job.pk}")


def extend(job: Job) -> bool:
    """Renew the lease without reporting progress; False if this worker no longer holds it."""
    until = timezone.now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)
    return bool(_mine(job).update(lease_until=until))


@contextmanager
def complete(job: Job, state: State = State.SUCCEEDED) -> Iterator[None]:
    """Open the transaction that completes the job; results are written within it or not at all.

    Raises:
        LeaseLost: if another worker has taken over the lease; nothing is written.
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
    """End the job without a result, as refused or failed, and store the reason."""
    readable = error if isinstance(error, UserError) else UserError("internal")
    if readable is not error:
        # Exception texts may contain patient data: log only the type and the line.
        traceback = error.__traceback__
        while traceback and traceback.tb_next:
            traceback = traceback.tb_next
        where = f"{traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}" if traceback else "?"
        logger.error("%s %s failed: %s at %s", type(job).__name__, job.pk, type(error).__name__, where)
    with complete(job, State.REFUSED if isinstance(error, Refusal) else State.FAILED):
        _write_reason(job, readable.code, readable.parameters)


def record_failure(job: Job, error: Exception) -> None:
    """Refuse or fail the job, or re-queue it after an infrastructure error; no effect if its lease is lost."""
    if not _mine(job).exists():
        return
    if isinstance(error, TRANSIENT) and job.attempt < job.max_attempts:
        retry_later(job, error)
    else:
        fail(job, error)


def retry_later(job: Job, error: Exception) -> None:
    """Re-queue the job with exponential back-off."""
    pause = FIRST_PAUSE * 2 ** (job.attempt - 1)
    logger.warning("%s %s will be retried in %s: %s", type(job).__name__, job.pk, pause, type(error).__name__)
    requeued = _mine(job).update(
        state=State.QUEUED, lease_token=None, lease_until=None, retry_at=timezone.now() + pause
    )
    if requeued:
        enqueue_job(job, delay=pause.total_seconds())


@contextmanager
def recording_failures(*jobs: Job) -> Iterator[None]:
    """Record an error raised in the block on the jobs that are still leased; only log a lost lease."""
    try:
        yield
    except LeaseLost as lost:
        logger.warning("lease lost: %s", lost)
    except Exception as error:
        for job in jobs:
            record_failure(job, error)


def retry(job: Job) -> bool:
    """Queue a failed job again; False if it has not failed (so a double click has no effect)."""
    with transaction.atomic():
        requeued = (
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
        if requeued:
            enqueue_job(job)
    return bool(requeued)


def sweep() -> int:
    """Re-queue jobs of dead workers and resend tasks whose message may be lost; return how many were sent."""
    return sum(_sweep_model(model) for model in job_models())


def job_models() -> list[type[Job]]:
    """Return every concrete subclass of :class:`Job`."""
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
