from django.urls import path

from apps.accounts.api import AuditEventsView

urlpatterns = [path("audit/", AuditEventsView.as_view(), name="audit-events")]
