"""``manage.py archive verify``: compare every stored file with the digest of what was received."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.actors import System
from apps.imaging.models import ArchiveVerification, Instance
from apps.imaging.verification import verify_archive
from apps.protection.management.commands._progress import bars

_EXPLAINED = {
    "lost": "the file is not in the store: restore it from a backup",
    "damaged": "the file does not decrypt, it was damaged or its key is missing: restore it from a backup",
    "differs": "the file decrypts but is not what was received: restore it from a backup",
}


class Command(BaseCommand):
    help = "Verify the archive of DICOM files. An interrupted verification is resumed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        steps = parser.add_subparsers(dest="step", required=True)
        verify = steps.add_parser("verify", help="read every file, compare it, and remove what no row refers to")
        verify.add_argument("--keep-orphans", action="store_true", help="only count the files without a row")
        verify.add_argument("--restart", action="store_true", help="start over instead of resuming")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["restart"]:
            ArchiveVerification.objects.filter(finished_at=None).delete()
        with bars() as progress:
            run = verify_archive(
                actor=System("archive verification"),
                progress=progress,
                delete_orphans=not options["keep_orphans"],
            )
        for problem in run.problems:
            self.stderr.write(self._line(problem))
        handled = "found" if options["keep_orphans"] else "removed"
        self.stdout.write(
            f"{run.checked} files verified, {len(run.problems)} with problems; "
            f"{run.orphans} files without a row {handled} ({run.orphan_bytes / 2**20:.1f} MiB)"
        )
        if run.problems:
            raise CommandError(f"{len(run.problems)} files are not what was received; see above")

    @staticmethod
    def _line(problem: dict[str, str]) -> str:
        name = problem["id"]
        if problem["kind"] == "instances" and (row := Instance.every.filter(pk=name).first()):
            name = f"{name} (SOP Instance UID {row.sop_instance_uid})"
        return f"{problem['kind']} {name}: {_EXPLAINED[problem['problem']]}"
