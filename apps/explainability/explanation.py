"""Doing explanations: take them, load the film, show what is known so far, record the end."""

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
class Checked:
    """The last word on a finding.

    Attributes:
        account: the stored form of the attributions (``explainers.account.Account``).
        quality: measures of faithfulness.
        seconds: spent by stage.
    """

    account: Any
    quality: dict[str, Any]
    seconds: Mapping[str, float]


def claim_together(claimed: list[Explanation]) -> list[Explanation]:
    """A claimed explanation and, with it, those of other findings on the same film."""
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
    """What the model was given: a film, (rows, columns), or a volume, (slices, rows, columns).

    Raises:
        UserError: ``pixels_unreadable``; ``volume_changed`` if slices were added or taken away since.
    """
    try:
        if package.task != VOLUMES:
            return grey_frame(finding.instance, finding.frame).pixels
        read = read_volume(finding.analysis.series, package)
    except (Unreadable, FileNotFoundError) as error:
        raise UserError("pixels_unreadable") from error
    except InputRejected as error:  # it made a volume when it was answered
        raise UserError("volume_changed") from error
    if read.geometry["slices"] != finding.analysis.geometry.get("slices"):
        raise UserError("volume_changed")
    return read.pixels


def report_progress(explanations: Sequence[Explanation], done: int) -> None:
    """Keep the leases and show how far it is; ``done`` counts evaluations."""
    for explanation in explanations:
        renew(explanation, progress=min(80, 80 * done // max(explanation.parameters["evaluations"], 1)))


def show(explanations: Sequence[Explanation], kept: Sequence[Any], seconds: Mapping[str, float]) -> None:
    """Show what is known so far; ``kept`` holds an ``Account`` for each of the model's outputs."""
    for explanation in explanations:
        with transaction.atomic():
            if not Explanation.objects.select_for_update().filter(
                pk=explanation.pk, state=State.RUNNING, lease_token=explanation.lease_token
            ):
                raise LeaseLost(f"Explanation {explanation.pk}")
            keep(explanation, kept[explanation.finding.position], stage=Stage.REFINING, seconds=seconds)


def store_checked(explanation: Explanation, checked: Checked) -> None:
    """Store the last arrays, figures and measures of quality."""
    keep(explanation, checked.account, stage=Stage.CHECKED, seconds=checked.seconds)
    require_finite(checked.quality)
    Explanation.objects.filter(pk=explanation.pk).update(quality=checked.quality)
    audit.record(System("finding above threshold"), "explanation.succeeded", explanation)


def keep(explanation: Explanation, account: Any, *, stage: Stage, seconds: Mapping[str, float]) -> None:
    """Write an account's arrays and figures; the caller holds the row.

    Raises:
        UserError: ``model_output_invalid``; nothing is written then.
    """
    require_finite([account.values, account.half_width, account.base, account.output, account.total, account.places])
    checked_probabilities([account.base[0], account.output[0]])
    blobs.write(explanation.blob, account.packed(), holder=explanation.key_holder)
    spent = {**explanation.seconds, **{name: round(value, 4) for name, value in seconds.items()}}
    explanation.seconds, explanation.stage = spent, stage
    Explanation.objects.filter(pk=explanation.pk).update(
        stage=stage,
        revision=F("revision") + 1,
        base_value=account.base[0],
        output=account.output[0],
        attribution_sum=account.total[0],
        log_odds={"base": account.base[1], "output": account.output[1], "sum": account.total[1]},
        evaluations=account.evaluations,
        stopped=account.stopped,
        zones=account.places,
        peak=list(account.peak),
        seconds=spent,
    )
