"""What beat starts by the clock."""

from __future__ import annotations

HOUR = 3600


def schedule(*, sweep: int, audit: int) -> dict[str, dict[str, object]]:
    """Celery's beat schedule.

    Args:
        sweep: seconds between looks for jobs whose worker is gone.
        audit: seconds between signatures under the audit trail.
    """
    return {
        "hand out expired leases": {"task": "jobs.sweep", "schedule": sweep},
        "explain what was missed": {"task": "explainability.plan_missing", "schedule": 4 * sweep},
        "remove old exports": {"task": "imaging.remove_expired", "schedule": HOUR},
        "keep recommendations up to date": {"task": "recommendations.keep", "schedule": HOUR},
        "remind of appointments": {"task": "contact.remind", "schedule": HOUR},
        "learn the order of recommendations": {"task": "recommendations.learn", "schedule": 7 * 24 * HOUR},
        "link and sign the audit trail": {"task": "accounts.checkpoint", "schedule": audit},
    }
