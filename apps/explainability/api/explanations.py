"""REST API of explanations: figures, images, arrays, DICOM objects."""

from __future__ import annotations

import io
import uuid
from typing import Any

import numpy as np
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import audit
from apps.accounts.access import ReadsStudies
from apps.accounts.actors import signed_in
from apps.explainability import exports
from apps.explainability.access import visible_to
from apps.explainability.drawing.overlay import SIGNS, Style
from apps.explainability.drawing.volume import PROJECTIONS
from apps.explainability.models import Explanation
from apps.explainability.queries import SPACES, overlay, region_values, views


class ExplanationSerializer(serializers.ModelSerializer[Explanation]):
    sum_of_attributions = serializers.FloatField(source="attribution_sum", allow_null=True)
    gap = serializers.FloatField(allow_null=True, help_text="base value + sum of attributions - output")
    reason = serializers.CharField(help_text="Why it failed, if it did.")
    label = serializers.CharField(source="finding.label")  # type: ignore[assignment]
    seconds = serializers.DictField(child=serializers.FloatField())
    log_odds = serializers.DictField(child=serializers.FloatField(), help_text="Base, output and sum in log-odds.")
    zones = serializers.ListField(child=serializers.DictField(), help_text="Attribution by anatomical zone.")
    quality = serializers.DictField(help_text="Faithfulness; 'weaknesses' holds what speaks against it.")

    class Meta:
        model = Explanation
        fields = (
            "id",
            "finding",
            "label",
            "state",
            "stage",
            "revision",
            "progress",
            "reason",
            "method",
            "parameters",
            "base_value",
            "output",
            "sum_of_attributions",
            "gap",
            "log_odds",
            "evaluations",
            "stopped",
            "zones",
            "quality",
            "seconds",
        )


class StyleSerializer(serializers.Serializer[Any]):
    """Rendering options of an overlay."""

    sign = serializers.ChoiceField(SIGNS, default="both")
    space = serializers.ChoiceField(SPACES, default="probability")
    view = serializers.ChoiceField(
        ("film", "slices", *PROJECTIONS),
        default="film",
        help_text="Of volumes also: a projection, or all slices below each other from head to feet.",
    )
    threshold = serializers.FloatField(
        min_value=0, max_value=0.95, default=0.15, help_text="Weaker places are left out; share of the scale."
    )
    contours = serializers.BooleanField(default=False, help_text="Lines instead of filled colour.")


class NotReady(APIException):
    status_code = 409
    default_detail = "there is no picture yet: ask again until the stage is not empty"


def binary(kind: str) -> dict[Any, Any]:
    """OpenAPI responses of a binary file."""
    return {(200, kind): OpenApiTypes.BINARY, 400: OpenApiResponse(), 404: OpenApiResponse(), 409: OpenApiResponse()}


class ExplanationViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    """SHAP explanations: attributions, base value, output and measured faithfulness; decision support."""

    serializer_class = ExplanationSerializer
    permission_classes = (ReadsStudies,)
    queryset = Explanation.objects.none()

    def get_queryset(self) -> QuerySet[Explanation]:
        return visible_to(signed_in(self.request)).select_related(
            "finding__analysis__series__study", "finding__analysis__package", "finding__instance"
        )

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        explanation = self.get_object()
        self._read(explanation, "figures")
        return Response(self.get_serializer(explanation).data)

    @extend_schema(parameters=[StyleSerializer], responses=binary("image/png"))
    def overlay(self, request: Request, pk: uuid.UUID) -> HttpResponse:
        """A transparent PNG to overlay on the image: orange supports the finding, blue opposes it."""
        options = StyleSerializer(data=request.query_params)
        options.is_valid(raise_exception=True)
        explanation = self._drawn("overlay")
        style = dict(options.validated_data)
        space, view = style.pop("space"), self._view(explanation, style.pop("view"))
        return HttpResponse(overlay(explanation, Style(**style), space, view), content_type="image/png")

    @extend_schema(
        parameters=[OpenApiParameter("view", str, enum=["film", *PROJECTIONS])], responses=binary("image/png")
    )
    def film(self, request: Request, pk: uuid.UUID) -> HttpResponse:
        """The image, a volume's strongest slice or a projection as greyscale PNG of at most 1,024 pixels per edge."""
        options = StyleSerializer(data=request.query_params)
        options.is_valid(raise_exception=True)
        explanation = self._drawn("film")
        view = self._view(explanation, options.validated_data["view"])
        if view == "slices":
            raise ValidationError({"view": _("the slices themselves are available by WADO-RS")})
        return HttpResponse(exports.film_png(explanation, view), content_type="image/png")

    @extend_schema(
        parameters=[OpenApiParameter("space", str, enum=list(SPACES))], responses=binary("application/octet-stream")
    )
    def attributions(self, request: Request, pk: uuid.UUID) -> HttpResponse:
        """The attributions as NumPy file: float32, one value per region or pixel; three axes for volumes."""
        options = StyleSerializer(data=request.query_params)
        options.is_valid(raise_exception=True)
        buffer = io.BytesIO()
        np.save(buffer, region_values(self._drawn("attributions"), options.validated_data["space"]), allow_pickle=False)
        return HttpResponse(buffer.getvalue(), content_type="application/octet-stream")

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def attributions_json(self, request: Request, pk: uuid.UUID) -> Response:
        """Figures, attributions and half-widths of their 95 % intervals as JSON."""
        explanation = self._drawn("json")
        return Response({**self.get_serializer(explanation).data, **exports.arrays_json(explanation)})

    @extend_schema(responses=binary("application/dicom"))
    def parametric_map(self, request: Request, pk: uuid.UUID) -> HttpResponseBase:
        """A DICOM Parametric Map (PS3.3 A.75) with one frame per image, which OHIF overlays on a CT.

        A pixel's value is its region's attribution relative to the strongest; the real world value mapping converts it
        to probability. Regions of a volume whose 95 % interval includes 0 are set to 0, as in the images; the NumPy and
        JSON files contain all values.
        """
        file = exports.parametric_map(self._drawn("parametric map"))
        answer = StreamingHttpResponse(file.chunks)
        answer["Content-Length"] = str(file.length)
        return _as_file(answer, "explanation-map.dcm")

    @extend_schema(responses=binary("application/dicom"))
    def capture(self, request: Request, pk: uuid.UUID) -> HttpResponseBase:
        """A DICOM Secondary Capture (PS3.3 A.8): the image with the explanation burnt in."""
        return _as_file(HttpResponse(exports.secondary_capture(self._drawn("capture"))), "explanation-picture.dcm")

    @staticmethod
    def _view(explanation: Explanation, view: str) -> str:
        if view not in views(explanation):
            raise ValidationError({"view": _("this explanation is for a single image")})
        return view

    def _read(self, explanation: Explanation, part: str) -> None:
        audit.record(signed_in(self.request), "explanation.read", explanation, why="treatment", part=part)

    def _drawn(self, part: str) -> Explanation:
        explanation: Explanation = self.get_object()
        if not explanation.drawn:
            raise NotReady
        self._read(explanation, part)
        return explanation


def _as_file(answer: HttpResponseBase, name: str) -> HttpResponseBase:
    answer["Content-Type"] = "application/dicom"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
