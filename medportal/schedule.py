"""Schedule of the periodic tasks."""

from __future__ import annotations

HOUR = 3600
DAY = 24 * HOUR


def schedule(*, sweep: int, audit: int, queues: tuple[str, ...]) -> dict[str, dict[str, object]]:
    """Build Celery's beat schedule.

    Every message expires when the next one is due, at the latest after a day: a worker that returns after a night
    does not repeat the same work hundreds of times.

    Args:
        sweep: seconds between sweeps for jobs whose worker is gone.
        audit: seconds between signatures of the audit trail.
        queues: queues whose workers report that they are alive.
    """
    return {
        "hand out expired leases": _every(sweep, "jobs.sweep"),
        "explain what was missed": _every(4 * sweep, "explainability.schedule_missing"),
        "remove old exports": _every(HOUR, "imaging.remove_expired"),
        "destroy what was deleted": _every(HOUR, "imaging.purge_deleted"),
        "keep recommendations up to date": _every(HOUR, "recommendations.keep"),
        "remind of appointments": _every(HOUR, "contact.remind"),
        "learn the order of recommendations": _every(7 * DAY, "recommendations.learn", queue="accelerator"),
        "link and sign the audit trail": _every(audit, "accounts.checkpoint"),
        **{f"life sign of {queue}": _every(sweep, "jobs.give_sign", queue, queue=queue) for queue in queues},
    }


def _every(seconds: int, task: str, *args: str, queue: str = "short") -> dict[str, object]:
    """Build an entry; it names the queue, because the clock does not load the tasks that declare it."""
    return {
        "task": task,
        "schedule": seconds,
        "args": args,
        "options": {"expires": min(seconds, DAY), "queue": queue},
    }
