"""UPS-RS: the worklist of AI tasks over DICOMweb (PS3.18 chapter 11)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound, ParseError, UnsupportedMediaType
from rest_framework.request import Request

from apps.accounts import audit
from apps.accounts.actors import signed_in
from apps.accounts.untrusted_input import whole_number
from apps.imaging.dicom.negotiation import Category, Stored
from apps.imaging.dicomweb.base import DicomWebView, choose
from apps.inference import workitems
from apps.inference.models import Analysis, Workitem
from apps.inference.workitem_answers import answer, code_of
from apps.inference.workitem_model import BadWorkitem, changes_of, is_uid, read_dataset, read_request
from apps.inference.workitems import Task, WorkitemConflict

MAX_RESULTS = 200
_JSON = "application/dicom+json"
_JSON_TYPES = (_JSON, "application/json", "")
_KEYS = {
    "ProcedureStepState": "00741000",
    "SOPInstanceUID": "00080018",
    "PatientID": "00100020",
    "InputInformationSequence.StudyInstanceUID": "00404021.0020000D",
    "InputInformationSequence.SeriesInstanceUID": "00404021.0020000E",
    "ScheduledWorkitemCodeSequence.CodeValue": "00404018.00080100",
}
_BY_TAG = {tag: keyword for keyword, tag in _KEYS.items()}
_OTHERS = ("limit", "offset", "includefield", "fuzzymatching")
_ANSWERS = {
    (200, _JSON): OpenApiTypes.OBJECT,
    400: OpenApiResponse(description="what to change"),
    404: OpenApiResponse(),
    409: OpenApiResponse(description="why the workitem's state does not allow it"),
}


class StateConflict(APIException):
    """409 with the reason."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "workitem_state"


class SubscriptionRefused(APIException):
    """403: understood and refused (PS3.18 section 11.10)."""

    status_code = status.HTTP_403_FORBIDDEN
    default_detail = "no events are sent, so subscriptions are refused: search again for changes"
    default_code = "subscription_refused"


class WorkitemView(DicomWebView):
    """Base: readers of studies search and retrieve, those who store studies create and perform."""

    def handle_exception(self, exc: Exception) -> Any:
        """Answer 400 or 409 with what the services say."""
        if isinstance(exc, BadWorkitem):
            exc = ParseError(str(exc))
        elif isinstance(exc, WorkitemConflict):
            exc = StateConflict(str(exc))
        return super().handle_exception(exc)

    def task(self, request: Request, workitem: str) -> Task:
        """Return a workitem that the user may see, or answer 404."""
        task = workitems.find_task(workitem, actor=signed_in(request))
        if task is None:
            raise NotFound
        return task


def _body(request: Request) -> Any:
    content_type = (request.content_type or "").partition(";")[0].strip().lower()
    if content_type not in _JSON_TYPES:
        raise UnsupportedMediaType(content_type)
    return read_dataset(request._request.body)


def _answered(request: Request, task: Task, warning: str) -> HttpResponse:
    response = HttpResponse(status=200)
    if warning:
        service = request.build_absolute_uri(reverse("dicomweb:capabilities")).rstrip("/")
        response.headers["Warning"] = f'299 {service} "{warning}"'
    return response


class WorkitemsView(WorkitemView):
    """All workitems: search, create."""

    @extend_schema(operation_id="ups_rs_search", responses={**_ANSWERS, 204: OpenApiResponse()})
    def get(self, request: Request) -> HttpResponseBase:
        choose(request, Category.METADATA, Stored())
        wanted = _wanted(request)
        limit = min(whole_number(request.query_params.get("limit"), default=MAX_RESULTS), MAX_RESULTS)
        offset = whole_number(request.query_params.get("offset"), default=0)
        tasks = list(islice(_matches(request, wanted), offset, offset + limit))
        audit.record(signed_in(request), "workitems.searched", why="treatment", rows=len(tasks))
        if not tasks:
            return HttpResponse(status=204)
        models = [answer(task, instances=False) for task in tasks]
        return HttpResponse(json.dumps(models, ensure_ascii=False).encode(), content_type=_JSON)

    @extend_schema(
        operation_id="ups_rs_create", request={_JSON: OpenApiTypes.OBJECT}, responses={201: None, **_ANSWERS}
    )
    def post(self, request: Request) -> HttpResponseBase:
        query = request._request.META.get("QUERY_STRING", "")
        uid = query if is_uid(query) else request.query_params.get("workitem", "")
        created = workitems.create_workitem(read_request(_body(request), uid), actor=signed_in(request))
        address = request.build_absolute_uri(reverse("workitems:workitem", args=[created.uid]))
        return HttpResponse(status=201, headers={"Location": address, "Content-Location": address})


