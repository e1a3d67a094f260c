"""Rendered resources and thumbnails, and WADO-URI (PS3.18 sections 10.4.1.1.3, 10.4.1.1.4 and 9)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from pydicom.uid import EncapsulatedPDFStorage
from rest_framework.exceptions import NotAcceptable, NotFound, ParseError
from rest_framework.request import Request

from apps.accounts import audit
from apps.accounts.actors import signed_in
from apps.accounts.untrusted_input import whole_number
from apps.imaging.dicom.negotiation import DICOM, Category, Choice, Stored
from apps.imaging.dicom.parser import Unreadable
from apps.imaging.dicom.render import encode_picture, render_frame
from apps.imaging.dicom.render_options import (
    MAX_VIEWPORT,
    BadParameter,
    Viewport,
    Window,
    parse_quality,
    parse_viewport,
    parse_window,
)
from apps.imaging.dicomweb.base import DicomWebView, accept_instead, choose, part, related, visible_instances
from apps.imaging.dicomweb.retrieve import InstanceView, bulk_value, frame_numbers
from apps.imaging.models import Instance
from apps.imaging.queries import open_instance
from apps.jobs.errors import message

THUMBNAIL = Viewport(128, 128)
MAX_ANIMATED = 200
_PICTURES = {(200, "image/jpeg"): OpenApiTypes.BINARY, 404: OpenApiResponse(), 406: OpenApiResponse()}
_PARAMETERS = [
    OpenApiParameter("window", str, description="center,width,function"),
    OpenApiParameter("viewport", str, description="vw,vh or vw,vh,sx,sy,sw,sh"),
    OpenApiParameter("quality", int, description="1 to 100, of JPEG"),
    OpenApiParameter("annotation", str, description="'technique' draws the overlay planes"),
]


class RenderedView(DicomWebView):
    """Pictures of the images of a resource, drawn by the server."""

    thumbnail = False

    def respond(
        self, request: Request, study: str, series: str = "", instance: str = "", frames: str = ""
    ) -> HttpResponseBase:
        """Send one picture, or several as a multipart body or an animation, as the client accepts.

        Of a study or series, a single picture is that of the image in the middle.
        """
        rows = visible_instances(request, study, series, instance)
        images = [row for row in rows if row.frames]
        if not images and len(rows) == 1 and rows[0].sop_class_uid == EncapsulatedPDFStorage and not self.thumbnail:
            return _document(request, rows[0])
        if not images:
            raise NotAcceptable("there is no image to draw")
        choice = choose(request, Category.RENDERED, Stored())
        shown = images if choice.multipart else [images[len(images) // 2]]
        options = self.rendering(request, shown[0])
        audit.record(signed_in(request), "study.read", shown[0], why="treatment", part="rendered", instances=len(shown))
        pictures = [
            picture
            for row in shown
            for picture in _pictures(row, _numbers(row, frames, choice, self.thumbnail), choice, options)
        ]
        if choice.multipart:
            return related((part([picture], choice.media_type) for picture in pictures), choice.media_type)
        return HttpResponse(pictures[0], content_type=choice.media_type)

    def rendering(self, request: Request, row: Instance) -> _Options:
        """Read the rendering parameters for the image."""
        return _options(request.query_params, self.thumbnail)


class _Options:
    """Rendering parameters of a request."""

    def __init__(self, window: Window | None, viewport: Viewport | None, quality: int | None, overlays: bool) -> None:
        self.window, self.viewport, self.quality, self.overlays = window, viewport, quality, overlays


def _options(said: Mapping[str, str], thumbnail: bool) -> _Options:
    """Read the query parameters.

    Raises:
        ParseError: if one is malformed.
    """
    try:
        return _Options(
            parse_window(said["window"]) if said.get("window") else None,
            parse_viewport(said["viewport"]) if said.get("viewport") else THUMBNAIL if thumbnail else None,
            parse_quality(said["quality"]) if said.get("quality") else None,
            "technique" in said.get("annotation", ""),
        )
    except BadParameter as problem:
        raise ParseError(str(problem)) from problem


def _as_of_wado_rs(said: Mapping[str, str], row: Instance) -> dict[str, str]:
    """Write the parameters of WADO-URI (PS3.18 section 9.1.2.2) as those of WADO-RS.

    Raises:
        ParseError: if the region is malformed.
    """
    new = {"quality": said.get("imageQuality", ""), "annotation": said.get("annotation", "")}
    if said.get("windowCenter") or said.get("windowWidth"):
        new["window"] = f"{said.get('windowCenter', '')},{said.get('windowWidth', '')}"
    region = said.get("region", "")
    width, height = said.get("columns", ""), said.get("rows", "")
    if region or width or height:
        try:
            left, top, right, bottom = (float(edge) for edge in (region or "0,0,1,1").split(","))
        except ValueError:
            left = top = right = bottom = 0.0
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            raise ParseError("region: expected xmin,ymin,xmax,ymax from 0 to 1")
        columns, rows = (right - left) * row.columns, (bottom - top) * row.rows
        if not (width or height):
            width, height = (str(min(math.ceil(size), MAX_VIEWPORT)) for size in (columns, rows))
        new["viewport"] = f"{width or MAX_VIEWPORT},{height or MAX_VIEWPORT}"
        if region:
            new["viewport"] += f",{left * row.columns},{top * row.rows},{columns},{rows}"
    return new


def _numbers(row: Instance, frames: str, choice: Choice, thumbnail: bool) -> list[int]:
    """Choose the frames: those asked for; of an animation or multipart body all; else the first, or middle."""
    if frames:
        return frame_numbers(frames, row.frames)
    if thumbnail:
        return [(row.frames + 1) // 2]
    several = choice.multipart or choice.media_type == "image/gif"
    return list(range(1, min(row.frames, MAX_ANIMATED) + 1)) if several else [1]


def _pictures(row: Instance, numbers: Sequence[int], choice: Choice, options: _Options) -> list[bytes]:
    try:
        with open_instance(row) as dicom:
            drawn = [
                render_frame(
                    dicom.header,
                    dicom.layout.frame(dicom.stream, number),
                    transfer_syntax=dicom.transfer_syntax,
                    pixel_tag=dicom.pixel_tag,
                    number=number,
                    window=options.window,
                    viewport=options.viewport,
                    overlays=options.overlays,
                )
                for number in numbers
            ]
            animated = choice.media_type == "image/gif" and not choice.multipart
            groups = [drawn] if animated else [[picture] for picture in drawn]
            return [
                encode_picture(group, choice.media_type, quality=options.quality, header=dicom.header)
                for group in groups
            ]
    except Unreadable as problem:
        raise NotAcceptable(message(problem.code, problem.parameters)) from problem


def _document(request: Request, row: Instance) -> HttpResponse:
    """Send an encapsulated PDF as it is (PS3.18 section 8.7.4)."""
    audit.record(signed_in(request), "study.read", row, why="treatment", part="rendered", instances=1)
    with open_instance(row) as dicom:
        content = bulk_value(dicom, "00420011")
    return HttpResponse(content, content_type="application/pdf")


class StudyRenderedView(RenderedView):
    """WADO-RS: a study as pictures."""

    @extend_schema(operation_id="wado_rs_study_rendered", parameters=_PARAMETERS, responses=_PICTURES)
    def get(self, request: Request, study: str) -> HttpResponseBase:
        return self.respond(request, study)


class SeriesRenderedView(RenderedView):
    """WADO-RS: a series as pictures."""

    @extend_schema(operation_id="wado_rs_series_rendered", parameters=_PARAMETERS, responses=_PICTURES)
    def get(self, request: Request, study: str, series: str) -> HttpResponseBase:
        return self.respond(request, study, series)


class InstanceRenderedView(RenderedView):
    """WADO-RS: an instance as a picture."""

    @extend_schema(operation_id="wado_rs_instance_rendered", parameters=_PARAMETERS, responses=_PICTURES)
    def get(self, request: Request, study: str, series: str, instance: str) -> HttpResponseBase:
        return self.respond(request, study, series, instance)


class FramesRenderedView(RenderedView):
    """WADO-RS: frames as pictures."""

    @extend_schema(operation_id="wado_rs_frames_rendered", parameters=_PARAMETERS, responses=_PICTURES)
    def get(self, request: Request, study: str, series: str, instance: str, frames: str) -> HttpResponseBase:
        return self.respond(request, study, series, instance, frames)


@extend_schema_view(get=extend_schema(operation_id="wado_rs_study_thumbnail"))
class StudyThumbnailView(StudyRenderedView):
    """WADO-RS: a thumbnail of a study."""

    thumbnail = True


@extend_schema_view(get=extend_schema(operation_id="wado_rs_series_thumbnail"))
class SeriesThumbnailView(SeriesRenderedView):
    """WADO-RS: a thumbnail of a series."""

    thumbnail = True


@extend_schema_view(get=extend_schema(operation_id="wado_rs_instance_thumbnail"))
class InstanceThumbnailView(InstanceRenderedView):
    """WADO-RS: a thumbnail of an instance."""

    thumbnail = True


@extend_schema_view(get=extend_schema(operation_id="wado_rs_frames_thumbnail"))
class FramesThumbnailView(FramesRenderedView):
    """WADO-RS: a thumbnail of a frame."""

    thumbnail = True


class WadoUriView(RenderedView, InstanceView):
    """WADO-URI: one instance as a DICOM file or a picture, by query parameters."""

    @extend_schema(
        operation_id="wado_uri",
        parameters=[
            OpenApiParameter("requestType", str, required=True, description="WADO"),
            OpenApiParameter("studyUID", str, required=True),
            OpenApiParameter("seriesUID", str, required=True),
            OpenApiParameter("objectUID", str, required=True),
            OpenApiParameter("contentType", str, description="application/dicom, image/jpeg, image/png or image/gif"),
            OpenApiParameter("transferSyntax", str),
            OpenApiParameter("frameNumber", int),
            OpenApiParameter("windowCenter", float),
            OpenApiParameter("windowWidth", float),
            OpenApiParameter("rows", int, description="at most so many pixels high"),
            OpenApiParameter("columns", int, description="at most so many pixels wide"),
            OpenApiParameter("region", str, description="xmin,ymin,xmax,ymax from 0 to 1"),
            OpenApiParameter("imageQuality", int, description="1 to 100, of JPEG"),
            OpenApiParameter("anonymize", str, description="refused: exports are de-identified elsewhere"),
        ],
        responses={**_PICTURES, 400: OpenApiResponse()},
    )
    def get(self, request: Request) -> HttpResponseBase:  # type: ignore[override]
        said = request.query_params
        if said.get("requestType") != "WADO":
            raise ParseError("requestType must be WADO (PS3.18 section 9.1.2)")
        uids = [said.get(name, "") for name in ("studyUID", "seriesUID", "objectUID")]
        if not all(uids):
            raise ParseError("studyUID, seriesUID and objectUID are required")
        if said.get("anonymize"):
            raise NotAcceptable("objects are not de-identified here (PS3.18 section 9.1.2)")
        study, series, instance = uids
        content_type = said.get("contentType", "image/jpeg")
        syntax = said.get("transferSyntax", "*" if DICOM in content_type else "")
        accept_instead(request, f"{DICOM}; transfer-syntax={syntax}" if syntax else content_type)
        if DICOM in content_type:
            return InstanceView.respond(self, request, study, series, instance)
        frames = said.get("frameNumber", "")
        if frames and whole_number(frames) < 1:
            raise NotFound("frames are numbered from 1")
        return RenderedView.respond(self, request, study, series, instance, frames)

    def rendering(self, request: Request, row: Instance) -> _Options:
        """Read the parameters under their names of WADO-URI."""
        return _options(_as_of_wado_rs(request.query_params, row), self.thumbnail)
