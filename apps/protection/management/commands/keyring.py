"""``manage.py keyring``: make the keys and look at them."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.protection import keyring


class Command(BaseCommand):
    help = "Make the keyring (init) or show its key ids (show)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["init", "show"])
        parser.add_argument("--if-missing", action="store_true", help="init: an existing keyring is fine")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "init":
            self._init(quiet=options["if_missing"])
        else:
            ids = ", ".join(str(number) for number in keyring.keyring().key_ids)
            self.stdout.write(f"sealing keys: {ids}")

    def _init(self, *, quiet: bool) -> None:
        try:
            keyring.write(settings.KEYRING_FILE, keyring.create())
        except FileExistsError:
            if not quiet:
                raise CommandError(
                    f"{settings.KEYRING_FILE} exists; data sealed with it would be lost if it were replaced"
                ) from None
        else:
            self.stdout.write(f"made {settings.KEYRING_FILE}: back it up apart from the database")
