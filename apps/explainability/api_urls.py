from django.urls import path

from apps.explainability.api import ExplanationViewSet

urlpatterns = [
    path("explanations/<uuid:pk>/", ExplanationViewSet.as_view({"get": "retrieve"}), name="explanation-detail"),
    path(
        "explanations/<uuid:pk>/overlay.png",
        ExplanationViewSet.as_view({"get": "overlay"}),
        name="explanation-overlay",
    ),
    path(
        "explanations/<uuid:pk>/attributions.npy",
        ExplanationViewSet.as_view({"get": "attributions"}),
        name="explanation-attributions",
    ),
]
