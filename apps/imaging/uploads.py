"""Uploads: files and archives are ingested one after another, each with its own outcome."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, BinaryIO

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile as DjangoUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload

from apps.accounts import audit
from apps.accounts.models import User
from apps.imaging.dicom import archives
from apps.imaging.dicom.other_formats import recognise
from apps.imaging.dicom.parser import Unreadable
from apps.imaging.ingest import Received, receive
from apps.imaging.models import Outcome, Upload, UploadedFile

logger = logging.getLogger(__name__)


class UnnamedFileUploadHandler(FileUploadHandler):
    """Streams an upload to an unnamed file, so that a crash leaves no plaintext behind."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.file: Any = tempfile.TemporaryFile()
        self.size = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.size += len(raw_data)
        if self.size > settings.UPLOAD_MAX_BYTES:
            raise StopUpload(connection_reset=False)
        self.file.write(raw_data)

    def file_complete(self, file_size: int) -> DjangoUploadedFile[Any]:
        self.file.seek(0)
        return DjangoUploadedFile(file=self.file, name=self.file_name, content_type=self.content_type, size=file_size)


def start_upload(*, user: User) -> Upload:
    """Start an upload."""
    upload = Upload.objects.create(user=user)
    audit.record(user, "upload.started", upload)
    return upload


def ingest_files(upload: Upload, name: str, stream: BinaryIO, *, user: User) -> Iterator[UploadedFile]:
    """Ingest a file, or each file of a ZIP archive; yield each outcome as soon as it is known."""
    if archives.looks_like_zip(stream):
        yield from _ingest_archive(upload, name, stream, user)
    else:
        yield _ingest_file(upload, name, stream, user)


def _ingest_archive(upload: Upload, name: str, stream: BinaryIO, user: User) -> Iterator[UploadedFile]:
    empty = True
    try:
        for entry in archives.entries(stream):
            empty = False
            inner = f"{name} › {entry.name}"
            if entry.content is None:
                assert entry.problem is not None
                refused = Received(Outcome.REFUSED, entry.problem.code, entry.problem.parameters)
                yield _record(upload, inner, refused)
            else:
                yield _ingest_file(upload, inner, entry.content, user)
    except Unreadable as problem:
        empty = False
        yield _record(upload, name, Received(Outcome.REFUSED, problem.code, problem.parameters))
    if empty:
        yield _record(upload, name, Received(Outcome.REFUSED, "empty"))


def _ingest_file(upload: Upload, name: str, stream: BinaryIO, user: User) -> UploadedFile:
    if not stream.seek(0, 2):
        return _record(upload, name, Received(Outcome.REFUSED, "empty"))
    try:
        received = receive(stream, actor=user)
    except (OSError, ValueError, ArithmeticError, LookupError, TypeError, MemoryError) as error:
        # One file must not stop the others. The upload's id leads to the cause in the log, which has no content.
        logger.exception("upload %s: %s", upload.pk, type(error).__name__, exc_info=False)
        received = Received(Outcome.REFUSED, "internal")
    if received.code == "not_dicom" and (kind := recognise(stream)):
        received = replace(received, code=f"not_dicom_{kind}")
    return _record(upload, name, received)


def _record(upload: Upload, name: str, received: Received) -> UploadedFile:
    return UploadedFile.objects.create(
        upload=upload,
        patient=received.patient,
        name=name[:1000],
        outcome=received.outcome,
        reason_code=received.code,
        reason_parameters=received.parameters,
        instance=received.instance,
    )
