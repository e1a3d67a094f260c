"""Every name that is rung is a task."""

from __future__ import annotations

from django.conf import settings

from apps.jobs.enqueue import ACCELERATOR_QUEUES, ALL_QUEUES
from apps.jobs.leases import job_models
from medportal.celery import app


def test_every_job_names_a_registered_task() -> None:
    app.loader.import_default_modules()
    beat = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    names = {model.task_name for model in job_models()} | beat
    assert names <= set(app.tasks)
    assert len(job_models()) >= 2


def test_tasks_have_bounds_and_known_queues() -> None:
    app.loader.import_default_modules()
    ours = [task for name, task in app.tasks.items() if not name.startswith("celery.")]
    assert all(task.time_limit and task.soft_time_limit < task.time_limit for task in ours)
    assert {task.queue for task in ours} <= set(ALL_QUEUES)
    assert set(ACCELERATOR_QUEUES.values()) < set(ALL_QUEUES)
    for entry in settings.CELERY_BEAT_SCHEDULE.values():  # the clock sends by name and states the queue itself
        if entry["task"] != "jobs.give_sign":
            assert entry["options"]["queue"] == app.tasks[entry["task"]].queue
