from django.urls import path

from apps.explainability.api.explanations import ExplanationViewSet
from apps.explainability.api.questions import FindingExplanationsView, FindingProbesView, ProbeView

PARTS = {
    "": ("retrieve", "explanation-detail"),
    "overlay.png": ("overlay", "explanation-overlay"),
    "film.png": ("film", "explanation-film"),
    "attributions.npy": ("attributions", "explanation-attributions"),
    "attributions.json": ("attributions_json", "explanation-json"),
    "map.dcm": ("parametric_map", "explanation-map"),
    "picture.dcm": ("capture", "explanation-capture"),
}

urlpatterns = [
    *(
        path(f"explanations/<uuid:pk>/{part}", ExplanationViewSet.as_view({"get": action}), name=name)
        for part, (action, name) in PARTS.items()
    ),
    path("findings/<uuid:pk>/explanations/", FindingExplanationsView.as_view(), name="finding-explanations"),
    path("findings/<uuid:pk>/probes/", FindingProbesView.as_view(), name="finding-probes"),
    path("probes/<uuid:pk>/", ProbeView.as_view(), name="probe-detail"),
]
