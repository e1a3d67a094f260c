"""Deletion of studies, series and instances, at the addresses from which they are retrieved.

PS3.18 has no such transaction; the requests are those of dicomweb-client and dcm4chee: 204, or 409 with the reason.
"""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound
from rest_framework.request import Request

from apps.accounts.actors import signed_in
from apps.imaging.deletion import DeletionRefused, delete
from apps.imaging.dicomweb.base import DicomWebView, visible_instances
from apps.imaging.models import Study

_RESPONSES = {204: OpenApiResponse(), 404: OpenApiResponse(), 409: OpenApiResponse(description="it must be kept")}


class MustBeKept(APIException):
    """409 with the reason."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "must_be_kept"


class DeleteView(DicomWebView):
    """Base of the resources that can be deleted."""

    def remove(self, request: Request, study: str, series: str = "", instance: str = "") -> HttpResponseBase:
        """Delete what the resource's address names, if the user may see it."""
        row = visible_instances(request, study, series, instance)[0]
        target = row if instance else row.series if series else row.series.study
        try:
            delete(target, actor=signed_in(request))
        except DeletionRefused as refusal:
            raise MustBeKept(str(refusal)) from refusal
        except Study.DoesNotExist as gone:
            raise NotFound from gone  # somebody else has just deleted it
        return HttpResponse(status=204)


class StudyDeleteView(DeleteView):
    """Delete a study."""

    @extend_schema(operation_id="dicomweb_delete_study", responses=_RESPONSES)
    def delete(self, request: Request, study: str) -> HttpResponseBase:
        return self.remove(request, study)


class SeriesDeleteView(DeleteView):
    """Delete a series."""

    @extend_schema(operation_id="dicomweb_delete_series", responses=_RESPONSES)
    def delete(self, request: Request, study: str, series: str) -> HttpResponseBase:
        return self.remove(request, study, series)


class InstanceDeleteView(DeleteView):
    """Delete an instance."""

    @extend_schema(operation_id="dicomweb_delete_instance", responses=_RESPONSES)
    def delete(self, request: Request, study: str, series: str, instance: str) -> HttpResponseBase:
        return self.remove(request, study, series, instance)
