"""DICOMweb, PS3.18: Store (section 10.5) and Retrieve of metadata and frames (section 10.4)."""

from __future__ import annotations

import json
import uuid
from typing import Any, NoReturn

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from pydicom import Dataset
from rest_framework.exceptions import NotFound, ParseError, UnsupportedMediaType
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import audit
from apps.accounts.access import ReadsStudies, StoresStudies
from apps.accounts.actors import signed_in
from apps.accounts.untrusted_input import whole_number
from apps.imaging.access import visible_to
from apps.imaging.dicom.multipart import boundary_of, parts
from apps.imaging.dicom.parser import Unreadable
from apps.imaging.ingest import Received, receive
from apps.imaging.models import Instance, Outcome
from apps.imaging.queries import frame_bytes, header_of, native_frame_bytes
from apps.jobs.errors import message

JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
NATIVE = "1.2.840.10008.1.2.1"
_TRANSCODED = {JPEG_EXTENDED}
"""Transfer syntaxes that browsers mis-decode (12-bit JPEG comes out too bright): sent as native."""
_FAILURE_REASONS = {
    "no_pixels": 0xA900,
    "unsupported_transfer_syntax": 0xC122,
    "sop_instance_differs": 0x0111,
    "frame_too_large": 0xA700,
}
_CANNOT_UNDERSTAND = 0xC000
_PROCESSING_FAILURE = 0x0110


class DicomJSONRenderer(JSONRenderer):
    media_type = "application/dicom+json"


class RelatedParser(BaseParser):
    """Leaves a multipart/related body unparsed: the view streams it."""

    media_type = "multipart/related"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return stream


class AnyAccept(DefaultContentNegotiation):
    """Ignores Accept: DICOMweb's parameters would rule out every renderer."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class DicomWebView(APIView):
    permission_classes = (ReadsStudies,)
    renderer_classes = (DicomJSONRenderer,)
    content_negotiation_class = AnyAccept


class StoreView(DicomWebView):
    """STOW-RS: store the instances of a multipart/related body."""

    parser_classes = (RelatedParser,)
    permission_classes = (StoresStudies,)  # type: ignore[assignment]

    @extend_schema(
        operation_id="stow_rs",
        request={"multipart/related": OpenApiTypes.BINARY},
        responses={
            (code, "application/dicom+json"): OpenApiResponse(OpenApiTypes.OBJECT, text)
            for code, text in {
                200: "all stored",
                202: "some stored, some not or quarantined",
                409: "none stored",
                400: "not multipart/related",
                415: "not multipart/related",
            }.items()
        },
    )
    def post(self, request: Request) -> Response:
        stored: list[Received] = []
        failed: list[Received] = []
        try:
            boundary = boundary_of(request.content_type or "")
            for part in parts(request._request, boundary, max_bytes=settings.UPLOAD_MAX_BYTES):
                received = receive(part, actor=signed_in(request))
                (stored if received.instance else failed).append(received)
        except Unreadable as problem:
            if problem.code == "bad_multipart" and not (stored or failed):
                _raise_bad_request(request)
            failed.append(Received(Outcome.REFUSED, "truncated"))
        status = 200 if not failed else 202 if stored or _any_quarantined(failed) else 409
        return Response(_store_response(request, stored, failed), status=status)


def _raise_bad_request(request: Request) -> NoReturn:
    if not (request.content_type or "").startswith("multipart/related"):
        raise UnsupportedMediaType(request.content_type or "")
    raise ParseError("send multipart/related with a boundary and parts of type application/dicom (PS3.18, 10.5)")


def _any_quarantined(failed: list[Received]) -> bool:
    return any(received.outcome == Outcome.HELD for received in failed)


def _store_response(request: Request, stored: list[Received], failed: list[Received]) -> dict[str, Any]:
    """Build the Store Instances Response, PS3.18 table 10.5.3-1, with a readable reason for each failure."""
    response = Dataset()
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
    series = received.instance.series
    url = reverse("dicomweb:series-metadata", args=[series.study.study_instance_uid, series.series_instance_uid])
    item.RetrieveURL = request.build_absolute_uri(url.removesuffix("/metadata"))
    return item


def _failure(received: Received) -> Dataset:
    item = Dataset()
    if received.sop_instance_uid:
        item.ReferencedSOPClassUID = received.sop_class_uid
        item.ReferencedSOPInstanceUID = received.sop_instance_uid
    quarantined = received.outcome == Outcome.HELD
    item.FailureReason = _PROCESSING_FAILURE if quarantined else _FAILURE_REASONS.get(received.code, _CANNOT_UNDERSTAND)
    item.ErrorComment = message(received.code, received.parameters)
    return item


class MetadataView(DicomWebView):
    """WADO-RS: the metadata of a study's or series' instances as DICOM JSON."""

    @extend_schema(
        operation_id="wado_rs_study_metadata",
        responses={(200, "application/dicom+json"): OpenApiTypes.OBJECT, 404: OpenApiResponse()},
    )
    def get(self, request: Request, study: str) -> HttpResponse:
        return self.respond(request, study)

    def respond(self, request: Request, study: str, series: str = "") -> HttpResponse:
        """Return the metadata of a study, or of one of its series."""
        record = get_object_or_404(visible_to(signed_in(request)), study_instance_uid=study)
        instances = Instance.objects.filter(series__study=record).select_related("series__study")
        if series:
            instances = instances.filter(series__series_instance_uid=series)
        body = [metadata(request, instance) for instance in instances]
        if not body:
            raise NotFound
        audit.record(signed_in(request), "study.read", record, why="treatment", part="metadata", instances=len(body))
        return HttpResponse(json.dumps(body), content_type="application/dicom+json")


class SeriesMetadataView(MetadataView):
    """WADO-RS: the metadata of one series' instances as DICOM JSON."""

    @extend_schema(
        operation_id="wado_rs_series_metadata",
        responses={(200, "application/dicom+json"): OpenApiTypes.OBJECT, 404: OpenApiResponse()},
    )
    def get(self, request: Request, study: str, series: str) -> HttpResponse:  # type: ignore[override]
        return self.respond(request, study, series)


