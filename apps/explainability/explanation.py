"""Steps of an explanation job: claim, load the image, store intermediate and final results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F

from apps.accounts import audit
from apps.accounts.actors import System
from apps.explainability.models import Explanation, Stage
from apps.imaging.dicom.parser import Unreadable
from apps.imaging.queries import grey_frame
from apps.inference.engines.input_checks import InputRejected
from apps.inference.output_checks import checked_probabilities, require_finite
from apps.inference.packages.card import VOLUMES, Package
from apps.inference.volumes import read_volume
from apps.jobs.errors import UserError
from apps.jobs.leases import LeaseLost, claim, renew
from apps.jobs.models import State
from apps.protection import blobs


@dataclass(frozen=True)
class CheckedExplanation:
    """The final, evaluated explanation of a finding.

    Attributes:
        attribution: a ``StoredAttribution`` (explainers.image.stored_attribution).
        quality: faithfulness metrics.
        seconds: duration by stage.
    """

    attribution: Any
    quality: dict[str, Any]
    seconds: Mapping[str, float]


def claim_together(claimed: list[Explanation]) -> list[Explanation]:
    """Claim, with a claimed explanation, the queued ones of other findings on the same image."""
    if not claimed:
        return []
    (first,) = claimed
    alike = Explanation.objects.filter(
        finding__analysis=first.finding.analysis_id,
        finding__instance=first.finding.instance_id,
        method=first.method,
        parameters=first.parameters,
        state=State.QUEUED,
    )
    others = [claim(Explanation, other) for other in alike.values_list("pk", flat=True)]
    return [first, *(other for other in others if other is not None)]


def pixels_of(finding: Any, package: Package) -> Any:
    """The model's input: an image (rows, columns) or a volume (slices, rows, columns).

    Raises:
        UserError: ``pixels_unreadable``; ``volume_changed`` if slices were added or removed since the analysis.
    """
    try:
        if package.task != VOLUMES:
            return grey_frame(finding.instance, finding.frame).pixels
        read = read_volume(finding.analysis.series, package)
    except (Unreadable, FileNotFoundError) as error:
        raise UserError("pixels_unreadable") from error
    except InputRejected as error:  # it was a valid volume when it was analysed
        raise UserError("volume_changed") from error
    if read.geometry["slices"] != finding.analysis.geometry.get("slices"):
        raise UserError("volume_changed")
    return read.pixels


def report_progress(explanations: Sequence[Explanation], done: int) -> None:
    """Renew the leases and report progress; ``done`` is the number of evaluations."""
    for explanation in explanations:
        renew(explanation, progress=min(80, 80 * done // max(explanation.parameters["evaluations"], 1)))


def store_intermediate(
    explanations: Sequence[Explanation], stored: Sequence[Any], seconds: Mapping[str, float]
) -> None:
    """Store intermediate results for display; ``stored`` has a ``StoredAttribution`` per model output.

    Raises:
        LeaseLost: if another worker has taken over a job.
    """
    for explanation in explanations:
        with transaction.atomic():
            if not Explanation.objects.select_for_update().filter(
                pk=explanation.pk, state=State.RUNNING, lease_token=explanation.lease_token
            ):
                raise LeaseLost(f"Explanation {explanation.pk}")
            store_attribution(explanation, stored[explanation.finding.position], stage=Stage.REFINING, seconds=seconds)


def store_checked(explanation: Explanation, checked: CheckedExplanation) -> None:
    """Store the final arrays, figures and faithfulness metrics."""
    store_attribution(explanation, checked.attribution, stage=Stage.CHECKED, seconds=checked.seconds)
    require_finite(checked.quality)
    Explanation.objects.filter(pk=explanation.pk).update(quality=checked.quality)
    audit.record(System("finding above threshold"), "explanation.succeeded", explanation)


def store_attribution(explanation: Explanation, stored: Any, *, stage: Stage, seconds: Mapping[str, float]) -> None:
    """Store the arrays and figures of a ``StoredAttribution``; the caller has locked or claimed the row.

    Raises:
        UserError: ``model_output_invalid``; then nothing is stored.
    """
    require_finite([stored.values, stored.half_width, stored.base, stored.output, stored.total, stored.zones])
    checked_probabilities([stored.base[0], stored.output[0]])
    blobs.write(explanation.blob, stored.packed(), holder=explanation.key_holder)
    spent = {**explanation.seconds, **{name: round(value, 4) for name, value in seconds.items()}}
    explanation.seconds, explanation.stage = spent, stage
    Explanation.objects.filter(pk=explanation.pk).update(
        stage=stage,
        revision=F("revision") + 1,
        base_value=stored.base[0],
        output=stored.output[0],
        attribution_sum=stored.total[0],
        log_odds={"base": stored.base[1], "output": stored.output[1], "sum": stored.total[1]},
        evaluations=stored.evaluations,
        stopped=stored.stopped,
        zones=stored.zones,
        peak=list(stored.peak),
        seconds=spent,
    )
