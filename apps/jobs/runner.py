"""One way to run every kind of background job.

A kind of job is a model (a subclass of :class:`apps.jobs.models.Job`) and a runner that says three things: what the
job reads (:meth:`JobRunner.load`), what is computed (:meth:`JobRunner.run`), and what is written
(:meth:`JobRunner.save`). Claiming, the heartbeat, completing, failing and retrying are here, once.
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
    """Runs the jobs of one model; subclasses hold no workflow of their own.

    ``load`` and ``save`` read and write rows, ``run`` computes and touches none. Whatever one of them raises ends that
    job alone: a :class:`~apps.jobs.errors.Refusal` as refused, a readable error as failed with its reason, an error of
    the infrastructure (database, file system, network) is tried again later, anything else is failed as ``internal``.
    """

    model: ClassVar[type[Job]]

    @classmethod
    def as_task(cls) -> Any:
        """The Celery task that runs a job by its id, under the model's ``task_name``."""

        def task(pk: str) -> None:
            cls().execute(pk)

        task.__name__, task.__doc__, task.__module__ = cls.__name__, cls.__doc__, cls.__module__
        return accelerator_task(cls.model.task_name)(task)

    def execute(self, pk: uuid.UUID | str) -> None:
        """Claim the job, and those it shares a run with, and do them; does nothing if another worker has it."""
        jobs = self.claim(pk)
        if not jobs:
            return
        with heartbeat(jobs):
            loaded = [pair for job in jobs for pair in self._load(job)]
            if loaded:
                self._run(loaded)

    def claim(self, pk: uuid.UUID | str) -> list[J]:
        """The job, if it is free, and others that are to be run together with it."""
        job: J | None = leases.claim(self.model, pk)  # type: ignore[arg-type, assignment]
        return [] if job is None else [job]

    def check(self, job: J) -> None:
        """Whether the job may still be done; asked before it is loaded and again before it is saved.

        Raises:
            Refusal: if not, say because the patient's consent was withdrawn.
        """

    def load(self, job: J) -> Loaded:
        """Read what the job needs."""
        raise TypeError(f"{type(self).__name__} must define load")

    def run(self, job: J, loaded: Loaded) -> Result:
        """Compute; long work calls :func:`apps.jobs.leases.renew` to tell how far it is."""
        raise TypeError(f"{type(self).__name__} must define run or run_batch")

    def run_batch(self, loaded: Sequence[tuple[J, Loaded]]) -> Iterable[tuple[J, Result | Exception]]:
        """Compute several jobs; the default does one after the other, and each may fail on its own.

        A result that is an exception ends its job as if it had been raised.
        """
        for job, values in loaded:
            with leases.recording_failures(job):
                yield job, self.run(job, values)

    def save(self, job: J, result: Result) -> None:
        """Write the result, within the transaction that completes the job."""
        raise TypeError(f"{type(self).__name__} must define save")

    def after(self, job: J, result: Result) -> None:
        """What is done once the job is complete, while the result is in memory; its failure changes nothing."""

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
            logger.warning("a batch of %d failed (%s): one by one", len(loaded), type(error).__name__)
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
    """Keep the leases of jobs while work goes on, whether or not the work tells how far it is."""
    stop = threading.Event()
    thread = threading.Thread(target=_beat, args=(jobs, stop), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)


def _beat(jobs: Sequence[Job], stop: threading.Event) -> None:
    """Extend the leases at a third of their length; a database that cannot be reached is asked again next time."""
    try:
        while not stop.wait(settings.JOB_LEASE_SECONDS / 3):
            for job in jobs:
                try:
                    leases.extend(job)
                except Exception as error:
                    logger.warning("heartbeat of %s %s failed: %s", type(job).__name__, job.pk, type(error).__name__)
    finally:
        connection.close()
