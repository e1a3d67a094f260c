"""Preliminary explanations, computed by the worker together with the findings.

For images the amortised explainer's estimate, for volumes a rough estimate over few regions.
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
from apps.explainability.explainers.image.stored_attribution import stored_attributions
from apps.explainability.explanation import store_attribution
from apps.explainability.models import Stage
from apps.explainability.scheduling import get_or_create_explanation
from apps.explainability.similar import store_embeddings
from apps.inference.models import Analysis
from apps.inference.packages.card import Package


def draw_preview(analysis: Analysis, package: Package, planes: Mapping[uuid.UUID, npt.NDArray[Any]]) -> int:
    """Store a preliminary explanation of each positive finding and queue the full explanation.

    Args:
        planes: the model's input arrays by instance id.

    Returns:
        The number of findings with an explanation; 0 for a radiograph package without an amortised explainer.
    """
    film = explainable(package)
    drawn = 0
    findings = analysis.findings.filter(positive=True, is_abnormal=True).select_related("analysis__series__study")
    for instance, plane in planes.items():
        mine = [finding for finding in findings if finding.instance_id == instance]
        if not mine:
            continue
        started = time.perf_counter()
        first = film.preview(film.game(plane))
        if first is None:
            return 0
        stored = stored_attributions(first, np.asarray(plane), film)
        seconds = {"first": time.perf_counter() - started}
        store_embeddings(analysis, {instance: film.model.embed(np.asarray(plane)[None])[0]})
        for finding in mine:
            with transaction.atomic():  # the job is enqueued on commit, when the preview is stored
                explanation = get_or_create_explanation(finding)
                if not explanation.drawn:
                    store_attribution(explanation, stored[finding.position], stage=Stage.FIRST, seconds=seconds)
            drawn += 1
    return drawn
