"""REST API of recommendations, also as FHIR R5: decision support that clinicians review."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import audit
from apps.accounts.access import WorksOnRecommendations
from apps.accounts.actors import signed_in
from apps.jobs.errors import UserError
from apps.patients.access import visible_to as visible_patients
from apps.recommendations import review
from apps.recommendations.access import visible_to
from apps.recommendations.guidelines.plans import care_plan, guidance_response
from apps.recommendations.models import Recommendation, RecommendationState
from apps.recommendations.queries import advice_of, released_of, subject_of

STATES = OpenApiParameter("state", str, enum=RecommendationState.values)
PATIENT = OpenApiParameter("patient", OpenApiTypes.UUID)


class RecommendationSerializer(serializers.ModelSerializer[Recommendation]):
    patient = serializers.UUIDField(source="patient_id")
    item = serializers.CharField(source="item.code")
    title = serializers.CharField()
    patient_text = serializers.CharField()
    what_to_do = serializers.CharField()
    why = serializers.JSONField(help_text="grounds: rules with citation and facts; ranked: score, base and shares.")

    class Meta:
        model = Recommendation
        fields = (
            "id", "patient", "item", "state", "urgency", "position", "title", "patient_text", "what_to_do", "why",
            "due", "proposed_at", "released_at", "closed_at", "revision",
        )  # fmt: skip
        read_only_fields = fields


class DecisionSerializer(serializers.Serializer[None]):
    revision = serializers.IntegerField(min_value=1, max_value=2**31 - 1, help_text="As last read.")
    reason = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")


class Newest(CursorPagination):
    ordering = ("-proposed_at", "-id")


class RecommendationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    """Recommendations of the clinician's patients, newest first."""

    serializer_class = RecommendationSerializer
    permission_classes = (WorksOnRecommendations,)
    pagination_class = Newest
    lookup_value_regex = "[0-9a-f-]{36}"
    queryset = Recommendation.objects.none()

    def get_queryset(self) -> QuerySet[Recommendation]:
        rows = visible_to(signed_in(self.request)).select_related("patient", "item", "released_by")
        if self.action == "list":
            if (state := self.request.query_params.get("state")) is not None:
                rows = rows.filter(state=serializers.ChoiceField(RecommendationState.choices).run_validation(state))
            if (patient := self.request.query_params.get("patient")) is not None:
                rows = rows.filter(patient=serializers.UUIDField().run_validation(patient))
        return rows

    @extend_schema(parameters=[STATES, PATIENT])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        answer = super().list(request, *args, **kwargs)
        audit.record(signed_in(request), "recommendations.listed", why="treatment", rows=len(answer.data["results"]))
        return answer

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(self.get_serializer(self._read(request)).data)

    @extend_schema(request=DecisionSerializer, responses=RecommendationSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str) -> Response:
        """Approve a recommendation."""
        return self._decide(
            request, lambda row, data: review.approve(row, revision=data["revision"], actor=_me(request))
        )

    @extend_schema(request=DecisionSerializer, responses=RecommendationSerializer)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> Response:
        """Release a recommendation to the patient."""
        return self._decide(
            request, lambda row, data: review.release(row, revision=data["revision"], actor=_me(request))
        )

    @extend_schema(request=DecisionSerializer, responses=RecommendationSerializer)
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: str) -> Response:
        """Reject a recommendation; a reason is required."""
        return self._decide(
            request,
            lambda row, data: review.reject(row, data["reason"], revision=data["revision"], actor=_me(request)),
        )

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"], url_path="guidance-response")
    def guidance_response(self, request: Request, pk: str) -> Response:
        """The rules' output with citations as FHIR R5 GuidanceResponse."""
        row = self._read(request)
        return Response(guidance_response(advice_of(row), subject_of(row.patient)))

    @extend_schema(
        parameters=[OpenApiParameter("patient", OpenApiTypes.UUID, required=True)], responses=OpenApiTypes.OBJECT
    )
    @action(detail=False, methods=["get"], url_path="care-plan", pagination_class=None)
    def care_plan(self, request: Request) -> Response:
        """A patient's released, open recommendations as FHIR R5 CarePlan."""
        actor = _me(request)
        wanted = serializers.UUIDField().run_validation(request.query_params.get("patient") or None)
        patient = get_object_or_404(visible_patients(actor), pk=wanted)
        audit.record(actor, "record.opened", patient, why="treatment", part="care plan")
        advice = [advice_of(row) for row in released_of(actor, patient)]
        return Response(care_plan(f"plan-{patient.pk}", subject_of(patient), advice, timezone.now()))

    def _read(self, request: Request) -> Recommendation:
        row: Recommendation = self.get_object()
        audit.record(_me(request), "recommendation.opened", row, why="treatment", item=row.item.code)
        return row

    def _decide(self, request: Request, act: Any) -> Response:
        serializer = DecisionSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        row = self.get_object()
        try:
            done = act(row, serializer.validated_data)
        except PermissionError:
            raise PermissionDenied("only physicians decide") from None
        except UserError as refusal:
            raise ValidationError({"detail": str(refusal), "code": refusal.code}) from None
        return Response(self.get_serializer(done).data)


def _me(request: Request) -> Any:
    return signed_in(request)
