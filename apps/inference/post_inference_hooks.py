"""What other apps do in the worker at the moment an analysis has succeeded, while its inputs are in memory."""

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
    """Have a function called after each analysis; registering twice changes nothing.

    Args:
        hook: its dotted name, imported by the worker only. It takes the analysis, its package, and the model's input
            arrays by the instance's id.
    """
    if hook not in _hooks:
        _hooks.append(hook)


def run(analysis: Analysis, package: Package, inputs: Mapping[uuid.UUID, Any]) -> None:
    """Run the hooks. What a hook adds can be made up for later: a failure is logged and changes nothing."""
    for hook in _hooks:
        try:
            import_string(hook)(analysis, package, inputs)
        except Exception as error:
            logger.error("%s failed for analysis %s: %s", hook, analysis.pk, type(error).__name__)
