"""REST of asking: for an explanation of a finding, and for the answer without a painted area."""

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
from apps.explainability.access import visible_probes
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
    """Ask for a finding to be explained by a method; asking again gives the same explanation."""

    permission_classes = (AsksModels,)

    @extend_schema(request=AskSerializer, responses={202: ExplanationSerializer}, operation_id="finding_explain")
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        finding = get_object_or_404(visible_findings(signed_in(request)), pk=pk)
        asked = AskSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        method = Method(asked.validated_data["method"])
        try:
            explanation = scheduling.request(finding, actor=signed_in(request), method=method)
        except ValueError as error:
            raise ValidationError({"method": str(error)}) from error
        return Response(ExplanationSerializer(explanation).data, status=202)


class FindingProbesView(APIView):
    """Ask what the model says of a film when an area is replaced by healthy lung."""

    permission_classes = (AsksModels,)

    @extend_schema(request=AreaSerializer, responses={202: ProbeSerializer}, operation_id="finding_probe")
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        finding = get_object_or_404(visible_findings(signed_in(request)), pk=pk)
        area = AreaSerializer(data=request.data)
        area.is_valid(raise_exception=True)
        try:
            probe = occlusion.ask(finding, actor=signed_in(request), **area.validated_data)
        except ValueError as error:
            raise ValidationError({"cells": str(error)}) from error
        return Response(ProbeSerializer(probe).data, status=202)


class ProbeView(APIView):
    """The answer to such a question."""

    permission_classes = (AsksModels,)

    @extend_schema(responses=ProbeSerializer, operation_id="probe")
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        probe = get_object_or_404(visible_probes(signed_in(request)), pk=pk)
        return Response(ProbeSerializer(probe).data)
