"""``manage.py models``: find and verify the installed packages."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.inference import registry


class Command(BaseCommand):
    help = "Read the package folders, verify every digest, and bring the list of models in line."

    def handle(self, *args: Any, **options: Any) -> None:
        found = registry.synchronise()
        for package in found.packages:
            self.stdout.write(f"{package.name} {package.version}: verified")
        if found.refused:
            raise CommandError("\n".join(found.refused))
