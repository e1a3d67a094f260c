"""REST API of cases: decision support, not a diagnosis."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import audit
from apps.accounts.access import WorksOnCases
from apps.accounts.actors import signed_in
from apps.accounts.models import User
from apps.cases import services, timeline
from apps.imaging.access import visible_to as visible_studies
from apps.jobs.errors import UserError
from apps.notes import editing
from apps.notes.models import Note, NoteKind
from apps.patients.access import visible_to as visible_patients
from apps.predictions import prediction_requests
from apps.predictions.models import PredictionKind
from apps.records import observations
from apps.records.access import models_permitted, visible_to
from apps.records.models import Case, EventKind, Observation, Priority
from apps.terminology.loinc import by_code, catalogue


class CaseSerializer(serializers.ModelSerializer[Case]):
    title = serializers.CharField(max_length=200)
    patient = serializers.UUIDField(source="patient_id", read_only=True)
    assignee = serializers.CharField(source="assignee.username", read_only=True, default=None)

    class Meta:
        model = Case
        fields = ("id", "patient", "title", "status", "priority", "assignee", "started_at", "closed_at", "revision")


class NewCaseSerializer(serializers.Serializer[None]):
    patient = serializers.UUIDField(required=False, help_text="Of a patient, or:")
    study_instance_uid = serializers.CharField(max_length=64, required=False, help_text="of a study's patient.")
    title = serializers.CharField(max_length=200)
    priority = serializers.ChoiceField(choices=Priority.choices, default=Priority.ROUTINE)
    started_at = serializers.DateTimeField(required=False)

    def validate_started_at(self, value: datetime) -> datetime:
        if value > timezone.now():
            raise serializers.ValidationError("this time lies in the future")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("patient" in attrs) == ("study_instance_uid" in attrs):
            raise serializers.ValidationError("name a patient or a study, not both")
        return attrs


class ConceptSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    start = serializers.IntegerField()
    end = serializers.IntegerField()
    assertions = serializers.ListField(child=serializers.CharField())
    label = serializers.CharField()  # type: ignore[assignment]
    details = serializers.JSONField()
    verdict = serializers.CharField()


class NoteSerializer(serializers.ModelSerializer[Note]):
    text = serializers.CharField(max_length=editing.MAX_CHARACTERS, trim_whitespace=False)
    kind = serializers.ChoiceField(choices=NoteKind.choices, default=NoteKind.PROGRESS)
    author = serializers.CharField(source="author.username", read_only=True)
    concepts = serializers.SerializerMethodField()

    class Meta:
        model = Note
        fields = ("id", "kind", "text", "revision", "author", "written_at", "changed_at", "concepts")
        read_only_fields = ("revision", "written_at", "changed_at")

    @extend_schema_field(ConceptSerializer(many=True))
    def get_concepts(self, note: Note) -> list[dict[str, Any]]:
        reading = next((row for row in note.readings.all() if row.revision == note.revision), None)
        if reading is None or not models_permitted(note.case.patient):
            return []
        return [
            dict(row)
            for row in ConceptSerializer(reading.concepts.select_related("reading__note__case"), many=True).data
        ]


class ValueSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(read_only=True)
    code = serializers.ChoiceField(choices=sorted(catalogue()), help_text="LOINC, or one of ours.")
    value = serializers.FloatField(allow_null=False)
    unit = serializers.CharField(
        max_length=20, required=False, allow_blank=True, help_text="UCUM; empty: the catalogue's."
    )
    comparator = serializers.CharField(read_only=True, help_text="< or > if the value is a limit of detection.")
    confirmed = serializers.BooleanField(
        write_only=True, required=False, help_text="Record the value although it is very unusual."
    )
    at = serializers.DateTimeField()

    def to_representation(self, instance: Observation) -> dict[str, Any]:
        return {
            "id": str(instance.pk),
            "code": instance.code,
            "value": instance.value,
            "comparator": instance.comparator,
            "unit": measure.unit if (measure := by_code(instance.code)) else "",
            "at": instance.at.isoformat(),
        }


class EventSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    kind = serializers.CharField()
    code = serializers.CharField()
    words = serializers.JSONField()


class PredictionSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    model = serializers.CharField(source="package")
    state = serializers.CharField()
    reason = serializers.CharField()
    as_of = serializers.DateTimeField()
    answer = serializers.JSONField()


class PriorityPagination(CursorPagination):
    ordering = ("-priority", "-touched_at", "-id")


class CaseViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    """Cases of the patients in the clinician's care teams, highest priority first."""

    serializer_class = CaseSerializer
    permission_classes = (WorksOnCases,)
    pagination_class = PriorityPagination
    lookup_value_regex = "[0-9a-f-]{36}"
    queryset = Case.objects.none()

    def get_queryset(self) -> QuerySet[Case]:
        return visible_to(signed_in(self.request)).select_related("patient", "assignee")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        answer = super().list(request, *args, **kwargs)
        audit.record(signed_in(request), "cases.listed", why="treatment", rows=len(answer.data["results"]))
        return answer

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(self.get_serializer(self._read(request, "head")).data)

    @extend_schema(request=NewCaseSerializer, responses={201: CaseSerializer})
    def create(self, request: Request) -> Response:
        """Open a case."""
        serializer = NewCaseSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data, actor = serializer.validated_data, signed_in(request)
        study = None
        if "study_instance_uid" in data:
            rows = visible_studies(actor).select_related("patient")
            study = get_object_or_404(rows, study_instance_uid=data["study_instance_uid"])
        patient = study.patient if study else get_object_or_404(visible_patients(actor), pk=data["patient"])
        case = services.open_case(
            patient,
            title=data["title"],
            priority=data["priority"],
            started_at=data.get("started_at"),
            study=study,
            actor=actor,
        )
        return Response(CaseSerializer(case).data, status=status.HTTP_201_CREATED)

    @extend_schema(methods=["get"], responses=NoteSerializer(many=True))
    @extend_schema(methods=["post"], request=NoteSerializer, responses={201: NoteSerializer})
    @action(detail=True, methods=["get", "post"], pagination_class=None, filter_backends=[])
    def notes(self, request: Request, pk: str) -> Response:
        """The case's newest notes with their extracted concepts; create one by POST."""
        case = self._read(request, "notes")
        if request.method == "POST":
            serializer = NoteSerializer(data=request.data)
            serializer.is_valid(raise_exception=True)
            note = _or_400(
                lambda: editing.write(
                    case,
                    serializer.validated_data["text"],
                    kind=serializer.validated_data["kind"],
                    actor=signed_in(request),
                )
            )
            return Response(NoteSerializer(note).data, status=status.HTTP_201_CREATED)
        rows = (
            Note.objects.filter(case=case).select_related("case__patient", "author").prefetch_related("readings")[:50]
        )
        return Response(NoteSerializer(rows, many=True).data)

    @staticmethod
    def _add_value(case: Case, data: dict[str, Any], actor: User) -> Observation:
        """Add a value; one that is asked about only if it is confirmed and can mean one thing."""

        def add(chosen: float | None = None) -> Observation:
            unit = data.get("unit", "")
            value = str(data["value"])
            return observations.add(
                case, data["code"], value, unit, data["at"], actor=actor, source="api", chosen=chosen
            )

        try:
            return add()
        except observations.ValueQuestion as question:
            if not data.get("confirmed") or len(question.choices) != 1:
                raise
            return add(question.choices[0].value)

    @extend_schema(methods=["get"], responses=ValueSerializer(many=True))
    @extend_schema(methods=["post"], request=ValueSerializer, responses={201: ValueSerializer})
    @action(detail=True, methods=["get", "post"], pagination_class=None, filter_backends=[])
    def values(self, request: Request, pk: str) -> Response:
        """The case's observations, oldest first; add one by POST."""
        case = self._read(request, "values")
        if request.method == "POST":
            serializer = ValueSerializer(data=request.data)
            serializer.is_valid(raise_exception=True)
            data = serializer.validated_data
            row = _or_400(lambda: self._add_value(case, data, signed_in(request)))
            return Response(ValueSerializer(row).data, status=status.HTTP_201_CREATED)
        rows = Observation.objects.filter(case=case, voided_at=None).select_related("case")[:5000]
        return Response(ValueSerializer(rows, many=True).data)

    @extend_schema(
        responses=EventSerializer(many=True),
        parameters=[OpenApiParameter("kind", str, enum=EventKind.values), OpenApiParameter("after", str)],
    )
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def timeline(self, request: Request, pk: str) -> Response:
        """Newest events; ``after`` is the cursor from the previous response's X-Older header."""
        case = self._read(request, "timeline")
        page = timeline.page(
            case, kinds=request.query_params.getlist("kind"), after=request.query_params.get("after", "")
        )
        return Response(EventSerializer(page.events, many=True).data, headers={"X-Older": page.older})

    @extend_schema(responses=PredictionSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def predictions(self, request: Request, pk: str) -> Response:
        """Current model predictions about the case: decision support, not a diagnosis."""
        case = self._read(request, "predictions")
        if not models_permitted(case.patient):
            return Response([])
        rows = [prediction_requests.newest(case, kind) for kind in PredictionKind]
        return Response(PredictionSerializer([row for row in rows if row is not None], many=True).data)

    def _read(self, request: Request, part: str) -> Case:
        case: Case = self.get_object()
        audit.record(signed_in(request), "case.read", case, why="treatment", part=part)
        return case


def _or_400(act: Any) -> Any:
    try:
        return act()
    except UserError as refusal:
        raise serializers.ValidationError({"detail": str(refusal), "code": refusal.code}) from None
