"""What the DICOMweb services share: access, negotiation of representations, streamed multipart bodies."""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any
from urllib.parse import quote

from asgiref.sync import sync_to_async
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from rest_framework.exceptions import APIException, NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.access import ReadsStudies, StoresStudies
from apps.accounts.actors import signed_in
from apps.imaging.access import visible_to
from apps.imaging.dicom.negotiation import Category, Choice, Stored, charset_is_acceptable, negotiate
from apps.imaging.models import Instance, Series, Study
from apps.protection import keys

logger = logging.getLogger(__name__)


class DicomJSONRenderer(JSONRenderer):
    media_type = "application/dicom+json"


class DicomWebNegotiation(DefaultContentNegotiation):
    """Leaves Accept to :func:`choose`: DICOMweb's parameters would rule out every renderer."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Choose by the media type without its parameters, in any case (RFC 9110 section 8.3.1)."""
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)


class Damaged(APIException):
    """A stored file is lost or damaged."""

    status_code = 500
    default_detail = (
        "A file of this resource is lost or damaged in the store. Ask an administrator to run 'manage.py archive "
        "verify', which names it; the other objects can be retrieved one by one."
    )


class DicomWebView(APIView):
    """Base of the services: clinicians read, physicians store and delete."""

    renderer_classes = (DicomJSONRenderer,)
    content_negotiation_class = DicomWebNegotiation

    def handle_exception(self, exc: Exception) -> Response:
        """Say that a stored file is lost or damaged; everything else as usual."""
        if isinstance(exc, FileNotFoundError | keys.CannotOpen):
            logger.error("a stored file cannot be opened: %s", exc)
            exc = Damaged()
        return super().handle_exception(exc)

    def get_permissions(self) -> list[Any]:
        """Permissions by method, since one resource serves several transactions."""
        return [ReadsStudies() if self.request.method in SAFE_METHODS else StoresStudies()]


def choose(request: Request, category: Category, stored: Stored) -> Choice:
    """Choose the representation to send (PS3.18 section 8.7).

    Raises:
        NotAcceptable: 406, naming what could be had.
    """
    accept, query = getattr(request, _ACCEPTED, request.headers.get("Accept")), request.query_params
    if not charset_is_acceptable(request.headers.get("Accept-Charset"), query.get("charset")):
        raise NotAcceptable("only UTF-8 is sent")
    choice = negotiate(accept, category, stored, query=query.get("accept"))
    if choice is None:
        offered = ", ".join(sorted({stored.transfer_syntax, *stored.transcodable} - {""}))
        raise NotAcceptable(
            f"nothing acceptable can be sent; transfer syntaxes that can: {offered}" if offered else None
        )
    return choice


_ACCEPTED = "dicomweb_accept"


def accept_instead(request: Request, accept: str) -> None:
    """Let :func:`choose` read this instead of the Accept header: WADO-URI says it in query parameters."""
    setattr(request, _ACCEPTED, accept)


def visible_study(request: Request, study: str) -> Study:
    """Return a study that the user may see, or answer 404."""
    return get_object_or_404(visible_to(signed_in(request)), study_instance_uid=study)


def visible_instances(request: Request, study: str, series: str = "", instance: str = "") -> list[Instance]:
    """Return the instances of a study, series or instance resource that the user may see, or answer 404."""
    record = visible_study(request, study)
    wanted = Series.objects.filter(study=record)
    by_id = {row.pk: row for row in (wanted.filter(series_instance_uid=series) if series else wanted)}
    rows = Instance.objects.filter(series__in=list(by_id))
    found = list(rows.filter(sop_instance_uid=instance) if instance else rows)
    if not found:
        get_object_or_404(Instance.objects.none())
    for row in by_id.values():
        row.study = record
    for one in found:  # joined, each row would build its study and series again
        one.series = by_id[one.series_id]
    return sorted(found, key=_place)


def _place(row: Instance) -> tuple[int, str, int, str]:
    return row.series.number, row.series.series_instance_uid, row.number, row.sop_instance_uid


def study_path(study: Study) -> str:
    """Return the path of a study resource."""
    return reverse("dicomweb:study", args=[study.study_instance_uid])


def series_path(series: Series) -> str:
    """Return the path of a series resource."""
    return f"{study_path(series.study)}/series/{quote(series.series_instance_uid)}"


def instance_url(instance: Instance) -> str:
    """Return the path of an instance resource."""
    return f"{series_path(instance.series)}/instances/{quote(instance.sop_instance_uid)}"


def part(content: Iterable[bytes], content_type: str, location: str = "") -> Iterator[bytes]:
    """Yield a part of a multipart body without its boundary."""
    yield f"Content-Type: {content_type}\r\n".encode()
    if location:
        yield f"Content-Location: {location}\r\n".encode()
    yield b"\r\n"
    yield from content
    yield b"\r\n"


def related(parts: Iterable[Iterable[bytes]], media_type: str, *, parameters: str = "") -> HttpResponseBase:
    """Return a streamed multipart/related answer (RFC 2387)."""
    boundary = uuid.uuid4().hex

    def body() -> Iterator[bytes]:
        for content in parts:
            yield f"--{boundary}\r\n".encode()
            yield from content
        yield f"--{boundary}--\r\n".encode()

    return streamed(body(), f'multipart/related; type="{media_type}"{parameters}; boundary={boundary}')


def streamed(blocks: Iterator[bytes], content_type: str) -> HttpResponseBase:
    """Return a streamed answer; what fits one block is sent whole, with its length."""
    start, size = [], 0
    for block in blocks:
        start.append(block)
        size += len(block)
        if size > WHOLE_BYTES:
            return StreamingHttpResponse(_joined(start, blocks), content_type=content_type)
    return HttpResponse(b"".join(start), content_type=content_type)


WHOLE_BYTES = 8 * 2**20
"""Shorter answers are sent at once: a stream costs a change of threads for each block."""


async def _joined(start: list[bytes], rest: Iterator[bytes]) -> AsyncIterator[bytes]:
    for block in start:
        yield block
    start.clear()
    while block := await sync_to_async(_gathered)(rest):
        yield block


def _gathered(blocks: Iterator[bytes]) -> bytes:
    """Join blocks to pieces worth a change of threads."""
    pieces, size = [], 0
    for block in blocks:
        pieces.append(block)
        size += len(block)
        if size >= 2**20:
            break
    return b"".join(pieces)
