"""QIDO-RS: searching for studies, series and instances (PS3.18 section 10.6)."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from apps.accounts import audit
from apps.accounts.actors import signed_in
from apps.imaging.dicom.json_model import from_json
from apps.imaging.dicom.negotiation import XML, Category, Stored
from apps.imaging.dicom.query import MAX_RESULTS, InvalidQuery, Query, parse_query
from apps.imaging.dicom.query_attributes import BY_PATH, Level
from apps.imaging.dicom.xml_model import to_xml
from apps.imaging.dicomweb.base import DicomWebView, choose, part, related
from apps.imaging.dicomweb.search_results import Presenter
from apps.imaging.search import MAX_COUNTED, Results, search
from apps.protection import keys

_RESPONSES = {
    (200, "application/dicom+json"): OpenApiTypes.OBJECT,
    (200, "multipart/related"): OpenApiTypes.BINARY,
    204: OpenApiResponse(description="no matches"),
    400: OpenApiResponse(description="a key, a value or a parameter that cannot be understood, or too broad"),
    406: OpenApiResponse(),
}
_PARAMETERS = [
    OpenApiParameter("limit", int, description=f"Results at most; {MAX_RESULTS} at once."),
    OpenApiParameter("offset", int, description="Results to skip."),
    OpenApiParameter("includefield", str, many=True, description="Keywords or tags, separated by commas, or all."),
    OpenApiParameter("fuzzymatching", bool, description="Names match by the starts of their words."),
    OpenApiParameter("emptyvaluematching", bool, description='The value "" matches an empty attribute.'),
    *(
        OpenApiParameter(path, str, description=f"{attribute.form.value} ({attribute.level.name.lower()})")
        for path, attribute in BY_PATH.items()
        if attribute.searchable
    ),
]
_MAX_WARNINGS = 20
_NAMES = {Level.STUDY: "studies", Level.SERIES: "series", Level.INSTANCE: "instances"}


class SearchView(DicomWebView):
    """A search; results of others' patients are neither returned nor counted."""

    level = Level.STUDY

    def search(self, request: Request, study: str = "", series: str = "") -> HttpResponseBase:
        """Answer with a page of results, 204 if there are none, or 400 with what to change."""
        choice = choose(request, Category.METADATA, Stored())
        capped = _is_capped(request)
        try:
            query = parse_query(_pairs(request), self.level)
            for path, value in (("StudyInstanceUID", study), ("SeriesInstanceUID", series)):
                if value:
                    query.merged(BY_PATH[path], value)
            results = search(query, self.level, actor=signed_in(request), count=capped)
        except InvalidQuery as error:
            raise ParseError(str(error)) from error
        audit.record(
            signed_in(request), "studies.searched", why="treatment", level=_NAMES[self.level], rows=len(results.rows)
        )
        if capped and results.remaining:
            query.warnings.insert(0, _more(results))
        response = self._response(request, query, results, choice.media_type, within=(study, series))
        if query.warnings:
            response.headers["Warning"] = _warning_header(request, query.warnings)
        return response

    def _response(
        self, request: Request, query: Query, results: Results, media_type: str, *, within: tuple[str, str]
    ) -> HttpResponseBase:
        if not results.rows:
            return HttpResponse(status=204)
        keys.warm({study.key_holder for study in results.studies})
        site = request.build_absolute_uri("/").rstrip("/")
        models = list(Presenter(query, self.level, results, site, within).models())
        if media_type == XML:
            return related((part([to_xml(from_json(model))], XML) for model in models), XML)
        return HttpResponse(
            json.dumps(models, separators=(",", ":"), ensure_ascii=False).encode(), content_type=media_type
        )


def _pairs(request: Request) -> list[tuple[str, str]]:
    return [(name, value) for name, values in request.query_params.lists() for value in values]


def _is_capped(request: Request) -> bool:
    """Return whether the number of results is the server's choice and not the client's."""
    limit = request.query_params.get("limit", "").strip()
    return not limit or (limit.isascii() and limit.isdigit() and int(limit[:20]) > MAX_RESULTS)


def _more(results: Results) -> str:
    exact = 0 < results.remaining <= MAX_COUNTED
    number = f"{results.remaining} " if exact else f"more than {MAX_COUNTED} " if results.remaining > 0 else ""
    return f"There are {number}additional results that can be requested"


def _warning_header(request: Request, warnings: list[str]) -> str:
    """Return the value of a Warning header (RFC 7234 section 5.5), with the base of the service as its agent."""
    service = request.build_absolute_uri(reverse("dicomweb:capabilities")).rstrip("/")
    left_out = len(warnings) - _MAX_WARNINGS
    shown = warnings[:_MAX_WARNINGS] + ([f"There are {left_out} more warnings"] if left_out > 0 else [])
    return ", ".join(f'299 {service} "{text}"' for text in shown)


def _operation(name: str) -> Any:
    return extend_schema(operation_id=name, parameters=_PARAMETERS, responses=_RESPONSES)


class StudySearchView(SearchView):
    """QIDO-RS: studies."""

    @_operation("qido_rs_studies")
    def get(self, request: Request) -> HttpResponseBase:
        return self.search(request)


class SeriesSearchView(SearchView):
    """QIDO-RS: series of all studies."""

    level = Level.SERIES

    @_operation("qido_rs_series")
    def get(self, request: Request) -> HttpResponseBase:
        return self.search(request)


class StudySeriesSearchView(SearchView):
    """QIDO-RS: series of a study."""

    level = Level.SERIES

    @_operation("qido_rs_study_series")
    def get(self, request: Request, study: str) -> HttpResponseBase:
        return self.search(request, study)


class InstanceSearchView(SearchView):
    """QIDO-RS: instances of all studies."""

    level = Level.INSTANCE

    @_operation("qido_rs_instances")
    def get(self, request: Request) -> HttpResponseBase:
        return self.search(request)


class StudyInstanceSearchView(SearchView):
    """QIDO-RS: instances of a study."""

    level = Level.INSTANCE

    @_operation("qido_rs_study_instances")
    def get(self, request: Request, study: str) -> HttpResponseBase:
        return self.search(request, study)


class SeriesInstanceSearchView(SearchView):
    """QIDO-RS: instances of a series."""

    level = Level.INSTANCE

    @_operation("qido_rs_series_instances")
    def get(self, request: Request, study: str, series: str) -> HttpResponseBase:
        return self.search(request, study, series)
