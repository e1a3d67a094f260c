"""``manage.py models``: find and verify the installed packages."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.inference import installed_packages


class Command(BaseCommand):
    help = "Read the package folders, verify every digest and synchronise the list of models."

    def handle(self, *args: Any, **options: Any) -> None:
        scan = installed_packages.synchronise()
        for package in scan.packages:
            self.stdout.write(f"{package.name} {package.version}: verified")
        if scan.refused:
            raise CommandError("\n".join(scan.refused))
