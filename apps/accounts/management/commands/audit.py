"""``manage.py audit``: verify, sign or export the audit trail."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.progress import Progress

from apps.accounts import audit, audit_chain
from apps.accounts.actors import System
from apps.accounts.audit_export import fhir
from apps.accounts.models import AuditEntry


class Command(BaseCommand):
    help = "Verify the hash chain (verify), sign and print its head (checkpoint), write FHIR AuditEvents (export)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["verify", "checkpoint", "export"])
        parser.add_argument("--expect", type=Path, help="verify: a file of lines 'SEQUENCE DIGEST' kept elsewhere")
        parser.add_argument("--since", type=datetime.fromisoformat, help="export: from this time on (ISO 8601, UTC)")
        parser.add_argument("--until", type=datetime.fromisoformat, help="export: before this time")
        parser.add_argument("--out", type=Path, help="export: the file to write, one AuditEvent a line")

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['action']}")(options)

    def _verify(self, options: dict[str, Any]) -> None:
        expected = _expected(options["expect"]) if options["expect"] else []
        with Progress() as display:
            task = display.add_task("entries", total=AuditEntry.objects.exclude(sequence=None).count())
            result = audit_chain.verify(expected=expected, progress=lambda done: display.update(task, completed=done))
        for problem in result.problems:
            self.stderr.write(f"entry {problem.sequence} {problem.entry}: {problem.text}")
        summary = f"{result.entries} entries, {result.checkpoints} checkpoints, {result.unlinked} not linked yet"
        if result.problems:
            raise CommandError(f"{summary}: {len(result.problems)} problems")
        self.stdout.write(f"{summary}: the chain is intact")

    def _checkpoint(self, options: dict[str, Any]) -> None:
        audit_chain.checkpoint()
        newest = audit_chain.newest_checkpoint()
        if newest is None:
            raise CommandError("the trail is empty")
        self.stdout.write(f"{newest.sequence} {newest.digest}")

    def _export(self, options: dict[str, Any]) -> None:
        if not options["out"]:
            raise CommandError("name the file: --out FILE")
        entries = AuditEntry.objects.order_by("at")
        if options["since"]:
            entries = entries.filter(at__gte=_utc(options["since"]))
        if options["until"]:
            entries = entries.filter(at__lt=_utc(options["until"]))
        count = 0
        with options["out"].open("w") as file:
            for entry in entries.iterator():
                file.write(json.dumps(fhir(entry), ensure_ascii=False) + "\n")
                count += 1
        audit.record(System("export by the operator"), "trail.exported", entries=count)
        self.stdout.write(f"{count} AuditEvents in {options['out']}")


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _expected(path: Path) -> list[tuple[int, str]]:
    pairs = [line.split() for line in path.read_text().splitlines() if line.strip()]
    return [(int(sequence), digest) for sequence, digest in pairs]
