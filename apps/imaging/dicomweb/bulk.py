"""WADO-RS: all pixel data, or all bulk data, of a study, series or instance (PS3.18 section 10.4.1.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from apps.accounts import audit
from apps.accounts.actors import signed_in
from apps.imaging.dicom.bulk_data import resolve_bulk_path
from apps.imaging.dicom.json_model import to_json
from apps.imaging.dicom.negotiation import OCTETS, Category, Choice, Stored
from apps.imaging.dicom.parser import DicomObject
from apps.imaging.dicomweb.base import DicomWebView, choose, instance_url, part, related, visible_instances
from apps.imaging.dicomweb.retrieve import RESPONSES, available_syntax, bulk_value, choose_for_frames, frame_of
from apps.imaging.models import Instance
from apps.imaging.queries import open_instance


class PixelDataView(DicomWebView):
    """WADO-RS: the frames of all images of a study, series or instance, each a part."""

    @extend_schema(responses=RESPONSES)
    def get(self, request: Request, study: str, series: str = "", instance: str = "") -> HttpResponseBase:
        images = [row for row in visible_instances(request, study, series, instance) if row.frames]
        if not images:
            raise NotFound("there is no image")
        choices = [_choice(request, row) for row in images]
        subject = images[0] if instance else images[0].series.study
        audit.record(
            signed_in(request), "study.read", subject, why="treatment", part="pixel data", instances=len(images)
        )
        site = request.build_absolute_uri("/").rstrip("/")
        pairs = zip(images, choices, strict=True)
        return related((piece for row, choice in pairs for piece in _frames(row, choice, site)), choices[0].media_type)


class BulkDataOfView(DicomWebView):
    """WADO-RS: the bulk data of all instances of a study, series or instance, each value a part; pixels as frames."""

    @extend_schema(responses=RESPONSES)
    def get(self, request: Request, study: str, series: str = "", instance: str = "") -> HttpResponseBase:
        choose(request, Category.BULK_DATA, Stored())
        rows = visible_instances(request, study, series, instance)
        subject = rows[0] if instance else rows[0].series.study
        audit.record(signed_in(request), "study.read", subject, why="treatment", part="bulk data", instances=len(rows))
        site = request.build_absolute_uri("/").rstrip("/")
        return related((piece for row in rows for piece in _values(row, site)), OCTETS)


def _named(view: type[DicomWebView], level: str, name: str) -> type[DicomWebView]:
    """Return the view of one level, with an operation id of its own."""
    operation = extend_schema_view(get=extend_schema(operation_id=f"wado_rs_{level}_{name}"))
    return operation(type(f"{level.capitalize()}{view.__name__}", (view,), {"__doc__": view.__doc__}))


STUDY_PIXELS, SERIES_PIXELS, INSTANCE_PIXELS = (
    _named(PixelDataView, level, "pixel_data") for level in ("study", "series", "instance")
)
STUDY_BULK, SERIES_BULK, INSTANCE_BULK = (
    _named(BulkDataOfView, level, "all_bulk_data") for level in ("study", "series", "instance")
)


def _choice(request: Request, row: Instance) -> Choice:
    with open_instance(row) as dicom:
        return choose_for_frames(request, dicom, single=False)


def _frames(row: Instance, choice: Choice, site: str) -> Iterator[Iterable[bytes]]:
    kind = f"{choice.media_type}; transfer-syntax={choice.transfer_syntax}"
    base = f"{site}{instance_url(row)}/frames"
    with open_instance(row) as dicom:
        for number in range(1, row.frames + 1):
            yield part([frame_of(dicom, number, choice)], kind, f"{base}/{number}")


def _values(row: Instance, site: str) -> Iterator[Iterable[bytes]]:
    base = f"{site}{instance_url(row)}/bulkdata"
    with open_instance(row) as dicom:
        for path in _paths(dicom):
            yield part([resolve_bulk_path(dicom.header, path)], OCTETS, f"{base}/{path}")
        for bulk in dicom.layout.bulk:
            path = f"{bulk.tag:08X}"
            yield part([bulk_value(dicom, path)], OCTETS, f"{base}/{path}")
    if row.frames:
        choice = Choice(OCTETS, available_syntax(row))
        yield from _frames(row, choice, site)


def _paths(dicom: DicomObject) -> list[str]:
    """Return the paths of the values in the header that the metadata give by address."""
    paths: list[str] = []

    def noted(path: str) -> str:
        paths.append(path)
        return path

    to_json(dicom.header, bulk_uri=noted)
    return paths
