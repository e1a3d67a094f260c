from django.urls import path

from apps.portal import views
from apps.portal.admin import views as admin
from apps.portal.clinician import views as clinician
from apps.portal.patient import views as patient

app_name = "portal"
urlpatterns = [
    path("", views.home, name="home"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("worklist/", clinician.worklist_page, name="worklist"),
    path("studies/<str:study_uid>/", clinician.study_page, name="study"),
    path("studies/<str:study_uid>/findings/", clinician.findings_panel, name="findings"),
    path("studies/<str:study_uid>/manifest.json", clinician.manifest, name="manifest"),
    path("findings/<uuid:finding_id>/review/", clinician.review_finding, name="review"),
    path("findings/<uuid:finding_id>/explain/", clinician.explain_finding, name="explain"),
    path("analyses/<uuid:analysis_id>/retry/", clinician.retry_analysis, name="retry"),
    path("me/", patient.home, name="patient"),
    path("administration/", admin.home, name="admin"),
]
