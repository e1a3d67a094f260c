"""Deletion of studies, series and instances: first hidden, then, after a grace time, destroyed by the clock.

What must be kept is not deleted: within the retention period, under a legal hold on the record, or where an app above
has registered a reason, such as a signed report.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.deletion import Collector
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor, System
from apps.accounts.models import Outcome
from apps.imaging.access import can
from apps.imaging.models import Instance, Series, Study
from apps.jobs.errors import UserError
from apps.patients.erasure import holds
from apps.protection import blobs
from apps.protection.models import SealedRecord

ACTOR = System("the grace time of a deletion is over")
PURGE_BATCH = 200
Target = Study | Series | Instance
Hold = Callable[[Study], str]
_HOLDS: dict[str, Hold] = {}


class DeletionRefused(UserError):
    """The object must be kept; the message says why."""


@dataclass(frozen=True)
class Purged:
    """What a run of :func:`purge` destroyed."""

    instances: int = 0
    studies: int = 0
    blobs: int = 0


def register_deletion_hold(name: str, hold: Hold) -> None:
    """Register a reason to keep studies: a function that returns a reason code, or an empty text if there is none."""
    _HOLDS[name] = hold


def delete(target: Target, *, actor: Actor) -> int:
    """Hide a study, series or instance and schedule its destruction; return the number of instances.

    A series or study that keeps no instance is deleted with the last one.

    Raises:
        PermissionError: if the actor is not a physician who may see the study.
        DeletionRefused: if it must be kept.
    """
    study = _study_of(target)
    if not can(actor, "imaging.delete_study", study):
        raise PermissionError("only a physician who may see the study deletes it")
    if refusal := _refusal(study):
        audit.record(actor, f"{_kind(target)}.deletion_refused", target, outcome=Outcome.REFUSED, reason=refusal.code)
        raise refusal
    now = timezone.now()
    with transaction.atomic():
        Study.objects.select_for_update().get(pk=study.pk)
        number = _instances_of(target).update(deleted_at=now)
        emptied = Series.objects.filter(study=study).exclude(instances__in=Instance.objects.filter(series__study=study))
        Series.objects.filter(pk__in=list(emptied.values_list("pk", flat=True))).update(deleted_at=now)
        modalities = sorted(set(Series.objects.filter(study=study).values_list("modality", flat=True)))
        changes: dict[str, Any] = {"modalities": f",{','.join(modalities)},"} if modalities else {"deleted_at": now}
        Study.objects.filter(pk=study.pk).update(**changes)
        audit.record(actor, f"{_kind(target)}.deleted", target, instances=number)
    return number


def restore(study: Study, *, actor: Actor) -> int:
    """Take back the deletion of everything of a study; return the number of instances, 0 if nothing was deleted.

    Raises:
        PermissionError: if the actor is not a physician of the patient's care team.
    """
    if not can(actor, "imaging.restore_study", study):
        raise PermissionError("only a physician of the patient's care team restores a study")
    with transaction.atomic():
        return _restore_rows(study, list(Instance.every.filter(series__study=study).exclude(deleted_at=None)), actor)


def restore_instance(instance: Instance, *, actor: Actor) -> bool:
    """Take back the deletion of one instance, which was received again; False if it was destroyed meanwhile.

    Raises:
        PermissionError: if the actor is not a physician of the patient's care team.
    """
    study = instance.series.study
    if not can(actor, "imaging.restore_study", study):
        raise PermissionError("only a physician of the patient's care team restores an object")
    with transaction.atomic():
        return bool(_restore_rows(study, [instance], actor))


def _restore_rows(study: Study, instances: list[Instance], actor: Actor) -> int:
    rows = Instance.every.filter(pk__in=[instance.pk for instance in instances])
    number = rows.exclude(deleted_at=None).update(deleted_at=None)
    if number:
        Series.every.filter(pk__in={instance.series_id for instance in instances}).update(deleted_at=None)
        revive(study)
        audit.record(actor, "study.restored", study, instances=number)
    return number


def revive(study: Study) -> None:
    """Show a study again, with the modalities of the series that were not deleted."""
    modalities = sorted(set(Series.objects.filter(study=study).values_list("modality", flat=True)))
    study.deleted_at, study.modalities = None, f",{','.join(modalities)},"
    Study.every.filter(pk=study.pk).update(deleted_at=None, modalities=study.modalities)


def kept_until(study: Study) -> date:
    """Return the end of the retention period, counted from the examination or, if its date is unknown, the receipt."""
    start = study.study_date or timezone.localdate(study.received_at)
    try:
        return start.replace(year=start.year + settings.RETENTION_YEARS)
    except ValueError:  # 29 February
        return start.replace(year=start.year + settings.RETENTION_YEARS, month=3, day=1)


def purge(now: datetime | None = None) -> Purged:
    """Destroy what was deleted before the grace time, with its containers; can be repeated after a failure."""
    cutoff = (now or timezone.now()) - timedelta(days=settings.DELETION_GRACE_DAYS)
    done = Purged()
    while batch := list(Instance.every.filter(deleted_at__lt=cutoff).select_related("series__study")[:PURGE_BATCH]):
        for instance in batch:
            done = Purged(done.instances + 1, done.studies, done.blobs + _destroy(instance, cutoff))
    for series in Series.every.filter(deleted_at__lt=cutoff, instances=None).select_related("study"):
        done = Purged(done.instances, done.studies, done.blobs + _destroy(series, cutoff))
    for study in Study.every.filter(deleted_at__lt=cutoff, series=None):
        done = Purged(done.instances, done.studies + 1, done.blobs + _destroy(study, cutoff))
    return done


def _destroy(row: Target, cutoff: datetime) -> int:
    """Delete a row and all that depends on it, then their containers; what was restored meanwhile stays.

    The rows go first: a container left by a crash in between belongs to nothing, which the scrubber removes.
    """
    with transaction.atomic():
        locked = type(row).every.select_for_update().filter(pk=row.pk, deleted_at__lt=cutoff).first()
        if locked is None:
            return 0
        collector = Collector(using="default", origin=row)
        collector.collect([row])
        dependents = [*collector.data.values(), *collector.fast_deletes]
        names = [name for rows in dependents for item in rows for name in _blobs(item)]
        audit.record(ACTOR, f"{_kind(row)}.purged", row, blobs=len(names))
        collector.delete()
    for name in names:
        blobs.delete(name)
    return len(names)


def _blobs(row: Any) -> list[str]:
    return row.sealed_blobs() if isinstance(row, SealedRecord) else []


def _refusal(study: Study) -> DeletionRefused | None:
    if holds(study.patient):
        return DeletionRefused("legal_hold")
    until = kept_until(study)
    if settings.RETENTION_YEARS and until > timezone.localdate():
        return DeletionRefused("retention_period", date=until.isoformat())
    return next((DeletionRefused(code) for hold in _HOLDS.values() if (code := hold(study))), None)


def _study_of(target: Target) -> Study:
    if isinstance(target, Study):
        return target
    return target.study if isinstance(target, Series) else target.series.study


def _instances_of(target: Target) -> Any:
    if isinstance(target, Study):
        return Instance.objects.filter(series__study=target)
    return (
        Instance.objects.filter(series=target) if isinstance(target, Series) else Instance.objects.filter(pk=target.pk)
    )


def _kind(target: Target) -> str:
    return type(target).__name__.lower()
