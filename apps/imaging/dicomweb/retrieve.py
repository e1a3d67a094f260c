"""WADO-RS: retrieving studies, series, instances, frames and bulk data (PS3.18 section 10.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from pydicom.uid import UID
from rest_framework.exceptions import NotAcceptable, NotFound
from rest_framework.request import Request

from apps.accounts import audit
from apps.accounts.actors import signed_in
from apps.accounts.untrusted_input import whole_number
from apps.imaging.dicom.bulk_data import NestingTooDeep, NoSuchBulkData, resolve_bulk_path
from apps.imaging.dicom.conversion import conversions, converted, part10
from apps.imaging.dicom.element_values import little_endian
from apps.imaging.dicom.negotiation import DICOM, Category, Choice, Stored
from apps.imaging.dicom.parser import DicomObject, Unreadable, open_stored
from apps.imaging.dicom.transcode import CannotTranscode, targets, transcode
from apps.imaging.dicomweb.base import DicomWebView, choose, instance_url, part, related, streamed, visible_instances
from apps.imaging.models import Instance
from apps.imaging.queries import layout_of, open_file, open_instance

MAX_FRAMES = 1_000
_EXPLICIT = "1.2.840.10008.1.2.1"
_MISREAD_BY_BROWSERS = frozenset({"1.2.840.10008.1.2.4.51"})
"""Sent as native samples unless asked for by name: browsers' decoders show 12-bit JPEG too bright."""
RESPONSES = {(200, "multipart/related"): OpenApiTypes.BINARY, 404: OpenApiResponse(), 406: OpenApiResponse()}


class RetrieveView(DicomWebView):
    """The instances of a study, series or instance resource."""

    def respond(self, request: Request, study: str, series: str = "", instance: str = "") -> HttpResponseBase:
        """Send each instance in a representation that the client accepts.

        The representation is chosen for each before anything is sent: an answer is whole, or 406.
        """
        rows = visible_instances(request, study, series, instance)
        choices = [_choose_for(request, row, single=bool(instance)) for row in rows]
        facts: dict[str, Any] = {"instances": len(rows)}
        subject = rows[0] if instance else rows[0].series.study
        audit.record(signed_in(request), "study.read", subject, why="treatment", part="instances", **facts)
        if not choices[0].multipart:
            return streamed(_file(rows[0], choices[0]), _content_type(choices[0]))
        pairs = zip(rows, choices, strict=True)
        return related((part(_file(row, choice), _content_type(choice)) for row, choice in pairs), DICOM)


class StudyView(RetrieveView):
    """WADO-RS: all instances of a study."""

    @extend_schema(operation_id="wado_rs_study", responses=RESPONSES)
    def get(self, request: Request, study: str) -> HttpResponseBase:
        return self.respond(request, study)


class SeriesView(RetrieveView):
    """WADO-RS: all instances of a series."""

    @extend_schema(operation_id="wado_rs_series", responses=RESPONSES)
    def get(self, request: Request, study: str, series: str) -> HttpResponseBase:
        return self.respond(request, study, series)


class InstanceView(RetrieveView):
    """WADO-RS: one instance, as received or converted without loss."""

    @extend_schema(operation_id="wado_rs_instance", responses=RESPONSES)
    def get(self, request: Request, study: str, series: str, instance: str) -> HttpResponseBase:
        return self.respond(request, study, series, instance)


def _content_type(choice: Choice) -> str:
    return f"{DICOM}; transfer-syntax={choice.transfer_syntax}"


def _choose_for(request: Request, row: Instance, *, single: bool) -> Choice:
    choice = choose(request, Category.INSTANCES, Stored(row.transfer_syntax_uid, CONVERSIONS, single=single))
    if choice.transfer_syntax == row.transfer_syntax_uid:
        return choice
    with open_instance(row) as dicom:
        can = conversions(dicom)
        choice = choose(request, Category.INSTANCES, Stored(row.transfer_syntax_uid, can, single=single))
        if choice.transfer_syntax != row.transfer_syntax_uid:
            try:  # a frame shows whether the conversion is exact
                next(converted(dicom, UID(choice.transfer_syntax)))
            except (CannotTranscode, Unreadable) as error:
                raise NotAcceptable(f"{row.sop_instance_uid} cannot be converted without loss") from error
    return choice


