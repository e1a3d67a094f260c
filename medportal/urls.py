"""All URLs of the site."""

from csp.constants import SELF
from csp.decorators import csp_replace
from django.urls import include, path
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

# The API documentation page comes from a library: its scripts carry no nonce.
own_scripts = csp_replace({"script-src": [SELF]})

urlpatterns = [
    path("", include("apps.portal.urls")),
    path("accounts/", include("apps.accounts.urls")),
    path("imaging/", include("apps.imaging.urls")),
    path("models/", include("apps.inference.urls")),
    path("explanations/", include("apps.explainability.urls")),
    path("cases/", include("apps.cases.urls")),
    path("cases/", include("apps.records.urls")),
    path("cases/", include("apps.notes.urls")),
    path("cases/", include("apps.predictions.urls")),
    path("cases/", include("apps.reports.urls")),
    path("recommendations/", include("apps.recommendations.urls")),
    path("contact/", include("apps.contact.urls")),
    path("", include("apps.recommendations.hooks_urls")),
    path("language/", set_language, name="set_language"),
    path("dicom-web/", include("apps.imaging.dicomweb.urls")),
    path("dicom-web/", include("apps.inference.workitem_urls")),
    path("api/v1/", include("apps.accounts.api_urls")),
    path("api/v1/", include("apps.imaging.api_urls")),
    path("api/v1/", include("apps.inference.api_urls")),
    path("api/v1/", include("apps.explainability.api_urls")),
    path("api/v1/", include("apps.cases.api_urls")),
    path("api/v1/", include("apps.recommendations.api_urls")),
    path("api/v1/", include("apps.portal.api_urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", own_scripts(SpectacularSwaggerSplitView.as_view(url_name="schema")), name="api-docs"),
]
