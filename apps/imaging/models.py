"""Index of stored studies, series and instances; uploads, quarantined files and de-identified exports."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import ClassVar, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from apps.jobs.models import Job
from apps.patients.models import Patient
from apps.protection.fields import SealedDateField, SealedJSONField, SealedTextField
from apps.protection.models import SealedRecord

M = TypeVar("M", bound=models.Model)


class Urgency(models.IntegerChoices):
    """How soon a study should be read; primary sort key of the worklist."""

    ROUTINE = 0, _("Routine")
    HIGH = 1, _("High")
    STAT = 2, _("Stat")


class LiveManager(models.Manager[M]):
    """Leaves out what was deleted; related managers use it too.

    Its ``every`` counterpart is for deletion and filing only.
    """

    def get_queryset(self) -> models.QuerySet[M]:
        """Return the rows that were not deleted."""
        return super().get_queryset().filter(deleted_at=None)


def _deleted_at() -> models.DateTimeField[datetime | None, datetime | None]:
    return models.DateTimeField(
        null=True, editable=False, help_text="When it was deleted; it can be restored until the grace time is over."
    )


MAX_MODALITIES = 512
"""Length of the list of a study's modalities; all that the standard defines fit."""


class Study(SealedRecord):
    """A DICOM study of one patient (PS3.3 section A.1.2)."""

    holder_path = "patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study_instance_uid = models.CharField(max_length=64, unique=True)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="studies")
    study_date = models.DateField(null=True, db_index=True)
    sort_date = models.GeneratedField(
        expression=Coalesce("study_date", Value(date(1, 1, 1))),
        output_field=models.DateField(),
        db_persist=True,
        help_text="Studies without a date come last; databases differ in where they sort NULL.",
    )
    study_time = models.TimeField(null=True)
    received_at = models.DateTimeField(auto_now_add=True)
    modalities = models.CharField(max_length=MAX_MODALITIES, help_text="Sorted, each between commas: ,CT,SR,")
    urgency = models.SmallIntegerField(choices=Urgency, default=Urgency.ROUTINE)
    headers = SealedJSONField(help_text="Accession Number, Study ID, Study Description, Referring Physician's Name.")
    deleted_at = _deleted_at()

    objects = LiveManager()
    every = models.Manager()

    class Meta:
        verbose_name_plural = _("studies")
        indexes = [
            models.Index(fields=["-urgency", "-received_at", "-id"], name="worklist_order"),
            models.Index(fields=["-sort_date", "-id"], name="newest_studies"),
            models.Index(fields=["deleted_at"], condition=~Q(deleted_at=None), name="deleted_studies"),
        ]

    def __str__(self) -> str:
        return self.study_instance_uid

    @property
    def modality_list(self) -> list[str]:
        """Modalities of the study's series, sorted."""
        return [modality for modality in self.modalities.split(",") if modality]


class StudyTokenKind(models.TextChoices):
    """What a study's search token was computed from."""

    ACCESSION = "accession", "Accession Number"
    STUDY_ID = "study", "Study ID"
    STEP = "step", "Scheduled Procedure Step ID of one of its series"
    PROCEDURE = "procedure", "Requested Procedure ID of one of its series"
    WORD = "word", "a word of the Referring Physician's Name"
    LETTERS = "letters", "the first letters of such a word"


class StudyToken(models.Model):
    """A blind-index token by which a study is found, computed with one index key."""

    study = models.ForeignKey("Study", on_delete=models.CASCADE, related_name="search_tokens")
    kind = models.CharField(max_length=9, choices=StudyTokenKind)
    token = models.CharField(max_length=32)
    key_id = models.BigIntegerField()

    class Meta:
        # In this order the constraint's index serves the search.
        constraints = [models.UniqueConstraint(fields=["kind", "token", "study", "key_id"], name="one_token_a_study")]


