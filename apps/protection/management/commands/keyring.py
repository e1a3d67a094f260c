"""``manage.py keyring``: make the keys, look at them, rotate them."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.protection import keyring, rotation
from apps.protection.management.commands._progress import bars
from apps.protection.models import DataKey


class Command(BaseCommand):
    help = "Make the keyring (init), show its key ids (show), rotate a key (rotate), or go on rewrapping (rewrap)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["init", "show", "rotate", "rewrap", "retire"])
        parser.add_argument("--if-missing", action="store_true", help="init: an existing keyring is fine")
        parser.add_argument("--index", action="store_true", help="rotate: the key of the blind indexes")
        parser.add_argument("--signing", action="store_true", help="rotate: the key that signs audit checkpoints")
        parser.add_argument("--retire", action="store_true", help="rotate: forget the older master keys at once")

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
            self.stdout.write(f"made {settings.KEYRING_FILE}: back it up apart from the database and its keys")

    def _show(self, options: dict[str, Any]) -> None:
        ring = keyring.keyring()
        for title, ids in {"master keys": ring.master_ids, "index keys": ring.index_ids}.items():
            self.stdout.write(f"{title}: {', '.join(map(str, ids))}")
        living = DataKey.objects.filter(destroyed_at=None)
        self.stdout.write(f"data keys: {living.count()}, destroyed: {DataKey.objects.count() - living.count()}")

    def _rotate(self, options: dict[str, Any]) -> None:
        if options["signing"]:
            rotation.rotate_signing()
            self.stdout.write("new checkpoints are signed with the new key")
            return
        with bars() as progress:
            if options["index"]:
                rotation.rotate_index(progress=progress)
                self.stdout.write("blind indexes are made with the new key; the old one is gone")
                return
            number = rotation.rotate_master(progress=progress)
        self.stdout.write(f"master key {number} wraps all data keys: back the keyring up now")
        if options["retire"]:
            self._retire(options)

    def _rewrap(self, options: dict[str, Any]) -> None:
        with bars() as progress:
            count = rotation.rewrap(progress=progress)
        self.stdout.write(f"{count} data keys rewrapped")

    def _retire(self, options: dict[str, Any]) -> None:
        try:
            rotation.retire_master()
        except rotation.StillNeeded as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write("the older master keys are gone; older backups of the key store cannot be opened any more")
