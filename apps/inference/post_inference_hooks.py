"""Hooks of other apps that run in the worker after inference, while the inputs are in memory."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from typing import Any

from django.utils.module_loading import import_string

from apps.inference.models import Analysis
from apps.inference.packages.card import Package

logger = logging.getLogger(__name__)
_hooks: list[str] = []


def register(hook: str) -> None:
    """Register a function to call after each analysis; registering twice has no effect.

    Args:
        hook: dotted name, imported by the worker only. Called with the analysis, its package, and the model's input
            arrays by instance id.
    """
    if hook not in _hooks:
        _hooks.append(hook)


def run(analysis: Analysis, package: Package, inputs: Mapping[uuid.UUID, Any]) -> None:
    """Run the hooks; a failure is logged only, since a hook's result can be computed later."""
    for hook in _hooks:
        try:
            import_string(hook)(analysis, package, inputs)
        except Exception as error:
            logger.error("%s failed for analysis %s: %s", hook, analysis.pk, type(error).__name__)