class Series(SealedRecord):
    """A DICOM series."""

    holder_path = "study.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="series")
    series_instance_uid = models.CharField(max_length=64, db_index=True)
    modality = models.CharField(max_length=16, db_index=True)
    number = models.IntegerField(default=0)
    numbered = models.BooleanField(default=True, help_text="Whether the file states its number.")
    body_part = models.CharField(max_length=16, blank=True)
    performed_date = models.DateField(null=True)
    performed_time = models.TimeField(null=True)
    headers = SealedJSONField(help_text="Series Description, Performed Procedure Step Start Time, requests.")
    deleted_at = _deleted_at()

    objects = LiveManager()
    every = models.Manager()

    class Meta:
        verbose_name_plural = _("series")
        ordering = ["number", "series_instance_uid"]
        indexes = [models.Index(fields=["deleted_at"], condition=~Q(deleted_at=None), name="deleted_series")]
        # Some devices use a Series Instance UID again in another study.
        constraints = [models.UniqueConstraint(fields=["study", "series_instance_uid"], name="series_of_study")]

    def __str__(self) -> str:
        return self.series_instance_uid


class Instance(SealedRecord):
    """A stored SOP instance of any class; the file, as received, is in a sealed container."""

    holder_path = "series.study.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="instances")
    sop_instance_uid = models.CharField(max_length=64, unique=True)
    sop_class_uid = models.CharField(max_length=64)
    transfer_syntax_uid = models.CharField(max_length=64)
    pixel_tag = models.BigIntegerField(default=0, help_text="Which element holds the pixels; 0: none.")
    number = models.IntegerField(default=0)
    numbered = models.BooleanField(default=True, help_text="Whether the file states its number.")
    rows = models.PositiveIntegerField(default=0)
    columns = models.PositiveIntegerField(default=0)
    frames = models.PositiveIntegerField(default=0, help_text="Frames that can be read one by one; 0: no image.")
    bits_allocated = models.PositiveSmallIntegerField(default=0)
    number_of_frames = models.PositiveIntegerField(null=True, help_text="As the file states it.")
    photometric = models.CharField(max_length=16, blank=True)
    view_position = models.CharField(max_length=16, blank=True)
    problem = models.CharField(max_length=40, blank=True, help_text="Reason code why its pixels cannot be shown.")
    size = models.PositiveBigIntegerField(default=0, help_text="Length of the file in bytes.")
    content_digest = SealedTextField(help_text="SHA-256 of the file.")
    received_at = models.DateTimeField(auto_now_add=True)
    deleted_at = _deleted_at()

    objects = LiveManager()
    every = models.Manager()

    class Meta:
        verbose_name_plural = _("images")
        ordering = ["number", "sop_instance_uid"]
        indexes = [models.Index(fields=["deleted_at"], condition=~Q(deleted_at=None), name="deleted_instances")]

    def __str__(self) -> str:
        return self.sop_instance_uid

    @property
    def blob(self) -> str:
        """Name of the sealed container of the file."""
        return f"instances/{self.pk.hex[:2]}/{self.pk.hex}"

    def sealed_blobs(self) -> list[str]:
        """Name of the container."""
        return [self.blob]


class Outcome(models.TextChoices):
    """Outcome of an uploaded file."""

    STORED = "stored", _("Stored")
    DUPLICATE = "duplicate", _("Already stored")
    HELD = "held", _("Quarantined")
    REFUSED = "refused", _("Not accepted")


