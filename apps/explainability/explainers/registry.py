"""Registry of explainers, the plug-ins that explain one kind of model each.

An explainer is a folder with ``explainer.py`` (an :class:`Explainer` named ``EXPLAINER``) and its code, plus an entry
in BUILT_IN; an engine names its explainer. Third-party explainers are found through the entry point group
``medportal.explainers``. No large imports here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from apps.inference.engines.registry import engines
from apps.inference.packages.card import Package

GROUP = "medportal.explainers"
BUILT_IN = ("fusion", "image", "tabular", "text", "timeseries")


@dataclass(frozen=True)
class Explainer:
    """One kind of explanation.

    Attributes:
        name: the name engines refer to.
        answer: ``module:function`` that predicts and explains one input (a row, a text) given the verified package and
            the input, and returns JSON. Empty if separate jobs do that (images, stays, fusion). The result for a row
            has ``output``, ``base``, ``gap``, ``values`` and ``groups`` (by code, in the target's unit, summing to
            output minus base), ``how``, ``path_base`` and ``path_values`` (may be empty), and ``cohort``: at least
            one background row with its ``values`` and ``outputs``. For a text see ``text.answering``.
    """

    name: str
    answer: str = ""


@cache
def explainers() -> Mapping[str, Explainer]:
    """All explainers by name.

    Raises:
        RuntimeError: if two have the same name.
    """
    built_in = [import_module(f"apps.explainability.explainers.{kind}.explainer").EXPLAINER for kind in BUILT_IN]
    installed = [entry_point.load() for entry_point in entry_points(group=GROUP)]
    by_name: dict[str, Explainer] = {}
    for explainer in [*built_in, *installed]:
        if by_name.setdefault(explainer.name, explainer) is not explainer:
            raise RuntimeError(f"two explainers are called {explainer.name}")
    return by_name


def answer(package: Package, inputs: dict[str, Any]) -> dict[str, Any]:
    """Predict and explain one input of a tabular or text model.

    Args:
        inputs: ``{"row": {feature: number}}`` or ``{"text": str}``.

    Raises:
        ValueError: if the engine's explainer does not take single inputs.
    """
    explainer = explainers().get(engines()[package.card["runtime"]].explainer)
    if explainer is None or not explainer.answer:
        raise ValueError(f"{package.name} reads neither rows nor texts")
    module, _colon, function = explainer.answer.partition(":")
    explained: dict[str, Any] = getattr(import_module(module), function)(package, inputs)
    return explained
