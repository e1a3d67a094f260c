"""The objects of a study that the viewer does not show: reports, documents, plans, and images that cannot be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Count, QuerySet
from django.urls import reverse
from pydicom.uid import UID

from apps.imaging.dicom.pixel_layout import LIMITS
from apps.imaging.models import Instance, Study
from apps.imaging.sop_classes import is_pdf, is_report, kind_of, should_hold_images
from apps.jobs.errors import message

MAX_LISTED = 200


@dataclass(frozen=True)
class StudyObject:
    """One object, with a way to open it.

    Attributes:
        problem: why its pixels cannot be shown; empty of an object that is to have none.
    """

    instance: Instance
    problem: str

    @property
    def kind(self) -> str:
        """What it is."""
        return kind_of(self.instance.sop_class_uid)

    @property
    def description(self) -> str:
        """Series Description."""
        return str(self.instance.series.headers.get("series_description", ""))

    @property
    def document(self) -> str:
        """Address of the PDF that it encapsulates; empty if it is none."""
        return reverse("dicomweb:instance-rendered", args=self._uids) if is_pdf(self.instance.sop_class_uid) else ""

    @property
    def text(self) -> str:
        """Address of the page that shows its content tree; empty if it has none."""
        readable = is_report(self.instance.sop_class_uid)
        return reverse("imaging:report", args=[self._uids[0], self._uids[2]]) if readable else ""

    @property
    def download(self) -> str:
        """Address of the DICOM file (WADO-URI, PS3.18 section 9)."""
        names = ("studyUID", "seriesUID", "objectUID")
        said = {"requestType": "WADO", **dict(zip(names, self._uids, strict=True)), "contentType": "application/dicom"}
        return f"{reverse('dicomweb:wado-uri')}?{urlencode(said)}"

    @property
    def file_name(self) -> str:
        """Name for the downloaded file."""
        return f"{self.instance.series.modality}-{self.instance.series.number}-{self.instance.number}.dcm"

    @property
    def _uids(self) -> list[str]:
        series = self.instance.series
        return [series.study.study_instance_uid, series.series_instance_uid, self.instance.sop_instance_uid]


@dataclass(frozen=True)
class StudyObjects:
    """The objects beside the images, and how many more there are than are listed."""

    listed: list[StudyObject]
    more: int


def objects_of(study: Study) -> StudyObjects:
    """Return the objects of a study that the viewer does not show."""
    rows = _of_study(study).exclude(frames__gt=0, problem="").select_related("series__study")
    listed = list(rows.order_by("series__number", "series__series_instance_uid", "number", "sop_instance_uid"))
    return StudyObjects(
        [StudyObject(row, _problem(row)) for row in listed[:MAX_LISTED]], max(0, len(listed) - MAX_LISTED)
    )


def undrawable(study: Study) -> dict[str, list[str]]:
    """Return the SOP Instance UIDs that the viewer must leave out, by Series Instance UID."""
    rows = _of_study(study).exclude(frames__gt=0, problem="")
    hidden: dict[str, list[str]] = {}
    for series, instance in rows.values_list("series__series_instance_uid", "sop_instance_uid"):
        hidden.setdefault(series, []).append(instance)
    return hidden


def image_counts(study: Study) -> dict[str, int]:
    """Return how many instances the viewer shows, by Series Instance UID; series without any are left out."""
    rows = _of_study(study).filter(frames__gt=0, problem="")
    return dict(rows.order_by().values_list("series__series_instance_uid").annotate(Count("pk")))


def _of_study(study: Study) -> QuerySet[Instance]:
    return Instance.objects.filter(series__study=study)


def _problem(row: Instance) -> str:
    # The parameters of a message are not stored with the instance.
    parameters = {"syntax": UID(row.transfer_syntax_uid).name[:80], "mebibytes": LIMITS.frame_bytes // 2**20}
    code = row.problem or ("no_pixel_data" if should_hold_images(row.sop_class_uid) else "")
    return message(code, parameters)
