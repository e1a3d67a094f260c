"""All URLs of the site."""

from django.urls import include, path
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

urlpatterns = [
    path("", include("apps.portal.urls")),
    path("accounts/", include("apps.accounts.urls")),
    path("imaging/", include("apps.imaging.urls")),
    path("models/", include("apps.inference.urls")),
    path("language/", set_language, name="set_language"),
    path("dicom-web/", include("apps.imaging.dicomweb_urls")),
    path("api/", include("apps.accounts.api_urls")),
    path("api/v1/", include("apps.imaging.api_urls")),
    path("api/v1/", include("apps.inference.api_urls")),
    path("api/v1/", include("apps.explainability.api_urls")),
    path("api/v1/", include("apps.portal.api_urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="api-docs"),
]
