"""What the upload page shows: a row for each study, or for each reason why files are in none."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.imaging.access import can
from apps.imaging.messages import HELD_REASONS
from apps.imaging.models import Instance, Outcome, Study, UploadedFile
from apps.imaging.sop_classes import kind_of, should_hold_images
from apps.jobs.errors import message

RECENT_FILES = 300


@dataclass(frozen=True)
class Group:
    """Files of an upload that are shown as one row."""

    title: str
    study: str
    rows: list[dict[str, Any]]

    @property
    def counts(self) -> list[tuple[str, str, int]]:
        """Outcomes with their labels and numbers of files, in the order of :class:`Outcome`."""
        counted = Counter(row["outcome"] for row in self.rows)
        return [(value, str(Outcome(value).label), counted[value]) for value in Outcome.values if counted[value]]


def outcome_row(file: UploadedFile, user: User) -> dict[str, Any]:
    """Return what the page shows of one file.

    ``group`` is equal for files that are shown as one row, ``title`` its heading; the name of a patient is shown to
    those alone who may see the record.
    """
    study = _visible_study(file.instance, user)
    return {
        "name": file.name,
        "outcome": file.outcome,
        "label": str(Outcome(file.outcome).label),
        "reason": " ".join(filter(None, [_kind(file.instance), message(file.reason_code, file.reason_parameters)])),
        "study": reverse("portal:study", args=[study.study_instance_uid]) if study else "",
        "decide": reverse("imaging:held") if file.outcome == Outcome.HELD and _decides(file) else "",
        "group": f"study:{study.pk}" if study else f"{file.outcome}:{file.reason_code}:{file.patient_id or ''}",
        "title": _study_title(study) if study else _other_title(file),
    }


def recent_groups(user: User) -> list[Group]:
    """Return the user's recent files, grouped, the newest first."""
    files = UploadedFile.objects.filter(upload__user=user).select_related("instance__series__study__patient")
    groups: dict[tuple[Any, str], Group] = {}
    for file in files.order_by("-at", "-pk")[:RECENT_FILES]:
        row = outcome_row(file, user)
        key = (file.upload_id, row["group"])
        groups.setdefault(key, Group(row["title"], row["study"], [])).rows.append(row)
    return list(groups.values())[:20]


def _visible_study(instance: Instance | None, user: User) -> Study | None:
    if instance is None:
        return None
    study = instance.series.study
    return study if can(user, "imaging.view_study", study) else None


def _decides(file: UploadedFile) -> bool:
    """Return whether the uploader may decide; of another team's patient, that team does."""
    return file.reason_code != "other_care_team"


def _study_title(study: Study) -> str:
    day = study.study_date.isoformat() if study.study_date else ""
    name = study.patient.display_name or _("No name")
    described = [*study.modality_list, day, study.headers.get("study_description", "")]
    return f"{name} · {' '.join(filter(None, described))}"


def _other_title(file: UploadedFile) -> str:
    return str(HELD_REASONS.get(file.reason_code, "")) or message(file.reason_code, file.reason_parameters)


def _kind(instance: Instance | None) -> str:
    """Return what an object without images is, as a sentence of its own."""
    if instance is None or instance.frames or instance.problem:
        return ""
    if should_hold_images(instance.sop_class_uid):
        return message("no_pixel_data", {})
    return _("%(kind)s: open it from the study page.") % {"kind": kind_of(instance.sop_class_uid)}
