"""What the clock starts, and how often."""

from __future__ import annotations

HOUR = 3600
DAY = 24 * HOUR


def schedule(*, sweep: int, audit: int, queues: tuple[str, ...]) -> dict[str, dict[str, object]]:
    """Celery's beat schedule.

    Every message expires when the next one is due, after a day at the latest: a worker that comes back after a night
    does not do the same work hundreds of times.

    Args:
        sweep: seconds between looks for jobs whose worker is gone.
        audit: seconds between signatures under the audit trail.
        queues: those whose workers show that they live.
    """
    return {
        "hand out expired leases": _every(sweep, "jobs.sweep"),
        "explain what was missed": _every(4 * sweep, "explainability.schedule_missing"),
        "remove old exports": _every(HOUR, "imaging.remove_expired"),
        "keep recommendations up to date": _every(HOUR, "recommendations.keep"),
        "remind of appointments": _every(HOUR, "contact.remind"),
        "learn the order of recommendations": _every(7 * DAY, "recommendations.learn", queue="accelerator"),
        "link and sign the audit trail": _every(audit, "accounts.checkpoint"),
        **{f"life sign of {queue}": _every(sweep, "jobs.give_sign", queue, queue=queue) for queue in queues},
    }


def _every(seconds: int, task: str, *args: str, queue: str = "short") -> dict[str, object]:
    """An entry; the queue is stated, because the clock does not load the tasks that know theirs."""
    return {
        "task": task,
        "schedule": seconds,
        "args": args,
        "options": {"expires": min(seconds, DAY), "queue": queue},
    }