class Upload(models.Model):
    """One upload by one user."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)


class UploadedFile(SealedRecord):
    """One file of an upload with its outcome; recorded so that no file is lost silently."""

    holder_path = "patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="files")
    name = SealedTextField(help_text="File names often hold patient names.")
    outcome = models.CharField(max_length=10, choices=Outcome)
    reason_code = models.CharField(max_length=40, blank=True)
    reason_parameters = models.JSONField(default=dict)
    patient = models.ForeignKey(
        Patient, null=True, on_delete=models.CASCADE, related_name="+", help_text="Whose it is, where that is known."
    )
    instance = models.ForeignKey(Instance, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = _("uploaded files")


class Decision(models.TextChoices):
    """What was decided on a quarantined file."""

    SAME = "same", _("Filed under the record with the same MRN")
    ASSIGNED = "assigned", _("Filed under another record")
    OTHER = "other", _("Discarded")


FILED = (Decision.SAME, Decision.ASSIGNED)
"""Decisions after which the file is in the archive."""


class QuarantinedFile(SealedRecord):
    """A file that cannot be filed without a decision, stored encrypted as received until a clinician decides.

    Its patient data conflict with the record of the same MRN, it names no patient, its study belongs to another
    patient, or its SOP Instance UID is already stored with other content.
    """

    holder_path = "patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(
        Patient, null=True, on_delete=models.CASCADE, related_name="held_files", help_text="None: it names no patient."
    )
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    claimed_name = SealedTextField()
    claimed_birth_date = SealedDateField()
    reason_code = models.CharField(max_length=40)
    modality = models.CharField(max_length=16)
    headers = SealedJSONField(
        null=True, help_text="Patient ID, issuer, sex, identifiers and descriptions; null in rows of older versions."
    )
    content_index = models.CharField(max_length=32, help_text="Keyed digest: the same file is held once.")
    group_index = models.CharField(
        max_length=32, blank=True, db_index=True, help_text="Keyed digest of study and claimed identity."
    )
    content_digest = SealedTextField(help_text="SHA-256 of the file.")
    size = models.PositiveBigIntegerField(default=0, help_text="Length of the file in bytes.")
    created_at = models.DateTimeField(auto_now_add=True)
    decision = models.CharField(max_length=10, choices=Decision, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    instance = models.ForeignKey(
        Instance, null=True, on_delete=models.SET_NULL, related_name="+", help_text="As what it was filed."
    )

    class Meta:
        verbose_name_plural = _("quarantined files")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["patient", "content_index"], condition=Q(decision=""), name="held_once"),
            models.UniqueConstraint(
                fields=["uploaded_by", "content_index"],
                condition=Q(decision="", patient=None),
                name="held_once_without_patient",
            ),
        ]

    @property
    def blob(self) -> str:
        """Name of the sealed container of the file."""
        return f"held/{self.pk.hex}"

    def sealed_blobs(self) -> list[str]:
        """Name of the container; none after the decision."""
        return [] if self.decision else [self.blob]


class DeidentifiedExport(SealedRecord, Job):
    """A de-identified export of a study: a sealed ZIP for researchers and the requester."""

    holder_path = "study.patient_id"
    task_name: ClassVar[str] = "imaging.deidentify"

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="releases")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    modalities = models.CharField(max_length=64, blank=True)
    files = models.PositiveIntegerField(default=0)
    bytes = models.PositiveBigIntegerField(default=0)
    blanked = models.PositiveIntegerField(default=0, help_text="Regions of burnt-in text that were painted over.")
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = _("de-identified exports")
        ordering = ["-queued_at"]

    @property
    def blob(self) -> str:
        """Name of the sealed ZIP."""
        return f"releases/{self.pk.hex}.zip"

    def sealed_blobs(self) -> list[str]:
        """Name of the ZIP, once created."""
        return [self.blob] if self.files else []


class ArchiveVerification(models.Model):
    """One verification of all stored files, stored so that it resumes after an interruption."""

    started_at = models.DateTimeField(auto_now_add=True)
    cursor = models.JSONField(default=dict, help_text="By kind: the last row checked, or null when all are.")
    checked = models.PositiveBigIntegerField(default=0)
    problems = models.JSONField(default=list, help_text="Kind and id of the row, and what is wrong with its file.")
    orphans = models.PositiveBigIntegerField(default=0, help_text="Files that no row refers to.")
    orphan_bytes = models.PositiveBigIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = _("verifications of the archive")
