"""Doing explanations: take them, load the film, record the attributions."""

from __future__ import annotations

import io
import uuid
from collections.abc import Sequence
from typing import Any

import numpy as np

from apps.accounts import audit
from apps.accounts.actors import System
from apps.explainability.models import Explanation
from apps.imaging.queries import grey_frame
from apps.inference.access import consented
from apps.jobs.errors import Refusal
from apps.jobs.leases import claim, end, renew, settle
from apps.jobs.models import State
from apps.protection import blobs


def take(pk: uuid.UUID | str) -> list[Explanation]:
    """Claim the explanation and those of other findings on the same film.

    The evaluations of one run explain all outputs, so they cost nothing more.
    """
    first = claim(Explanation, pk)
    if first is None:
        return []
    if not consented(first.finding.analysis_id):
        end(first, Refusal("no_ai_consent"))
        return []
    alike = Explanation.objects.filter(
        finding__analysis=first.finding.analysis_id,
        finding__instance=first.finding.instance_id,
        method=first.method,
        parameters=first.parameters,
        state=State.QUEUED,
    )
    others = [claim(Explanation, other) for other in alike.values_list("pk", flat=True)]
    return [first, *(other for other in others if other is not None)]


def film_of(explanation: Explanation) -> Any:
    """The film's pixels, (rows, columns), larger = brighter."""
    finding = explanation.finding
    return grey_frame(finding.instance, finding.frame).pixels


def tell_progress(explanations: Sequence[Explanation], done: int) -> None:
    """Keep the leases and show how far it is; ``done`` counts evaluations."""
    for explanation in explanations:
        renew(explanation, progress=min(95, 100 * done // explanation.parameters["evaluations"]))


def record(explanations: Sequence[Explanation], result: Any, seconds: dict[str, float]) -> None:
    """Store each explanation's array and figures; ``result`` is an ``ImageExplanation``."""
    for explanation in explanations:
        position = explanation.finding.position
        attributions = result.attributions[position]
        with settle(explanation):
            buffer = io.BytesIO()
            np.save(buffer, attributions, allow_pickle=False)
            blobs.write(explanation.blob, buffer.getvalue(), holder=explanation.key_holder)
            Explanation.objects.filter(pk=explanation.pk).update(
                base_value=float(result.base[position]),
                output=float(result.output[position]),
                attribution_sum=float(attributions.sum(dtype=np.float64)),
                evaluations=result.evaluations,
                seconds={stage: round(value, 4) for stage, value in seconds.items()},
            )
            audit.record(System("a finding was above its threshold"), "explanation.succeeded", explanation)
