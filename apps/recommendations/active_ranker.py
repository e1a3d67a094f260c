"""The active ranker package."""

from __future__ import annotations

import logging

from apps.inference import installed_packages
from apps.inference.models import PackageVersion
from apps.inference.packages.card import PackageRefused
from apps.recommendations.ranking.ranker import Ranker, read_ranker

logger = logging.getLogger(__name__)
NAME = "care-ranker"


def active() -> tuple[Ranker | None, str]:
    """Return the newest valid active ranker with its name and version, or (None, ""): then urgency alone ranks."""
    for row in PackageVersion.objects.filter(name=NAME, active=True).order_by("-installed_at"):
        try:
            return read_ranker(installed_packages.package_of(row)), str(row)
        except PackageRefused as problem:
            logger.error("ranker refused: %s", problem)
    return None, ""