CONVERSIONS = frozenset(
    {"1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5"} | {f"1.2.840.10008.1.2.4.{end}" for end in (80, 90, 201)}
)
"""Conversions that may be possible: the object is opened only if one of them would be preferred to what is stored."""


def _file(row: Instance, choice: Choice) -> Iterator[bytes]:
    with open_file(row) as file:
        layout = layout_of(file)
        if choice.transfer_syntax == row.transfer_syntax_uid:
            if not layout.part10:
                yield part10(open_stored(file.as_file(), layout))
            for number, piece in enumerate(file.pieces()):
                yield piece if layout.part10 or number else piece[layout.dataset :]
        else:
            yield from converted(open_stored(file.as_file(), layout), UID(choice.transfer_syntax))


class FrameView(DicomWebView):
    """WADO-RS: frames as multipart/related; numbers start at 1, several separated by commas."""

    @extend_schema(
        operation_id="wado_rs_frames",
        parameters=[
            OpenApiParameter("frames", str, OpenApiParameter.PATH, description="Frame numbers from 1: '1' or '1,2'.")
        ],
        responses={**RESPONSES, 400: OpenApiResponse()},
    )
    def get(self, request: Request, study: str, series: str, instance: str, frames: str) -> HttpResponseBase:
        (row,) = visible_instances(request, study, series, instance)
        numbers = frame_numbers(frames, row.frames)
        with open_instance(row) as dicom:
            choice = choose_for_frames(request, dicom, single=len(numbers) == 1)
            audit.record(signed_in(request), "study.read", row, why="treatment", part="frames", frames=numbers)
            only = [frame_of(dicom, numbers[0], choice)] if len(numbers) == 1 else []
        contents = iter(only) if only else _frames(row, numbers, choice)
        kind = f"{choice.media_type}; transfer-syntax={choice.transfer_syntax}"
        if not choice.multipart:
            return streamed(contents, kind)
        base = request.build_absolute_uri(f"{instance_url(row)}/frames/")
        parts = (part([content], kind, f"{base}{n}") for n, content in zip(numbers, contents, strict=True))
        return related(parts, choice.media_type, parameters=f"; transfer-syntax={choice.transfer_syntax}")


def _frames(row: Instance, numbers: list[int], choice: Choice) -> Iterator[bytes]:
    """Yield frames one at a time: together they may be larger than the memory."""
    with open_instance(row) as dicom:
        for number in numbers:
            yield frame_of(dicom, number, choice)


def frame_numbers(text: str, frames: int) -> list[int]:
    """Parse a frame list.

    Raises:
        NotFound: if it is not a list of frame numbers from 1, or a frame does not exist.
    """
    numbers = [whole_number(number) for number in text.split(",")]
    if not numbers or len(numbers) > MAX_FRAMES or not all(1 <= number <= frames for number in numbers):
        raise NotFound(f"frames are numbered from 1 to {frames}" if frames else "the instance has no frames")
    return numbers


def choose_for_frames(request: Request, dicom: DicomObject, *, single: bool) -> Choice:
    """Choose how frames are sent."""
    source = dicom.layout.transfer_syntax
    can = targets(dicom.header, UID(source), pixel_tag=dicom.pixel_tag)
    if source in _MISREAD_BY_BROWSERS and _EXPLICIT in can:
        source, can = _EXPLICIT, can | {source}
    return choose(request, Category.FRAMES, Stored(source, can, single=single))


def available_syntax(row: Instance) -> str:
    """Return the transfer syntax in which frames are sent to a client that takes any."""
    syntax = UID(row.transfer_syntax_uid)
    native = syntax.is_transfer_syntax and not syntax.is_compressed  # what pydicom does not know is sent as it is
    return _EXPLICIT if native or row.transfer_syntax_uid in _MISREAD_BY_BROWSERS else row.transfer_syntax_uid


