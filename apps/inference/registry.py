"""Which model packages there are: found on disk, verified, kept as rows."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction

from apps.accounts import audit
from apps.accounts.actors import System
from apps.inference.models import PackageVersion
from apps.inference.package_reader import read_package
from apps.inference.packages.card import CARD, Package, PackageRefused

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """What a look at the folders gave: verified packages, and refusals in words."""

    packages: list[Package]
    refused: list[str]


def find() -> Found:
    """Read and verify every package in the package folders."""
    packages, refused = [], []
    for folder in _folders():
        try:
            packages.append(read_package(folder))
        except PackageRefused as error:
            refused.append(str(error))
    return Found(packages, refused)


def synchronise() -> Found:
    """Bring the rows in line with the folders: add what is new, stop what is gone or was changed."""
    found = find()
    here = {(package.name, package.version): package for package in found.packages}
    with transaction.atomic():
        for package in here.values():
            _install(package)
        for row in PackageVersion.objects.filter(active=True):
            package_here = here.get((row.name, row.version))
            if package_here is None or package_here.digest != row.digest:
                PackageVersion.objects.filter(pk=row.pk).update(active=False)
                audit.record(System("model package check"), "package.stopped", row)
    for reason in found.refused:
        logger.error("model package refused: %s", reason)
    return found


def package_of(row: PackageVersion) -> Package:
    """The verified package of a row.

    Raises:
        PackageRefused: if its folder is gone or is no longer what was installed.
    """
    for folder in _folders():
        if folder.parent.name == row.name and folder.name == row.version:
            package = read_package(folder)
            if package.digest == row.digest:
                return package
    raise PackageRefused(f"{row}: the folder is gone or its card was changed since it was installed")


def newest(name: str, version: str | None = None) -> Package:
    """The newest verified package of this name that lies in the folders, or the one of this version.

    Raises:
        ValueError: naming the packages that there are.
    """
    packages = find().packages
    found = [package for package in packages if package.name == name and version in (None, package.version)]
    if not found:
        known = ", ".join(f"{package.name} {package.version}" for package in packages) or "none"
        raise ValueError(f"no such verified package: {name} {version or ''}; installed: {known}")
    return max(found, key=lambda package: [int(part) for part in package.version.split(".")])


def _folders() -> list[Path]:
    """Folders named <name>/<version> with a card."""
    return sorted(
        card.parent for root in settings.MODEL_PACKAGE_DIRS if root.is_dir() for card in root.glob(f"*/*/{CARD}")
    )


def _install(package: Package) -> None:
    # What was made on drawn data shows how such models work; no patient's series is sent to it.
    asked_here = settings.DEMO or not package.card.get("demonstration", False)
    row, created = PackageVersion.objects.get_or_create(
        name=package.name,
        version=package.version,
        defaults={"digest": package.digest, "card": package.card, "active": asked_here},
    )
    if created:
        audit.record(System("model package check"), "package.installed", row, digest=package.digest)
    elif row.digest == package.digest and row.active != asked_here:
        PackageVersion.objects.filter(pk=row.pk).update(active=asked_here)
