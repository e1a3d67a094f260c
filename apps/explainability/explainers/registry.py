"""What explains the answers of which kind of model, each a plug-in.

An explainer is a folder with ``explainer.py`` (an :class:`Explainer` named ``EXPLAINER``) and its code, plus a line in
BUILT_IN; an engine names the one that explains its answers. Explainers from outside the project are found by the entry
point group ``medportal.explainers`` of installed distributions. Nothing large is imported here.
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
        name: by which engines ask for it.
        answer: ``module:function`` that answers and explains one input of a model that is asked directly (a row, a
            text): it takes the verified package and the input, and gives the answer as JSON. Empty where jobs of
            their own do that (images, stays, fusion). The answer to a row holds ``output``, ``base``, ``gap``,
            ``values`` and ``groups`` (by code, in the target's unit, adding up to output less base), ``how``,
            ``path_base`` and ``path_values`` (may be empty), and ``cohort``: at least one comparison row with its
            ``values`` and ``outputs``. That to a text is what ``text.answering`` gives.
    """

    name: str
    answer: str = ""


@cache
def explainers() -> Mapping[str, Explainer]:
    """All explainers by name.

    Raises:
        RuntimeError: if two have one name.
    """
    built_in = [import_module(f"apps.explainability.explainers.{kind}.explainer").EXPLAINER for kind in BUILT_IN]
    installed = [entry_point.load() for entry_point in entry_points(group=GROUP)]
    by_name: dict[str, Explainer] = {}
    for explainer in [*built_in, *installed]:
        if by_name.setdefault(explainer.name, explainer) is not explainer:
            raise RuntimeError(f"two explainers are called {explainer.name}")
    return by_name


def answer(package: Package, given: dict[str, Any]) -> dict[str, Any]:
    """Answer and explain one input of a model that is asked directly.

    Args:
        given: ``{"row": {feature: number}}`` or ``{"text": str}``.

    Raises:
        ValueError: for a package whose engine has no such explainer.
    """
    explainer = explainers().get(engines()[package.card["runtime"]].explainer)
    if explainer is None or not explainer.answer:
        raise ValueError(f"{package.name} reads neither rows nor texts")
    module, _colon, function = explainer.answer.partition(":")
    explained: dict[str, Any] = getattr(import_module(module), function)(package, given)
    return explained