def _wanted(request: Request) -> dict[str, str]:
    wanted = {}
    for name, value in request._request.GET.items():
        value = str(value)
        keyword = _BY_TAG.get(name.upper(), name)
        if keyword in _KEYS:
            wanted[keyword] = value
        elif name not in _OTHERS:
            raise BadWorkitem(f"a search by this key is not supported; supported are {', '.join(_KEYS)}")
    return {keyword: value for keyword, value in wanted.items() if value not in ("", "*")}


def _matches(request: Request, wanted: dict[str, str]) -> Iterator[Task]:
    """Yield matching workitems, newest first of each kind."""
    actor = signed_in(request)
    filters = {
        "InputInformationSequence.StudyInstanceUID": "series__study__study_instance_uid",
        "InputInformationSequence.SeriesInstanceUID": "series__series_instance_uid",
    }
    narrowed = {field: wanted[key] for key, field in filters.items() if key in wanted}
    own = workitems.visible_workitems(actor).filter(**narrowed)
    analyses = workitems.visible_analyses(actor).filter(**narrowed)
    if state := wanted.get("ProcedureStepState"):
        own, analyses = workitems.in_state(own, state), workitems.analyses_in_state(analyses, state)
    rows: Iterator[Workitem | Analysis] = chain(
        own.iterator(chunk_size=MAX_RESULTS), analyses.iterator(chunk_size=MAX_RESULTS)
    )
    for row in rows:
        task = workitems.task_of(row)
        if _fits(task, wanted):
            yield task


def _fits(task: Task, wanted: dict[str, str]) -> bool:
    facts = {
        "SOPInstanceUID": lambda: task.uid,
        "PatientID": lambda: task.series.study.patient.mrn,
        "ScheduledWorkitemCodeSequence.CodeValue": lambda: code_of(task),
    }
    return all(facts[key]() == value for key, value in wanted.items() if key in facts)


class WorkitemDetailView(WorkitemView):
    """A workitem: retrieve, update."""

    @extend_schema(operation_id="ups_rs_retrieve", responses=_ANSWERS)
    def get(self, request: Request, workitem: str) -> HttpResponseBase:
        choose(request, Category.METADATA, Stored())
        task = self.task(request, workitem)
        audit.record(signed_in(request), "study.read", task.series.study, why="treatment", part="workitem")
        body = json.dumps([answer(task, instances=True)], ensure_ascii=False).encode()
        return HttpResponse(body, content_type=_JSON)

    @extend_schema(operation_id="ups_rs_update", request={_JSON: OpenApiTypes.OBJECT}, responses=_ANSWERS)
    def post(self, request: Request, workitem: str) -> HttpResponseBase:
        task = self.task(request, workitem)
        dataset = _body(request)
        query = request._request.META.get("QUERY_STRING", "")
        named = query if is_uid(query) else request.query_params.get("transaction", "")
        transaction_uid = named or str(dataset.get("TransactionUID") or "")
        workitems.update_workitem(task, changes_of(dataset), transaction_uid, actor=signed_in(request))
        return _answered(request, task, "")


class WorkitemStateView(WorkitemView):
    """Change the state of a workitem as who performs it."""

    @extend_schema(operation_id="ups_rs_change_state", request={_JSON: OpenApiTypes.OBJECT}, responses=_ANSWERS)
    def put(self, request: Request, workitem: str) -> HttpResponseBase:
        task = self.task(request, workitem)
        dataset = _body(request)
        state = str(dataset.get("ProcedureStepState") or "")
        transaction_uid = str(dataset.get("TransactionUID") or "")
        changed = workitems.change_state(task, state, transaction_uid, actor=signed_in(request))
        return _answered(request, task, "" if changed else f"The UPS is already in the requested state of {state}.")


class CancelRequestView(WorkitemView):
    """Request that a workitem be canceled."""

    @extend_schema(operation_id="ups_rs_request_cancellation", request=None, responses={202: None, **_ANSWERS})
    def post(self, request: Request, workitem: str) -> HttpResponseBase:
        task = self.task(request, workitem)
        canceled = workitems.request_cancellation(task, actor=signed_in(request))
        response = _answered(
            request, task, "" if canceled else "The UPS is already in the requested state of CANCELED."
        )
        response.status_code = 202
        return response


class SubscriptionView(WorkitemView):
    """Subscriptions, which are refused."""

    @extend_schema(operation_id="ups_rs_subscribe", request=None, responses={403: OpenApiResponse()})
    def post(self, request: Request, workitem: str, subscriber: str) -> HttpResponseBase:
        raise SubscriptionRefused

    @extend_schema(operation_id="ups_rs_unsubscribe", responses={403: OpenApiResponse()})
    def delete(self, request: Request, workitem: str, subscriber: str) -> HttpResponseBase:
        raise SubscriptionRefused
