"""The runner shared by all kinds of background jobs.

A kind of job is a model (a subclass of :class:`apps.jobs.models.Job`) and a runner that defines three steps: what the
job reads (:meth:`JobRunner.load`), what is computed (:meth:`JobRunner.run`), and what is written
(:meth:`JobRunner.save`). Claiming, heartbeat, completion, failure and retry are implemented here.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Generic, TypeVar

from django.conf import settings
from django.db import connection

from apps.jobs import leases
from apps.jobs.models import Job
from apps.jobs.tasks import accelerator_task

logger = logging.getLogger(__name__)
J = TypeVar("J", bound=Job)
Loaded = TypeVar("Loaded")
Result = TypeVar("Result")


class JobRunner(Generic[J, Loaded, Result]):
    """Runs the jobs of one model; subclasses implement no workflow of their own.

    ``load`` and ``save`` read and write rows, ``run`` computes without database access. An exception ends that job
    alone: a :class:`~apps.jobs.errors.Refusal` as refused, another ``UserError`` as failed with its reason; an
    infrastructure error (database, network) is retried later, anything else fails as ``internal``.
    """

    model: ClassVar[type[Job]]

    @classmethod
    def as_task(cls) -> Any:
        """Return the Celery task that runs a job by id, registered under the model's ``task_name``."""

        def task(pk: str) -> None:
            cls().execute(pk)

        task.__name__, task.__doc__, task.__module__ = cls.__name__, cls.__doc__, cls.__module__
        return accelerator_task(cls.model.task_name)(task)

    def execute(self, pk: uuid.UUID | str) -> None:
        """Claim the job and its batch, then run them; no effect if another worker holds the job."""
        jobs = self.claim(pk)
        if not jobs:
            return
        with heartbeat(jobs):
            loaded = [pair for job in jobs for pair in self._load(job)]
            if loaded:
                self._run(loaded)

    def claim(self, pk: uuid.UUID | str) -> list[J]:
        """Lease the job if it is free, and any others to run in the same batch."""
        job: J | None = leases.claim(self.model, pk)  # type: ignore[arg-type, assignment]
        return [] if job is None else [job]

    def check(self, job: J) -> None:
        """Check that the job may still run; called before loading and again before saving.

        Raises:
            Refusal: if it may not, for example because consent was withdrawn.
        """

    def load(self, job: J) -> Loaded:
        """Read the job's input from the database."""
        raise TypeError(f"{type(self).__name__} must define load")

    def run(self, job: J, loaded: Loaded) -> Result:
        """Compute the result; long computations call :func:`apps.jobs.leases.renew` to report progress."""
        raise TypeError(f"{type(self).__name__} must define run or run_batch")

    def run_batch(self, loaded: Sequence[tuple[J, Loaded]]) -> Iterable[tuple[J, Result | Exception]]:
        """Compute several jobs; by default one after the other, each failing independently.

        An exception yielded as a result ends its job as if it had been raised.
        """
        for job, values in loaded:
            with leases.recording_failures(job):
                yield job, self.run(job, values)

    def save(self, job: J, result: Result) -> None:
        """Write the result; called within the transaction that completes the job."""
        raise TypeError(f"{type(self).__name__} must define save")

    def after(self, job: J, result: Result) -> None:
        """Hook after completion, while the result is in memory; an error here does not affect the job."""

    def _load(self, job: J) -> Iterator[tuple[J, Loaded]]:
        with leases.recording_failures(job):
            self.check(job)
            yield job, self.load(job)

    def _run(self, loaded: Sequence[tuple[J, Loaded]]) -> None:
        pending = {job.pk: job for job, _values in loaded}
        try:
            for job, result in self.run_batch(loaded):
                pending.pop(job.pk, None)
                self._save(job, result)
        except leases.LeaseLost as lost:
            logger.warning("lease lost: %s", lost)
        except Exception as error:
            if len(loaded) == 1:
                leases.record_failure(loaded[0][0], error)
                return
            logger.warning("a batch of %d failed (%s): running its jobs one by one", len(loaded), type(error).__name__)
            for pair in loaded:
                if pair[0].pk in pending:
                    self._run([pair])

    def _save(self, job: J, result: Result | Exception) -> None:
        with leases.recording_failures(job):
            if isinstance(result, Exception):
                raise result
            self.check(job)
            with leases.complete(job):
                self.save(job, result)
            self.after(job, result)


@contextmanager
def heartbeat(jobs: Sequence[Job]) -> Iterator[None]:
    """Renew the leases of the jobs from a thread while the block runs."""
    stop = threading.Event()
    thread = threading.Thread(target=_beat, args=(jobs, stop), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)


def _beat(jobs: Sequence[Job], stop: threading.Event) -> None:
    """Extend the leases every third of their length; a failed attempt is retried at the next interval."""
    try:
        while not stop.wait(settings.JOB_LEASE_SECONDS / 3):
            for job in jobs:
                try:
                    leases.extend(job)
                except Exception as error:
                    logger.warning("heartbeat of %s %s failed: %s", type(job).__name__, job.pk, type(error).__name__)
    finally:
        connection.close()