def metadata(request: Request, instance: Instance) -> dict[str, Any]:
    """Return an instance as DICOM JSON (PS3.18 annex F): pixel data by BulkDataURI, long values omitted."""
    header = header_of(instance)
    for tag in [tag for tag in header.keys() if tag.is_private or tag.group == 0x6000]:  # noqa: SIM118
        del header[tag]
    body = header.to_json_dict(
        bulk_data_threshold=65_536, bulk_data_element_handler=lambda _: "", suppress_invalid_tags=True
    )
    uri = request.build_absolute_uri(_frame_url(instance, 1).rsplit("/", 1)[0])
    body["00020010"] = {"vr": "UI", "Value": [_sent_syntax(instance)]}
    if instance.frames:
        body[f"{instance.pixel_tag:08X}"] = {"vr": "OW", "BulkDataURI": uri}
        body.setdefault("00280008", {"vr": "IS", "Value": [instance.frames]})
    return body


class FrameView(DicomWebView):
    """WADO-RS: frames as multipart/related; numbers start at 1, several separated by commas."""

    @extend_schema(
        operation_id="wado_rs_frames",
        parameters=[
            OpenApiParameter("frames", str, OpenApiParameter.PATH, description="Frame numbers from 1: '1' or '1,2'.")
        ],
        responses={(200, "multipart/related"): OpenApiTypes.BINARY, 404: OpenApiResponse()},
    )
    def get(self, request: Request, study: str, series: str, instance: str, frames: str) -> HttpResponse:
        record = get_object_or_404(
            Instance.objects.select_related("series__study").filter(series__study__in=visible_to(signed_in(request))),
            sop_instance_uid=instance,
            series__series_instance_uid=series,
            series__study__study_instance_uid=study,
        )
        numbers = [whole_number(part) for part in frames.split(",")]
        if not numbers or len(numbers) > 100 or not all(1 <= number <= record.frames for number in numbers):
            raise NotFound
        audit.record(signed_in(request), "study.read", record, why="treatment", part="frames", frames=numbers)
        return _related(record, numbers)


def _related(instance: Instance, numbers: list[int]) -> HttpResponse:
    boundary = uuid.uuid4().hex
    syntax = _sent_syntax(instance)
    kind = "application/octet-stream"
    body = bytearray()
    for number in numbers:
        transcode = instance.transfer_syntax_uid in _TRANSCODED
        frame = native_frame_bytes(instance, number) if transcode else frame_bytes(instance, number)
        body += f"--{boundary}\r\nContent-Type: {kind}; transfer-syntax={syntax}\r\n\r\n".encode()
        body += frame + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    content_type = f'multipart/related; type="{kind}"; transfer-syntax={syntax}; boundary={boundary}'
    return HttpResponse(bytes(body), content_type=content_type)


def _sent_syntax(instance: Instance) -> str:
    """Return the transfer syntax sent. A frame has no VRs, so implicit little-endian is labelled explicit."""
    if instance.transfer_syntax_uid in {*_TRANSCODED, "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99"}:
        return NATIVE
    return instance.transfer_syntax_uid


def _frame_url(instance: Instance, number: int) -> str:
    series = instance.series
    return reverse(
        "dicomweb:frames",
        args=[series.study.study_instance_uid, series.series_instance_uid, instance.sop_instance_uid, str(number)],
    )
