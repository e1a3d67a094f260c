"""The worker's side of de-identified exports."""

from __future__ import annotations

from apps.imaging import deidentify
from apps.jobs.leases import working
from apps.jobs.tasks import accelerator_task, short_task


@accelerator_task("imaging.deidentify")
def make(pk: str) -> None:
    """Make an export."""
    release = deidentify.take(pk)
    if release is None:
        return
    with working(release):
        deidentify.make(release)


@short_task("imaging.remove_expired")
def remove_expired() -> None:
    """Remove the exports whose time is over."""
    deidentify.remove_expired()
