"""Registry of model packages: found on disk, verified, and mirrored as rows."""

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
class PackageScan:
    """Result of scanning the package folders: verified packages, and refusal messages."""

    packages: list[Package]
    refused: list[str]


def find() -> PackageScan:
    """Read and verify every package in the package folders."""
    packages, refused = [], []
    for folder in _folders():
        try:
            packages.append(read_package(folder))
        except PackageRefused as error:
            refused.append(str(error))
    return PackageScan(packages, refused)


def synchronise() -> PackageScan:
    """Synchronise the rows with the folders: add new packages, deactivate missing or changed ones."""
    scan = find()
    available = {(package.name, package.version): package for package in scan.packages}
    with transaction.atomic():
        for package in available.values():
            _install(package)
        for row in PackageVersion.objects.filter(active=True):
            package_here = available.get((row.name, row.version))
            if package_here is None or package_here.digest != row.digest:
                PackageVersion.objects.filter(pk=row.pk).update(active=False)
                audit.record(System("model package check"), "package.stopped", row)
    for reason in scan.refused:
        logger.error("model package refused: %s", reason)
    return scan


def package_of(row: PackageVersion) -> Package:
    """Read and verify the package of a row.

    Raises:
        PackageRefused: if its folder is missing or was changed after installation.
    """
    for folder in _folders():
        if folder.parent.name == row.name and folder.name == row.version:
            package = read_package(folder)
            if package.digest == row.digest:
                return package
    raise PackageRefused(f"{row}: the folder is gone or its card was changed since it was installed")


def newest(name: str, version: str | None = None) -> Package:
    """The newest verified package of this name in the folders, or the one of this version.

    Raises:
        ValueError: if there is none; the message lists the available packages.
    """
    packages = find().packages
    candidates = [package for package in packages if package.name == name and version in (None, package.version)]
    if not candidates:
        known = ", ".join(f"{package.name} {package.version}" for package in packages) or "none"
        raise ValueError(f"no such verified package: {name} {version or ''}; installed: {known}")
    return max(candidates, key=lambda package: [int(part) for part in package.version.split(".")])


def _folders() -> list[Path]:
    """All ``<name>/<version>`` folders that contain a card."""
    return sorted(
        card.parent for root in settings.MODEL_PACKAGE_DIRS if root.is_dir() for card in root.glob(f"*/*/{CARD}")
    )


def _install(package: Package) -> None:
    # Packages trained on simulated data are demonstrations; they must not analyse patients' series.
    active = settings.DEMO or not package.card.get("demonstration", False)
    row, created = PackageVersion.objects.get_or_create(
        name=package.name,
        version=package.version,
        defaults={"digest": package.digest, "card": package.card, "active": active},
    )
    if created:
        audit.record(System("model package check"), "package.installed", row, digest=package.digest)
    elif row.digest == package.digest and row.active != active:
        PackageVersion.objects.filter(pk=row.pk).update(active=active)
