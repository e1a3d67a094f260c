"""WADO-RS: metadata of instances as DICOM JSON or Native DICOM XML (PS3.18 section 10.4.1.1.2)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from pydicom import Dataset
from pydicom.tag import Tag
from rest_framework.request import Request

from apps.accounts import audit
from apps.accounts.actors import signed_in
from apps.imaging.dicom.bulk_data import BULK_THRESHOLD
from apps.imaging.dicom.json_model import to_json
from apps.imaging.dicom.negotiation import XML, Category, Stored
from apps.imaging.dicom.parser import DicomObject
from apps.imaging.dicom.xml_model import to_xml
from apps.imaging.dicomweb.base import DicomWebView, choose, instance_url, part, related, visible_instances
from apps.imaging.dicomweb.retrieve import available_syntax
from apps.imaging.models import Instance
from apps.imaging.queries import open_instance
from apps.protection import keys

_RESPONSES = {
    (200, "application/dicom+json"): OpenApiTypes.OBJECT,
    (200, "multipart/related"): OpenApiTypes.BINARY,
    404: OpenApiResponse(),
    406: OpenApiResponse(),
}


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
            bodies = (xml_metadata(row, site) for row in rows)
            if not choice.multipart:
                return HttpResponse(next(bodies), content_type=XML)
            return related((part([body], XML) for body in bodies), XML)
        body = b"[" + b",".join(json_metadata(row, site) for row in rows) + b"]"
        return HttpResponse(body, content_type=choice.media_type)


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


def json_metadata(row: Instance, site: str) -> bytes:
    """Return an instance as encoded DICOM JSON.

    Args:
        site: scheme and host, for the addresses of bulk data.
    """
    base = f"{site}{instance_url(row)}"
    with open_instance(row) as dicom:
        model = to_json(dicom.header, bulk_uri=partial(_bulk_uri, base))
        for tag, vr in _left_out(dicom):
            model[f"{tag:08X}"] = {"vr": vr, "BulkDataURI": _address(base, row, tag)}
        model["00083002"] = {"vr": "UI", "Value": [available_syntax(row)]}
    return json.dumps(dict(sorted(model.items())), separators=(",", ":"), ensure_ascii=False).encode()


def xml_metadata(row: Instance, site: str) -> bytes:
    """Return an instance as a Native DICOM Model (PS3.19 annex A.1)."""
    base = f"{site}{instance_url(row)}"
    with open_instance(row) as dicom:
        dataset = Dataset(dicom.header)
        left_out = dict(_left_out(dicom))
        for tag, vr in left_out.items():
            dataset.add_new(Tag(tag), vr, b"\0" * (BULK_THRESHOLD + 2))  # longer than what is inline: sent by address
        return to_xml(dataset, bulk_uri=lambda path: _xml_address(base, row, path, left_out))


def _left_out(dicom: DicomObject) -> Iterator[tuple[int, str]]:
    """Yield tag and VR of the values that are not parsed with the header: pixels and large values."""
    for bulk in dicom.layout.bulk:
        yield bulk.tag, bulk.vr
    if dicom.layout.pixel_tag:
        yield dicom.layout.pixel_tag, _pixel_vr(dicom)


def _pixel_vr(dicom: DicomObject) -> str:
    if dicom.layout.pixel_vr:
        return dicom.layout.pixel_vr
    return {0x7FE00008: "OF", 0x7FE00009: "OD"}.get(dicom.layout.pixel_tag, "OW")


def _bulk_uri(base: str, path: str) -> str:
    return f"{base}/bulkdata/{path}"


def _address(base: str, row: Instance, tag: int) -> str:
    """Pixels have the address of the frames, to which clients append a number; other values that of bulk data."""
    return f"{base}/frames" if tag == row.pixel_tag and row.frames else _bulk_uri(base, f"{tag:08X}")


def _xml_address(base: str, row: Instance, path: str, left_out: dict[int, str]) -> str:
    return (
        _address(base, row, int(path, 16)) if "/" not in path and int(path, 16) in left_out else _bulk_uri(base, path)
    )
