"""STOW-RS: storing instances (PS3.18 section 10.5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

from django.conf import settings
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from pydicom import Dataset
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.actors import signed_in
from apps.imaging.dicom.model_elements import InvalidModel
from apps.imaging.dicom.multipart import Part, boundary_of, parts
from apps.imaging.dicom.negotiation import DICOM, JSON, XML
from apps.imaging.dicom.parser import Unreadable
from apps.imaging.dicomweb.assembly import assemble
from apps.imaging.dicomweb.base import DicomWebView, instance_url
from apps.imaging.ingest import Received, receive_all
from apps.imaging.models import Outcome
from apps.jobs.errors import message

_FAILURE_REASONS = {
    "truncated": 0xC000,
    "not_dicom": 0xC000,
    "missing_uid": 0xA900,
    "study_differs": 0xA900,
    "media_directory": 0x0122,
    "header_too_large": 0xA700,
    "body_too_large": 0xA700,
    "sop_instance_differs": 0x0111,
    "no_care_team": 0x0124,
}
"""Failure Reason (0008,1197), PS3.18 table 10.5.3-2 and PS3.4 section B.2.3: A7xx out of resources, A9xx data set does
not match SOP Class, Cxxx cannot understand, 0111H duplicate SOP instance, 0122H SOP class not supported, 0124H not
authorised."""
_CANNOT_UNDERSTAND = 0xC000
_PROCESSING_FAILURE = 0x0110
_ELEMENTS_KEPT_UNREADABLE = 0xB007
"""Warning Reason (0008,1196): data set does not match SOP Class. Everything is stored; its pixels cannot be shown."""


class RelatedParser(BaseParser):
    """Leaves a multipart/related body unparsed: the view streams it."""

    media_type = "multipart/related"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return stream


class SingleParser(RelatedParser):
    """Takes one instance as the whole body."""

    media_type = DICOM


_RESPONSES = {
    (code, "application/dicom+json"): OpenApiResponse(OpenApiTypes.OBJECT, text)
    for code, text in {
        200: "all stored",
        202: "some stored, some not, quarantined or stored with a warning",
        409: "none stored",
        400: "not multipart/related",
        415: "not multipart/related",
    }.items()
}


class StoreView(DicomWebView):
    """STOW-RS: store the instances of a multipart/related body, as DICOM files or as metadata and bulk data."""

    parser_classes = (RelatedParser, SingleParser)

    @extend_schema(operation_id="stow_rs", request={"multipart/related": OpenApiTypes.BINARY}, responses=_RESPONSES)
    def post(self, request: Request) -> Response:
        return self.store(request)

    def store(self, request: Request, study: str = "") -> Response:
        """Store the instances; those of another study than ``study``, if given, fail."""
        stored: list[Received] = []
        failed: list[Received] = []
        try:
            for received in receive_all(_files(request), actor=signed_in(request), study_uid=study):
                (stored if received.instance else failed).append(received)
        except (Unreadable, InvalidModel) as problem:
            if not (stored or failed):
                _raise_bad_request(request, problem)
            code = problem.code if problem.code == "body_too_large" else "truncated"
            failed.append(Received(Outcome.REFUSED, code))
        warned = any(received.outcome == Outcome.STORED and received.code for received in stored)
        held = any(received.outcome == Outcome.HELD for received in failed)
        status = 202 if (stored and failed) or held or warned else 409 if failed else 200
        return Response(_store_response(request, stored, failed, study), status=status)


class StudyStoreView(StoreView):
    """STOW-RS: store instances of one study."""

    @extend_schema(
        operation_id="stow_rs_study", request={"multipart/related": OpenApiTypes.BINARY}, responses=_RESPONSES
    )
    def post(self, request: Request, study: str) -> Response:  # type: ignore[override]
        return self.store(request, study)


def _files(request: Request) -> Iterator[Part]:
    """Yield a DICOM file per instance."""
    if (request.content_type or "").partition(";")[0].strip().lower() == DICOM:
        body = b"--b\r\nContent-Type: application/dicom\r\n\r\n"
        yield from parts(_Framed(request._request, body, b"\r\n--b--\r\n"), b"b", max_bytes=settings.UPLOAD_MAX_BYTES)
        return
    boundary = boundary_of(request.content_type or "")
    incoming = parts(request._request, boundary, max_bytes=settings.UPLOAD_MAX_BYTES)
    for part in incoming:
        if part.media_type in (JSON, XML, "application/json", "text/xml", "application/xml"):
            yield from assemble(part, incoming)
            return
        yield part


class _Framed:
    """A body with a start and an end added."""

    def __init__(self, body: Any, start: bytes, end: bytes) -> None:
        self._body, self._start, self._end = body, start, end

    def read(self, size: int, /) -> bytes:
        if self._start:
            block, self._start = self._start, b""
        elif not (block := self._body.read(size)):
            block, self._end = self._end, b""
        return block


def _raise_bad_request(request: Request, problem: Unreadable | InvalidModel) -> NoReturn:
    if isinstance(problem, InvalidModel):
        raise ParseError(f"the metadata are not a valid DICOM model: {problem.code} at {problem.path or 'the top'}")
    if problem.code != "bad_multipart":
        raise ParseError(message(problem.code, problem.parameters))
    if not (request.content_type or "").startswith("multipart/related"):
        raise UnsupportedMediaType(request.content_type or "")
    raise ParseError("send multipart/related with a boundary and parts of type application/dicom (PS3.18, 10.5)")


def _store_response(
    request: Request, stored: list[Received], failed: list[Received], study: str = ""
) -> dict[str, Any]:
    """Build the Store Instances Response, PS3.18 table 10.5.3-1, with a readable reason for each failure."""
    response = Dataset()
    studies = {received.instance.series.study.study_instance_uid for received in stored if received.instance}
    if len(studies) == 1:
        response.RetrieveURL = request.build_absolute_uri(reverse("dicomweb:study", args=[*studies]))
    if stored:
        response.ReferencedSOPSequence = [_reference(request, received) for received in stored]
    if failed:
        response.FailedSOPSequence = [_failure(received) for received in failed]
    return response.to_json_dict()


def _reference(request: Request, received: Received) -> Dataset:
    assert received.instance is not None
    item = Dataset()
    item.ReferencedSOPClassUID = received.sop_class_uid
    item.ReferencedSOPInstanceUID = received.sop_instance_uid
    item.RetrieveURL = request.build_absolute_uri(instance_url(received.instance))
    if received.outcome == Outcome.STORED and received.code:
        item.WarningReason = _ELEMENTS_KEPT_UNREADABLE
        item.ErrorComment = message(received.code, received.parameters)
    return item


def _failure(received: Received) -> Dataset:
    item = Dataset()
    if received.sop_instance_uid:
        item.ReferencedSOPClassUID = received.sop_class_uid
        item.ReferencedSOPInstanceUID = received.sop_instance_uid
    held = received.outcome == Outcome.HELD and received.code not in _FAILURE_REASONS
    item.FailureReason = _PROCESSING_FAILURE if held else _FAILURE_REASONS.get(received.code, _CANNOT_UNDERSTAND)
    item.ErrorComment = message(received.code, received.parameters)
    return item
