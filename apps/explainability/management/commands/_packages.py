"""Shared code of the explainer commands."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from apps.inference import installed_packages
from apps.inference.packages.card import Package

COLUMNS = ("advantage", "insertion", "deletion", "pointing", "gap", "sanity", "evaluations", "seconds")


def newest(name: str, version: str | None) -> Package:
    """The newest verified package of this name, or the one of this version.

    Raises:
        CommandError: if there is none; the message lists the installed packages.
    """
    installed = installed_packages.find().packages
    candidates = [package for package in installed if package.name == name and version in (None, package.version)]
    if not candidates:
        known = ", ".join(f"{package.name} {package.version}" for package in installed) or "none"
        raise CommandError(f"no such verified package; installed: {known}")
    return max(candidates, key=lambda package: [int(part) for part in package.version.split(".")])


def print_table(out: Any, part: dict[str, Any]) -> None:
    """Print a comparison as a table."""
    out.write(f"{part['data']} ({part['films']} films)")
    out.write(f"{'explainer':12}" + "".join(f"{column:>12}" for column in COLUMNS))
    for row in sorted(part["rows"], key=lambda row: -row["advantage"]):
        figures = (f"{row[column]:12.3f}" if column in row else f"{'—':>12}" for column in COLUMNS)
        out.write(f"{row['explainer']:12}" + "".join(figures))
