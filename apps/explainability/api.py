"""REST of explanations."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import audit
from apps.accounts.access import ReadsStudies
from apps.accounts.actors import signed_in
from apps.explainability.access import visible_to
from apps.explainability.models import Explanation
from apps.explainability.queries import attribution_file, overlay
from apps.jobs.models import State


class ExplanationSerializer(serializers.ModelSerializer[Explanation]):
    sum_of_attributions = serializers.FloatField(source="attribution_sum", allow_null=True)
    gap = serializers.FloatField(allow_null=True, help_text="base value + sum of attributions - output")
    reason = serializers.CharField(help_text="Why it failed, if it did.")
    label = serializers.CharField(source="finding.label")  # type: ignore[assignment]
    seconds = serializers.DictField(child=serializers.FloatField())

    class Meta:
        model = Explanation
        fields = (
            "id",
            "finding",
            "label",
            "state",
            "progress",
            "reason",
            "method",
            "parameters",
            "base_value",
            "output",
            "sum_of_attributions",
            "gap",
            "evaluations",
            "seconds",
        )


class NotReady(APIException):
    status_code = 409
    default_detail = "the explanation is not finished: ask for it until its state is succeeded"


class ExplanationViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    """An explanation: SHAP attributions in units of probability, base value and output."""

    serializer_class = ExplanationSerializer
    permission_classes = (ReadsStudies,)
    queryset = Explanation.objects.none()

    def get_queryset(self) -> QuerySet[Explanation]:
        return visible_to(signed_in(self.request)).select_related("finding__analysis__series__study")

    @extend_schema(
        parameters=[OpenApiParameter("sign", str, enum=["both", "positive", "negative"])],
        responses={
            (200, "image/png"): OpenApiTypes.BINARY,
            400: OpenApiResponse(),
            404: OpenApiResponse(),
            409: OpenApiResponse(),
        },
    )
    def overlay(self, request: Request, pk: uuid.UUID) -> HttpResponse:
        """A transparent PNG to stretch over the film: orange speaks for the finding, blue against."""
        sign = request.query_params.get("sign", "both")
        if sign not in ("both", "positive", "negative"):
            raise ValidationError({"sign": "both, positive or negative"})
        explanation = self._finished()
        drawn = overlay(explanation, sign=sign)  # type: ignore[arg-type]
        self._read(explanation, "overlay")
        return HttpResponse(drawn.png, content_type="image/png")

    @extend_schema(
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            404: OpenApiResponse(),
            409: OpenApiResponse(),
        }
    )
    def attributions(self, request: Request, pk: uuid.UUID) -> HttpResponse:
        """The attributions as a NumPy file: (rows, columns) float32 of the model's plane."""
        explanation = self._finished()
        self._read(explanation, "attributions")
        return HttpResponse(attribution_file(explanation), content_type="application/octet-stream")

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        explanation = self.get_object()
        self._read(explanation, "figures")
        return Response(self.get_serializer(explanation).data)

    def _read(self, explanation: Explanation, part: str) -> None:
        audit.record(signed_in(self.request), "explanation.read", explanation, why="treatment", part=part)

    def _finished(self) -> Explanation:
        explanation: Explanation = self.get_object()
        if explanation.state != State.SUCCEEDED:
            raise NotReady
        return explanation
