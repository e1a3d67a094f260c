from django.urls import path

from apps.recommendations.hooks import Discovery, Feedback, Service

urlpatterns = [
    path("cds-services", Discovery.as_view(), name="cds-discovery"),
    path("cds-services/<slug:name>", Service.as_view(), name="cds-service"),
    path("cds-services/<slug:name>/feedback", Feedback.as_view(), name="cds-feedback"),
]
