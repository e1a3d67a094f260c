"""REST API of a study's analyses, with findings and explanations."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import audit
from apps.accounts.access import ReadsStudies
from apps.accounts.actors import signed_in
from apps.explainability.models import Explanation
from apps.imaging.access import visible_to
from apps.inference.models import Analysis, Finding
from apps.jobs.models import State
from apps.portal.clinician.reading import FindingRow, read


class ExplanationStateSerializer(serializers.ModelSerializer[Explanation]):
    class Meta:
        model = Explanation
        fields = ("id", "state", "stage", "method")


class FindingSerializer(serializers.ModelSerializer[Finding]):
    title = serializers.CharField()
    operating_point = serializers.CharField()
    instance = serializers.CharField(source="instance.sop_instance_uid")  # type: ignore[assignment]
    explanations = serializers.SerializerMethodField()

    class Meta:
        model = Finding
        fields = (
            "id",
            "label",
            "title",
            "probability",
            "threshold",
            "operating_point",
            "positive",
            "instance",
            "frame",
            "explanations",
        )

    @extend_schema(responses=ExplanationStateSerializer(many=True))
    def get_explanations(self, finding: Finding) -> list[dict[str, Any]]:
        item: FindingRow = self.context["items"][finding.pk]
        return [dict(ExplanationStateSerializer(item.explanation).data)] if item.explanation else []


class AnalysisSerializer(serializers.ModelSerializer[Analysis]):
    model = serializers.CharField(source="package.name")
    version = serializers.CharField(source="package.version")
    series = serializers.CharField(source="series.series_instance_uid")
    state = serializers.ChoiceField(choices=State.choices)
    reason = serializers.CharField(help_text="Why it was refused or failed.")
    seconds = serializers.DictField(child=serializers.FloatField())
    findings = FindingSerializer(many=True)

    class Meta:
        model = Analysis
        fields = (
            "id",
            "model",
            "version",
            "series",
            "state",
            "progress",
            "reason",
            "reason_code",
            "seconds",
            "findings",
        )


class AnalysesView(APIView):
    """The newest analysis of each series by each model: decision support, not a diagnosis."""

    permission_classes = (ReadsStudies,)

    @extend_schema(responses=AnalysisSerializer(many=True), operation_id="study_analyses")
    def get(self, request: Request, study_instance_uid: str) -> Response:
        study = get_object_or_404(visible_to(signed_in(request)), study_instance_uid=study_instance_uid)
        rows = read(signed_in(request), study)
        audit.record(signed_in(request), "analysis.read", study, why="treatment", analyses=len(rows))
        items = {item.finding.pk: item for row in rows for item in row.findings}
        analyses = [row.analysis for row in rows]
        return Response(AnalysisSerializer(analyses, many=True, context={"items": items}).data)
