"""The first picture of a finding, drawn by the worker in the moment the finding is there.

A film's is the amortised explainer's word; a volume's is a rough one of few boxes.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import transaction

from apps.explainability.explainers.image.explainable import explainable
from apps.explainability.explainers.image.stored_attribution import accounts
from apps.explainability.explanation import keep
from apps.explainability.models import Stage
from apps.explainability.scheduling import ask
from apps.explainability.similar import remember
from apps.inference.models import Analysis
from apps.inference.packages.card import Package


def draw_preview(analysis: Analysis, package: Package, planes: Mapping[uuid.UUID, npt.NDArray[Any]]) -> int:
    """Keep a first picture of each positive finding, and ask for it to be checked.

    Args:
        planes: the model's planes of the analysis' films, by the instance's id.

    Returns:
        How many findings have a picture now; 0 if the package is of films and has no amortised explainer.
    """
    film = explainable(package)
    drawn = 0
    findings = analysis.findings.filter(positive=True, is_abnormal=True).select_related("analysis__series__study")
    for instance, plane in planes.items():
        mine = [finding for finding in findings if finding.instance_id == instance]
        if not mine:
            continue
        started = time.perf_counter()
        first = film.glance(film.game(plane))
        if first is None:
            return 0
        kept = accounts(first, np.asarray(plane), film)
        seconds = {"first": time.perf_counter() - started}
        remember(analysis, {instance: film.model.embed(np.asarray(plane)[None])[0]})
        for finding in mine:
            with transaction.atomic():  # the bell for the check rings when the picture is there
                explanation = ask(finding)
                if not explanation.drawn:
                    keep(explanation, kept[finding.position], stage=Stage.FIRST, seconds=seconds)
            drawn += 1
    return drawn
