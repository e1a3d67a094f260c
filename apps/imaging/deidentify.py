"""De-identified exports: asking for one, making it, handing it out, removing it when its time is over."""

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
from apps.imaging.access import can, releases_visible_to
from apps.imaging.dicom.deidentification.burnt_in import TextRemains, blank_text
from apps.imaging.dicom.deidentification.profile import Profile
from apps.imaging.dicom.pixels import decode_frame
from apps.imaging.models import DeidentifiedExport, Instance, Study
from apps.imaging.queries import frame_bytes, header_of
from apps.jobs.enqueue import enqueue_job
from apps.jobs.errors import Refusal
from apps.jobs.leases import renew
from apps.jobs.models import State
from apps.patients.access import permits
from apps.patients.models import Purpose
from apps.protection import blobs

LARGEST = 2 * 2**30
ACTOR = System("de-identified export")


def request(study: Study, *, actor: User) -> DeidentifiedExport:
    """Ask for a de-identified export; one that is under way already is not asked for twice.

    Raises:
        PermissionError: if the actor is no physician who sees the study.
        Refusal: ``no_research_consent``.
    """
    if not can(actor, "imaging.deidentify_study", study):
        raise PermissionError("only a physician who sees the study exports it")
    if not permits(study.patient, Purpose.RESEARCH):
        raise Refusal("no_research_consent")
    with transaction.atomic():
        Study.objects.select_for_update().get(pk=study.pk)
        waiting = DeidentifiedExport.objects.filter(
            study=study, requested_by=actor, state__in=[State.QUEUED, State.RUNNING]
        )
        if (release := waiting.first()) is not None:
            return release
        release = DeidentifiedExport.objects.create(
            study=study,
            requested_by=actor,
            modalities=study.modalities,
            expires_at=timezone.now() + timedelta(days=settings.RELEASE_DAYS),
        )
        audit.record(actor, "release.requested", release, why="research")
        enqueue_job(release)
    return release


@dataclass(frozen=True)
class Archive:
    """A de-identified study.

    Attributes:
        content: the ZIP.
        files: how many images it holds.
        blanked: how many areas of burnt-in text were blanked.
    """

    content: bytes
    files: int
    blanked: int


def require_research_consent(release: DeidentifiedExport) -> None:
    """For jobs.

    Raises:
        Refusal: ``no_research_consent``.
    """
    if not permits(release.study.patient, Purpose.RESEARCH):
        raise Refusal("no_research_consent")


def make_archive(release: DeidentifiedExport) -> Archive:
    """De-identify all images of the study into one ZIP.

    Raises:
        Refusal: if text cannot be removed with certainty, or it is too much.
    """
    profile = Profile()
    found = Instance.objects.filter(series__study=release.study).select_related("series__study")
    total, blanked, size = found.count(), 0, 0
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        for number, instance in enumerate(found.order_by("pk").iterator(), start=1):
            dataset, boxes = _deidentified(instance, profile)
            size += len(dataset.PixelData)
            if size > LARGEST:
                raise Refusal("release_too_large", gibibytes=LARGEST // 2**30)
            blanked += boxes
            files.writestr(f"{profile.pseudonym}/{dataset.SOPInstanceUID}.dcm", _file(dataset))
            renew(release, progress=95 * number // total)
    return Archive(archive.getvalue(), total, blanked)


def store_archive(release: DeidentifiedExport, archive: Archive) -> None:
    """Seal the ZIP under the patient's key."""
    blobs.write(release.blob, archive.content, holder=release.key_holder)
    DeidentifiedExport.objects.filter(pk=release.pk).update(
        files=archive.files, bytes=len(archive.content), blanked=archive.blanked
    )
    audit.record(ACTOR, "release.made", release, files=archive.files, blanked=archive.blanked)


def download(release: DeidentifiedExport, *, actor: User) -> bytes:
    """The ZIP of a finished export.

    Raises:
        PermissionError: if the actor may not see it, or its time is over.
    """
    if not releases_visible_to(actor).filter(pk=release.pk, expires_at__gt=timezone.now()).exists():
        raise PermissionError("only researchers and whoever asked for it, until it expires")
    content = blobs.read(release.blob, holder=release.key_holder)
    audit.record(actor, "release.downloaded", release, why="research")
    return content


def remove_expired() -> int:
    """Delete the exports whose time is over; how many."""
    old = list(DeidentifiedExport.objects.filter(expires_at__lte=timezone.now()).select_related("study"))
    for release in old:
        blobs.delete(release.blob)
        audit.record(System("export expired"), "release.removed", release)
        release.delete()
    return len(old)


def _deidentified(instance: Instance, profile: Profile) -> tuple[Dataset, int]:
    """The instance's data set with clean header and pixels, and how many regions were blanked."""
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
    """Put decoded frames, (frames, rows, columns[, samples]), into the data set without compression."""
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
    """A DICOM file (PS3.10 section 7) with an empty preamble: nothing can hide in it."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta = meta
    dataset.preamble = b"\0" * 128  # type: ignore[attr-defined]
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True, implicit_vr=False, little_endian=True)
    return buffer.getvalue()
