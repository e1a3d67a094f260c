"""REST API to request explanations of findings and occlusion queries."""

from __future__ import annotations

import uuid
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.access import AsksModels
from apps.accounts.actors import signed_in
from apps.explainability import occlusion, scheduling
from apps.explainability.access import visible_occlusion_queries
from apps.explainability.api.explanations import ExplanationSerializer
from apps.explainability.models import Method, OcclusionQuery
from apps.inference.access import visible_findings


class AskSerializer(serializers.Serializer[Any]):
    method = serializers.ChoiceField(Method.choices, default=Method.SAMPLED)


class AreaSerializer(serializers.Serializer[Any]):
    cells = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=occlusion.EDGE**2 - 1),
        min_length=1,
        max_length=occlusion.EDGE**2,
        help_text=f"Cells of a {occlusion.EDGE} × {occlusion.EDGE} grid over the film, row by row from 0.",
    )
    depth = serializers.FloatField(
        min_value=0, max_value=1, required=False, help_text="Of a volume: the slice's place from head (0) to feet (1)."
    )


class ProbeSerializer(serializers.ModelSerializer[OcclusionQuery]):
    reason = serializers.CharField(help_text="Why it failed, if it did.")
    probabilities = serializers.DictField(child=serializers.FloatField(), help_text="By label, without the area.")
    before = serializers.FloatField(source="finding.probability", help_text="The finding's own, with the area.")
    label = serializers.CharField(source="finding.label")  # type: ignore[assignment]

    class Meta:
        model = OcclusionQuery
        fields = ("id", "finding", "label", "state", "reason", "before", "probabilities")


class FindingExplanationsView(APIView):
    """Request an explanation of a finding by a method; repeated requests return the same explanation."""

    permission_classes = (AsksModels,)

    @extend_schema(request=AskSerializer, responses={202: ExplanationSerializer}, operation_id="finding_explain")
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        finding = get_object_or_404(visible_findings(signed_in(request)), pk=pk)
        options = AskSerializer(data=request.data)
        options.is_valid(raise_exception=True)
        method = Method(options.validated_data["method"])
        try:
            explanation = scheduling.request_explanation(finding, actor=signed_in(request), method=method)
        except ValueError as error:
            raise ValidationError({"method": str(error)}) from error
        return Response(ExplanationSerializer(explanation).data, status=202)


class FindingProbesView(APIView):
    """Submit an occlusion query: the model's output when an area is replaced by healthy lung."""

    permission_classes = (AsksModels,)

    @extend_schema(request=AreaSerializer, responses={202: ProbeSerializer}, operation_id="finding_probe")
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        finding = get_object_or_404(visible_findings(signed_in(request)), pk=pk)
        area = AreaSerializer(data=request.data)
        area.is_valid(raise_exception=True)
        try:
            query = occlusion.request_occlusion(finding, actor=signed_in(request), **area.validated_data)
        except ValueError as error:
            raise ValidationError({"cells": str(error)}) from error
        return Response(ProbeSerializer(query).data, status=202)


class ProbeView(APIView):
    """State and result of an occlusion query."""

    permission_classes = (AsksModels,)

    @extend_schema(responses=ProbeSerializer, operation_id="probe")
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        query = get_object_or_404(visible_occlusion_queries(signed_in(request)), pk=pk)
        return Response(ProbeSerializer(query).data)
