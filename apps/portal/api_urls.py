from django.urls import path

from apps.portal.clinician.api import AnalysesView

urlpatterns = [
    path("studies/<str:study_instance_uid>/analyses/", AnalysesView.as_view(), name="study-analyses"),
]
