"""OpenAPI description of the REST API (drf-spectacular)."""

from typing import Any

from medportal.version import __version__


def openapi_settings() -> dict[str, Any]:
    """Build the settings of drf-spectacular: title, version, source of its pages, names of enumerations."""
    return {
        "TITLE": "MedPortal API",
        "DESCRIPTION": "Scans in, explained findings out. Decision support, never a diagnosis.",
        "VERSION": __version__,
        "SERVE_INCLUDE_SCHEMA": False,
        "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
        "SWAGGER_UI_DIST": "SIDECAR",
        "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
        "REDOC_DIST": "SIDECAR",
        "ENUM_NAME_OVERRIDES": {
            "RecommendationStateEnum": "apps.recommendations.models.RecommendationState",
            "JobStateEnum": "apps.jobs.models.State",
        },
    }
