"""Retrieve Capabilities (PS3.18 section 8.9 and annex H): the service described as WADL, or the same as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.urls import URLPattern, get_resolver, reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import NotAcceptable
from rest_framework.request import Request

from apps.imaging.dicom.negotiation import COMPRESSED_MEDIA_TYPES, DICOM, JSON, OCTETS, XML, parse_accept
from apps.imaging.dicom.query_attributes import ATTRIBUTES, Level
from apps.imaging.dicomweb.base import DicomWebView

WADL, PLAIN_JSON = "application/vnd.sun.wadl+xml", "application/json"
_NAMESPACE = "http://wadl.dev.java.net/2009/02"
_INSTANCES = (f'multipart/related; type="{DICOM}"',)
_INSTANCE = (*_INSTANCES, DICOM)
_METADATA = (JSON, PLAIN_JSON, f'multipart/related; type="{XML}"')
_FRAMES = tuple(f'multipart/related; type="{kind}"' for kind in (OCTETS, *sorted(COMPRESSED_MEDIA_TYPES)))
_BULK_DATA = (f'multipart/related; type="{OCTETS}"', OCTETS)
_SINGLE_PICTURES = ("image/jpeg", "image/png", "image/gif")
_PICTURES = (*_SINGLE_PICTURES, *(f'multipart/related; type="{kind}"' for kind in _SINGLE_PICTURES))
_STORED = (*_INSTANCES, DICOM, f'multipart/related; type="{JSON}"', f'multipart/related; type="{XML}"')


@dataclass(frozen=True)
class Transaction:
    """A transaction of a resource: its id, the media types of the request and of the response, and its search level."""

    id: str
    requests: tuple[str, ...] = ()
    responses: tuple[str, ...] = ()
    level: Level | None = None


_TRANSACTIONS = {
    ("store", "GET"): Transaction("SearchForStudies", (), _METADATA, Level.STUDY),
    ("store", "POST"): Transaction("StoreInstances", _STORED, (JSON,)),
    ("all-series", "GET"): Transaction("SearchForSeries", (), _METADATA, Level.SERIES),
    ("all-instances", "GET"): Transaction("SearchForInstances", (), _METADATA, Level.INSTANCE),
    ("study-series", "GET"): Transaction("SearchForStudySeries", (), _METADATA, Level.SERIES),
    ("study-instances", "GET"): Transaction("SearchForStudyInstances", (), _METADATA, Level.INSTANCE),
    ("series-instances", "GET"): Transaction("SearchForStudySeriesInstances", (), _METADATA, Level.INSTANCE),
    ("study", "GET"): Transaction("RetrieveStudy", (), _INSTANCES),
    ("study", "POST"): Transaction("StoreStudyInstances", _STORED, (JSON,)),
    ("study", "DELETE"): Transaction("DeleteStudy"),
    ("series", "GET"): Transaction("RetrieveSeries", (), _INSTANCES),
    ("series", "DELETE"): Transaction("DeleteSeries"),
    ("instance", "GET"): Transaction("RetrieveInstance", (), _INSTANCE),
    ("instance", "DELETE"): Transaction("DeleteInstance"),
    ("study-metadata", "GET"): Transaction("RetrieveStudyMetadata", (), _METADATA),
    ("series-metadata", "GET"): Transaction("RetrieveSeriesMetadata", (), _METADATA),
    ("instance-metadata", "GET"): Transaction("RetrieveInstanceMetadata", (), (*_METADATA, XML)),
    ("all-frames", "GET"): Transaction("RetrieveInstancePixelData", (), _FRAMES),
    ("frames", "GET"): Transaction("RetrieveFrames", (), _FRAMES),
    **{
        (f"{name.lower()}-{kind}", "GET"): Transaction(f"Retrieve{name}{kind.title()}", (), _PICTURES)
        for name in ("Study", "Series", "Instance", "Frames")
        for kind in ("rendered", "thumbnail")
    },
    ("wado-uri", "GET"): Transaction("RetrieveByQuery", (), (DICOM, *_SINGLE_PICTURES)),
    ("bulk-data", "GET"): Transaction("RetrieveBulkdata", (), _BULK_DATA),
}
_CONTROLS = ("limit", "offset", "includefield", "fuzzymatching", "emptyvaluematching")


class CapabilitiesView(DicomWebView):
    """Retrieve Capabilities."""

    @extend_schema(
        operation_id="dicomweb_capabilities",
        responses={(200, WADL): OpenApiTypes.STR, (200, PLAIN_JSON): OpenApiTypes.OBJECT, 406: OpenApiResponse()},
    )
    def get(self, request: Request) -> HttpResponseBase:
        return self._describe(request)

    @extend_schema(exclude=True)
    def options(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        return self._describe(request)

    def _describe(self, request: Request) -> HttpResponseBase:
        base = request.build_absolute_uri(reverse("dicomweb:capabilities"))
        resources = list(described())
        if _preferred(request.headers.get("Accept")) == PLAIN_JSON:
            return JsonResponse({"application": {"resources": {"base": base, "resource": resources}}})
        return HttpResponse(_wadl(base, resources), content_type=WADL)


def _preferred(accept: str | None) -> str:
    """Choose between WADL and JSON.

    Raises:
        NotAcceptable: if neither is acceptable.
    """
    ranges = parse_accept(accept or "*/*")
    best = (0.0, "")
    for kind in (WADL, PLAIN_JSON):
        fitting = [item for item in ranges if item.media_type in (kind, "application/*", "*/*")]
        quality = max(fitting, key=lambda item: item.specificity).quality if fitting else 0.0
        best = max(best, (quality, kind), key=lambda pair: pair[0])
    if not best[0]:
        raise NotAcceptable(f"the capabilities can be sent as {WADL} or {PLAIN_JSON}")
    return best[1]


def described() -> Iterator[dict[str, Any]]:
    """Yield every resource of the service, as the addresses and their views have it."""
    for pattern in routes():
        if pattern.name == "capabilities":
            continue
        view = pattern.callback.view_class  # type: ignore[attr-defined]
        methods = [name for name in ("GET", "POST", "DELETE") if hasattr(view, name.lower())]
        address = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(pattern.pattern))
        yield {"path": address, "method": [_method(str(pattern.name), name) for name in methods]}


def routes() -> list[URLPattern]:
    """Return the routes of DICOMweb."""
    return [
        pattern
        for resolver in get_resolver().url_patterns
        if getattr(resolver, "namespace", None) == "dicomweb"
        for pattern in resolver.url_patterns  # type: ignore[union-attr]
        if isinstance(pattern, URLPattern)
    ]


def _method(route: str, name: str) -> dict[str, Any]:
    transaction = _TRANSACTIONS.get((route, name), Transaction(f"{name.title()}{route.title().replace('-', '')}"))
    parameters = [{"name": "Accept", "style": "header"}] if transaction.responses else []
    if transaction.level is not None:
        names = [
            key for item in ATTRIBUTES if item.searchable and item.level <= transaction.level for key in _keys(item)
        ]
        parameters += [{"name": key, "style": "query"} for key in (*names, *_CONTROLS)]
    return {
        "name": name,
        "id": transaction.id,
        "request": {"param": parameters, "representation": [{"mediaType": kind} for kind in transaction.requests]},
        "response": {"representation": [{"mediaType": kind} for kind in transaction.responses]},
    }


def _keys(attribute: Any) -> tuple[str, str]:
    return attribute.path, ".".join(f"{tag:08X}" for tag in attribute.tags)


def _wadl(base: str, resources: list[dict[str, Any]]) -> bytes:
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<application xmlns={quoteattr(_NAMESPACE)}><resources base={quoteattr(base)}>",
    ]
    for resource in resources:
        lines.append(f"<resource path={quoteattr(resource['path'])}>")
        for method in resource["method"]:
            lines.append(f"<method name={quoteattr(method['name'])} id={quoteattr(method['id'])}>")
            lines += [f"<request>{_elements(method['request'])}</request>"]
            lines += [f"<response>{_elements(method['response'])}</response></method>"]
        lines.append("</resource>")
    return "\n".join([*lines, "</resources></application>"]).encode()


def _elements(content: dict[str, list[dict[str, str]]]) -> str:
    return "".join(
        f"<{element} {' '.join(f'{key}={quoteattr(value)}' for key, value in item.items())}/>"
        for element, items in content.items()
        for item in items
    )
