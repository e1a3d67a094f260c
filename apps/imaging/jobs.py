"""Background jobs of de-identified exports."""

from __future__ import annotations

from apps.imaging import deidentify, deletion
from apps.imaging.models import DeidentifiedExport
from apps.jobs.runner import JobRunner
from apps.jobs.tasks import short_task


class MakeDeidentifiedExport(JobRunner[DeidentifiedExport, None, deidentify.Archive]):
    """De-identify all images of a study into one ZIP."""

    model = DeidentifiedExport

    def check(self, job: DeidentifiedExport) -> None:
        """Refuse without consent to research."""
        deidentify.require_research_consent(job)

    def load(self, job: DeidentifiedExport) -> None:
        """Load nothing: images are read one by one in :meth:`run`."""

    def run(self, job: DeidentifiedExport, loaded: None) -> deidentify.Archive:
        """Build the ZIP archive."""
        return deidentify.make_archive(job)

    def save(self, job: DeidentifiedExport, result: deidentify.Archive) -> None:
        """Encrypt and store the archive."""
        deidentify.store_archive(job, result)


make = MakeDeidentifiedExport.as_task()


@short_task("imaging.remove_expired")
def remove_expired() -> None:
    """Remove expired exports."""
    deidentify.remove_expired()


@short_task("imaging.purge_deleted")
def purge_deleted() -> None:
    """Destroy what was deleted and whose grace time is over."""
    deletion.purge()