def frame_of(dicom: DicomObject, number: int, choice: Choice) -> bytes:
    """Return a frame in the representation chosen.

    Raises:
        NotAcceptable: if it cannot be converted without loss.
    """
    frame = dicom.layout.frame(dicom.stream, number)
    source, target = UID(dicom.layout.transfer_syntax), UID(choice.transfer_syntax)
    if source == target or (not target.is_compressed and not source.is_compressed and source.is_little_endian):
        return frame
    try:
        return transcode(dicom.header, frame, source=source, target=target, pixel_tag=dicom.pixel_tag).frame
    except (CannotTranscode, Unreadable) as error:
        raise NotAcceptable("the frame cannot be converted without loss") from error


class BulkDataView(DicomWebView):
    """WADO-RS: a large value, by the path that the metadata give as its BulkDataURI."""

    @extend_schema(operation_id="wado_rs_bulk_data", responses=RESPONSES)
    def get(self, request: Request, study: str, series: str, instance: str, path: str) -> HttpResponseBase:
        (row,) = visible_instances(request, study, series, instance)
        audit.record(signed_in(request), "study.read", row, why="treatment", part="bulk data")
        try:
            return self.respond(request, row, path.strip("/"))
        except (NoSuchBulkData, NestingTooDeep) as error:
            raise NotFound("there is no such bulk data") from error

    def respond(self, request: Request, row: Instance, path: str) -> HttpResponseBase:
        """Send a value: pixels as frames, others as octets."""
        if row.pixel_tag and path.upper() in ("", f"{row.pixel_tag:08X}"):
            return self.pixels(request, row)
        choice = choose(request, Category.BULK_DATA, Stored(single=True))
        with open_instance(row) as dicom:
            content = bulk_value(dicom, path)
        if not choice.multipart:
            return streamed(iter([content]), choice.media_type)
        return related([part([content], choice.media_type)], choice.media_type)

    def pixels(self, request: Request, row: Instance) -> HttpResponseBase:
        """Send all frames, each a part, or native pixels as one (PS3.18 section 10.4.1.1.5)."""
        with open_instance(row) as dicom:
            choice = choose_for_frames(request, dicom, single=True)
        kind = f"{choice.media_type}; transfer-syntax={choice.transfer_syntax}"

        def frames() -> Iterator[bytes]:
            with open_instance(row) as dicom:
                for number in range(1, row.frames + 1):
                    yield frame_of(dicom, number, choice)

        if not row.frames:
            return streamed(_raw_pixels(row), "application/octet-stream")
        if not choice.multipart:
            return streamed(frames(), kind)
        if UID(choice.transfer_syntax).is_compressed:
            return related((part([frame], kind) for frame in frames()), choice.media_type)
        return related([part(frames(), kind)], choice.media_type)


class AllFramesView(BulkDataView):
    """WADO-RS: all frames of an instance."""

    @extend_schema(operation_id="wado_rs_all_frames", responses=RESPONSES)
    def get(self, request: Request, study: str, series: str, instance: str) -> HttpResponseBase:  # type: ignore[override]
        return super().get(request, study, series, instance, "")


def bulk_value(dicom: DicomObject, path: str) -> bytes:
    """Return a value by its path; see :func:`~apps.imaging.dicom.bulk_data.resolve_bulk_path`.

    Raises:
        NoSuchBulkData: if the path leads nowhere.
        NestingTooDeep: if the value is a sequence that cannot be encoded.
    """
    for bulk in dicom.layout.bulk:
        if path.upper() == f"{bulk.tag:08X}":
            dicom.stream.seek(bulk.extent[0])
            content = dicom.stream.read(bulk.extent[1] - bulk.extent[0])
            return little_endian(content, bulk.vr, stored_little=dicom.layout.little)
    return resolve_bulk_path(dicom.header, path)


def _raw_pixels(row: Instance) -> Iterator[bytes]:
    """Yield a pixel element that cannot be read frame by frame, as stored."""
    with open_file(row) as file:
        layout = layout_of(file)
        start, end = layout.pixel
        position = start
        while position < end:
            piece = file.read_range(position, min(2**20, end - position))
            position += len(piece)
            yield piece
