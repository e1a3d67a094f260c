"""REST API of studies."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import audit
from apps.accounts.access import ReadsStudies
from apps.accounts.actors import signed_in
from apps.imaging.models import Study
from apps.imaging.queries import studies
from apps.patients.models import Patient
from apps.patients.queries import fits


class PatientSerializer(serializers.ModelSerializer[Patient]):
    mrn = serializers.CharField()
    issuer = serializers.CharField(source="mrn_issuer")
    name = serializers.CharField(source="display_name")
    birth_date = serializers.DateField(allow_null=True)

    class Meta:
        model = Patient
        fields = ("id", "mrn", "issuer", "name", "birth_date", "sex")


class StudySerializer(serializers.ModelSerializer[Study]):
    patient = PatientSerializer()
    modalities = serializers.ListField(source="modality_list", child=serializers.CharField())
    urgency = serializers.CharField(source="get_urgency_display")
    description = serializers.SerializerMethodField()

    class Meta:
        model = Study
        fields = ("study_instance_uid", "patient", "study_date", "received_at", "modalities", "urgency", "description")

    def get_description(self, study: Study) -> str:
        return str(study.headers.get("study_description", ""))


class SearchSerializer(serializers.Serializer[None]):
    text = serializers.CharField(max_length=200)


class Newest(CursorPagination):
    ordering = ("-urgency", "-received_at", "-id")


class StudyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    """Studies of the patients in the doctor's care teams, most urgent and newest first."""

    serializer_class = StudySerializer
    permission_classes = (ReadsStudies,)
    pagination_class = Newest
    lookup_field = "study_instance_uid"
    lookup_value_regex = "[0-9.]{1,64}"
    queryset = Study.objects.none()

    def get_queryset(self) -> QuerySet[Study]:
        return studies(signed_in(self.request))

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().list(request, *args, **kwargs)
        audit.record(signed_in(request), "studies.listed", why="treatment", rows=len(response.data["results"]))
        return response

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        study = self.get_object()
        audit.record(signed_in(request), "study.read", study, why="treatment", part="header")
        return Response(self.get_serializer(study).data)

    @extend_schema(request=SearchSerializer, responses=StudySerializer(many=True))
    @action(detail=False, methods=["post"])
    def search(self, request: Request) -> Response:
        """Find studies by MRN or by words of the patient's name; POST keeps names out of URL logs."""
        query = SearchSerializer(data=request.data)
        query.is_valid(raise_exception=True)
        text = query.validated_data["text"]
        page = self.paginate_queryset(studies(signed_in(request), search=text))
        page = [study for study in page or [] if fits(study.patient, text)]
        audit.record(signed_in(request), "studies.searched", why="treatment", rows=len(page))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)
