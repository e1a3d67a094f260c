"""WADO-RS: metadata of instances as DICOM JSON or Native DICOM XML (PS3.18 section 10.4.1.1.2)."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from pydicom import Dataset
from pydicom.tag import Tag
from rest_framework.request import Request

from apps.accounts import audit
from apps.accounts.actors import signed_in
from apps.imaging.dicom.bulk_data import BULK_THRESHOLD
from apps.imaging.dicom.json_encoder import JsonEncoder
from apps.imaging.dicom.layout import Layout
from apps.imaging.dicom.negotiation import XML, Category, Stored
from apps.imaging.dicom.parser import head_bytes, inflated
from apps.imaging.dicom.pixel_layout import LIMITS
from apps.imaging.dicom.xml_model import to_xml
from apps.imaging.dicomweb.base import DicomWebView, choose, instance_url, part, related, visible_instances
from apps.imaging.dicomweb.retrieve import available_syntax
from apps.imaging.models import Instance
from apps.imaging.queries import layout_of, open_file, open_instance
from apps.protection import keys

_RESPONSES = {
    (200, "application/dicom+json"): OpenApiTypes.OBJECT,
    (200, "multipart/related"): OpenApiTypes.BINARY,
    404: OpenApiResponse(),
    406: OpenApiResponse(),
}


_AVAILABLE_SYNTAX = 0x00083002
_PIXEL_VRS = {0x7FE00008: "OF", 0x7FE00009: "OD"}


class MetadataView(DicomWebView):
    """WADO-RS: the metadata of a study's instances."""

    @extend_schema(operation_id="wado_rs_study_metadata", responses=_RESPONSES)
    def get(self, request: Request, study: str) -> HttpResponseBase:
        return self.respond(request, study)

    def respond(self, request: Request, study: str, series: str = "", instance: str = "") -> HttpResponseBase:
        """Send the metadata of the instances of a resource."""
        choice = choose(request, Category.METADATA, Stored(single=bool(instance)))
        rows = visible_instances(request, study, series, instance)
        subject = rows[0] if instance else rows[0].series.study
        audit.record(signed_in(request), "study.read", subject, why="treatment", part="metadata", instances=len(rows))
        keys.warm({row.key_holder for row in rows})
        site = request.build_absolute_uri("/").rstrip("/")
        if choice.media_type == XML:
            bodies = (xml_metadata(row, f"{site}{instance_url(row)}") for row in rows)
            if not choice.multipart:
                return HttpResponse(next(bodies), content_type=XML)
            return related((part([body], XML) for body in bodies), XML)
        encoder, bases = JsonEncoder(), _bases(rows, site)
        body = b",".join(json_metadata(row, bases[row.series_id] + row.sop_instance_uid, encoder) for row in rows)
        return HttpResponse(b"[" + body + b"]", content_type=choice.media_type)


class SeriesMetadataView(MetadataView):
    """WADO-RS: the metadata of a series' instances."""

    @extend_schema(operation_id="wado_rs_series_metadata", responses=_RESPONSES)
    def get(self, request: Request, study: str, series: str) -> HttpResponseBase:  # type: ignore[override]
        return self.respond(request, study, series)


class InstanceMetadataView(MetadataView):
    """WADO-RS: the metadata of one instance."""

    @extend_schema(operation_id="wado_rs_instance_metadata", responses=_RESPONSES)
    def get(self, request: Request, study: str, series: str, instance: str) -> HttpResponseBase:  # type: ignore[override]
        return self.respond(request, study, series, instance)


def json_metadata(row: Instance, base: str, encoder: JsonEncoder) -> bytes:
    """Return an instance as encoded DICOM JSON.

    Args:
        base: address of the instance.
        encoder: shared by the instances of an answer.
    """
    with open_file(row) as file:
        layout = layout_of(file)
        head = head_bytes(inflated(file.as_file(), layout, LIMITS), layout)
    more: list[tuple[int, dict[str, object]]] = [(_AVAILABLE_SYNTAX, {"vr": "UI", "Value": [available_syntax(row)]})]
    more += [(tag, {"vr": vr, "BulkDataURI": _address(base, row, tag)}) for tag, vr in _left_out(layout)]
    return encoder.encode(head, layout, base, more)


def _bases(rows: list[Instance], site: str) -> dict[object, str]:
    """Return by series the address of its instances, but for their UIDs."""
    first = {row.series_id: row for row in reversed(rows)}
    return {pk: f"{site}{instance_url(row).removesuffix(row.sop_instance_uid)}" for pk, row in first.items()}


def xml_metadata(row: Instance, base: str) -> bytes:
    """Return an instance as a Native DICOM Model (PS3.19 annex A.1); ``base`` is its address."""
    with open_instance(row) as dicom:
        dataset = Dataset(dicom.header)
        left_out = dict(_left_out(dicom.layout))
        for tag, vr in left_out.items():
            dataset.add_new(Tag(tag), vr, b"\0" * (BULK_THRESHOLD + 2))  # longer than what is inline: sent by address
        return to_xml(dataset, bulk_uri=lambda path: _xml_address(base, row, path, left_out))


def _left_out(layout: Layout) -> Iterator[tuple[int, str]]:
    """Yield tag and VR of the values that are not parsed with the header: pixels and large values."""
    for bulk in layout.bulk:
        yield bulk.tag, bulk.vr
    if layout.pixel_tag:
        yield layout.pixel_tag, layout.pixel_vr or _PIXEL_VRS.get(layout.pixel_tag, "OW")


def _bulk_uri(base: str, path: str) -> str:
    return f"{base}/bulkdata/{path}"


def _address(base: str, row: Instance, tag: int) -> str:
    """Pixels have the address of the frames, to which clients append a number; other values that of bulk data."""
    return f"{base}/frames" if tag == row.pixel_tag and row.frames else _bulk_uri(base, f"{tag:08X}")


def _xml_address(base: str, row: Instance, path: str, left_out: dict[int, str]) -> str:
    return (
        _address(base, row, int(path, 16)) if "/" not in path and int(path, 16) in left_out else _bulk_uri(base, path)
    )
