"""De-identified exports: request, creation, download and expiry."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRLittleEndian

from apps.accounts import audit
from apps.accounts.actors import System
from apps.accounts.models import User
from apps.imaging.access import can, exports_visible_to
from apps.imaging.dicom.deidentification.burnt_in import TextRemains, blank_text
from apps.imaging.dicom.deidentification.profile import Profile
from apps.imaging.dicom.pixels import decode_frame
from apps.imaging.models import DeidentifiedExport, Instance, Study
from apps.imaging.queries import drawable, frame_bytes, header_of
from apps.jobs.enqueue import enqueue_job
from apps.jobs.errors import Refusal
from apps.jobs.leases import renew
from apps.jobs.models import State
from apps.patients.access import permits
from apps.patients.models import Purpose
from apps.protection import blobs

MAX_EXPORT_BYTES = 2 * 2**30
ACTOR = System("de-identified export")


def request_export(study: Study, *, actor: User) -> DeidentifiedExport:
    """Request a de-identified export; a request already in progress is returned instead.

    Raises:
        PermissionError: if the actor is not a physician who may see the study.
        Refusal: ``no_research_consent``.
    """
    if not can(actor, "imaging.deidentify_study", study):
        raise PermissionError("only a physician who may see the study exports it")
    if not permits(study.patient, Purpose.RESEARCH):
        raise Refusal("no_research_consent")
    with transaction.atomic():
        Study.objects.select_for_update().get(pk=study.pk)
        waiting = DeidentifiedExport.objects.filter(
            study=study, requested_by=actor, state__in=[State.QUEUED, State.RUNNING]
        )
        if (export := waiting.first()) is not None:
            return export
        export = DeidentifiedExport.objects.create(
            study=study,
            requested_by=actor,
            modalities=study.modalities,
            expires_at=timezone.now() + timedelta(days=settings.RELEASE_DAYS),
        )
        audit.record(actor, "release.requested", export, why="research")
        enqueue_job(export)
    return export


@dataclass(frozen=True)
class Archive:
    """A de-identified study.

    Attributes:
        content: the ZIP.
        files: number of images.
        blanked: number of blanked regions of burnt-in text.
    """

    content: bytes
    files: int
    blanked: int


def require_research_consent(export: DeidentifiedExport) -> None:
    """Check consent before and after a job runs.

    Raises:
        Refusal: ``no_research_consent``.
    """
    if not permits(export.study.patient, Purpose.RESEARCH):
        raise Refusal("no_research_consent")


def make_archive(export: DeidentifiedExport) -> Archive:
    """De-identify all images of the study into one ZIP; reports and other objects without pixels are left out.

    Raises:
        Refusal: ``text_remains``, ``may_hold_text`` or ``release_too_large``.
    """
    profile = Profile()
    instances = drawable(Instance.objects.filter(series__study=export.study)).select_related("series__study")
    total, blanked, size = instances.count(), 0, 0
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        for number, instance in enumerate(instances.order_by("pk").iterator(), start=1):
            dataset, boxes = _deidentified(instance, profile)
            size += len(dataset.PixelData)
            if size > MAX_EXPORT_BYTES:
                raise Refusal("release_too_large", gibibytes=MAX_EXPORT_BYTES // 2**30)
            blanked += boxes
            files.writestr(f"{profile.pseudonym}/{dataset.SOPInstanceUID}.dcm", _file(dataset))
            renew(export, progress=95 * number // total)
    return Archive(archive.getvalue(), total, blanked)


def store_archive(export: DeidentifiedExport, archive: Archive) -> None:
    """Encrypt the ZIP under the patient's key and record its size."""
    blobs.write(export.blob, archive.content, holder=export.key_holder)
    DeidentifiedExport.objects.filter(pk=export.pk).update(
        files=archive.files, bytes=len(archive.content), blanked=archive.blanked
    )
    audit.record(ACTOR, "release.made", export, files=archive.files, blanked=archive.blanked)


def download(export: DeidentifiedExport, *, actor: User) -> bytes:
    """Return the ZIP of a finished export.

    Raises:
        PermissionError: if the actor may not see it, or it has expired.
    """
    if not exports_visible_to(actor).filter(pk=export.pk, expires_at__gt=timezone.now()).exists():
        raise PermissionError("only researchers and the requester may download an export, until it expires")
    content = blobs.read(export.blob, holder=export.key_holder)
    audit.record(actor, "release.downloaded", export, why="research")
    return content


def remove_expired() -> int:
    """Delete expired exports; return how many."""
    expired = list(DeidentifiedExport.objects.filter(expires_at__lte=timezone.now()).select_related("study"))
    for export in expired:
        blobs.delete(export.blob)
        audit.record(System("export expired"), "release.removed", export)
        export.delete()
    return len(expired)


def _deidentified(instance: Instance, profile: Profile) -> tuple[Dataset, int]:
    """Return the de-identified data set of an instance and the number of blanked regions."""
    header = header_of(instance)
    declared = str(header.get("BurnedInAnnotation", "")).upper() == "YES"
    frames, blanked = [], 0
    for number in range(1, instance.frames + 1):
        try:
            clean, boxes = blank_text(_decoded(instance, header, number))
        except TextRemains:
            raise Refusal("text_remains") from None
        frames.append(clean)
        blanked += len(boxes)
    if declared and not blanked:
        raise Refusal("may_hold_text")
    _set_pixels(header, np.stack(frames))
    profile.apply(header)
    header.BurnedInAnnotation = "NO"
    return header, blanked


def _decoded(instance: Instance, header: Dataset, number: int) -> Any:
    return decode_frame(
        header,
        frame_bytes(instance, number),
        transfer_syntax=UID(instance.transfer_syntax_uid),
        pixel_tag=Tag(instance.pixel_tag),
    )


def _set_pixels(header: Dataset, frames: Any) -> None:
    """Store decoded frames, (frames, rows, columns[, samples]), uncompressed in the data set."""
    if frames.ndim == 4:
        header.PlanarConfiguration = 0
        if str(header.PhotometricInterpretation).startswith("YBR"):
            header.PhotometricInterpretation = "RGB"
    for keyword in ("FloatPixelData", "DoubleFloatPixelData", "PixelData"):
        if keyword in header:
            del header[keyword]
    header.Rows, header.Columns = frames.shape[1:3]
    if frames.dtype.itemsize <= 2:
        header.BitsAllocated = 8 * frames.dtype.itemsize
    content = frames.astype(frames.dtype.newbyteorder("<")).tobytes()
    header.PixelData = content + b"\0" * (len(content) % 2)
    header["PixelData"].VR = "OB" if frames.dtype.itemsize == 1 else "OW"


def _file(dataset: Dataset) -> bytes:
    """Serialise to a DICOM file (PS3.10 section 7) with a zeroed preamble, which could otherwise carry data."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta = meta
    dataset.preamble = b"\0" * 128  # type: ignore[attr-defined]
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True, implicit_vr=False, little_endian=True)
    return buffer.getvalue()
