"""Reads of explanations that more than one caller needs."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from apps.accounts.actors import Actor
from apps.explainability.access import visible_to
from apps.explainability.drawing.overlay import Sign, overlay_png, scale_end
from apps.explainability.models import Explanation
from apps.inference.models import Finding
from apps.protection import blobs


@dataclass(frozen=True)
class Drawn:
    """A finished explanation's picture and the ends of its colour scale."""

    png: bytes
    scale_end: float


def attribution_file(explanation: Explanation) -> bytes:
    """The stored array as a NumPy file."""
    return blobs.read(explanation.blob, holder=explanation.key_holder)


def attributions(explanation: Explanation) -> npt.NDArray[np.float32]:
    """The stored array, (rows, columns) of the model's plane, in units of probability."""
    array: npt.NDArray[np.float32] = np.load(io.BytesIO(attribution_file(explanation)), allow_pickle=False)
    return array


def overlay(explanation: Explanation, *, sign: Sign = "both") -> Drawn:
    """The picture to lay over the film."""
    array = attributions(explanation)
    return Drawn(overlay_png(array, sign=sign), scale_end(array))


def by_finding(actor: Actor | None, findings: Iterable[Finding]) -> dict[object, list[Explanation]]:
    """Explanations of these findings that the actor sees, by the finding's id, newest last."""
    found: dict[object, list[Explanation]] = {}
    for explanation in visible_to(actor).filter(finding__in=list(findings)):
        found.setdefault(explanation.finding_id, []).append(explanation)
    return found
