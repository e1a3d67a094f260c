"""``manage.py keyring``: create, show and rotate the root keys."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.protection import keyring, rotation
from apps.protection.management.commands._progress import bars
from apps.protection.models import DataKey


class Command(BaseCommand):
    help = "Create the keyring (init), show its key ids (show), rotate a key (rotate), or resume re-wrapping (rewrap)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["init", "show", "rotate", "rewrap", "retire"])
        parser.add_argument("--if-missing", action="store_true", help="init: an existing keyring is fine")
        parser.add_argument("--index", action="store_true", help="rotate: the key of the blind indexes")
        parser.add_argument("--signing", action="store_true", help="rotate: the key that signs audit checkpoints")
        parser.add_argument("--retire", action="store_true", help="rotate: remove the older master keys right away")

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['action']}")(options)

    def _init(self, options: dict[str, Any]) -> None:
        try:
            keyring.write(settings.KEYRING_FILE, keyring.create())
        except FileExistsError:
            if not options["if_missing"]:
                raise CommandError(
                    f"{settings.KEYRING_FILE} exists; data sealed with it would be lost if it were replaced"
                ) from None
        else:
            self.stdout.write(f"created {settings.KEYRING_FILE}: back it up separately from the databases")

    def _show(self, options: dict[str, Any]) -> None:
        ring = keyring.keyring()
        for title, ids in {"master keys": ring.master_ids, "index keys": ring.index_ids}.items():
            self.stdout.write(f"{title}: {', '.join(map(str, ids))}")
        active = DataKey.objects.filter(destroyed_at=None)
        self.stdout.write(f"data keys: {active.count()}, destroyed: {DataKey.objects.count() - active.count()}")

    def _rotate(self, options: dict[str, Any]) -> None:
        if options["signing"]:
            rotation.rotate_signing()
            self.stdout.write("new checkpoints are signed with the new key")
            return
        with bars() as progress:
            if options["index"]:
                rotation.rotate_index(progress=progress)
                self.stdout.write("blind indexes use the new key; the old key has been removed")
                return
            number = rotation.rotate_master(progress=progress)
        self.stdout.write(f"master key {number} wraps all data keys: back up the keyring now")
        if options["retire"]:
            self._retire(options)

    def _rewrap(self, options: dict[str, Any]) -> None:
        with bars() as progress:
            count = rotation.rewrap(progress=progress)
        self.stdout.write(f"{count} data keys rewrapped")

    def _retire(self, options: dict[str, Any]) -> None:
        try:
            rotation.retire_master()
        except rotation.KeyInUse as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write("older master keys removed; older backups of the key store can no longer be opened")
