from django.urls import path

from apps.reports import views

app_name = "reports"
urlpatterns = [
    path("<uuid:pk>/reports/", views.report_list, name="reports"),
    path("<uuid:pk>/reports/begin/", views.begin, name="begin-report"),
    path("<uuid:pk>/reports/<uuid:report_id>/", views.report_page, name="report"),
    path("<uuid:pk>/reports/<uuid:report_id>/<int:number>/", views.printed, name="report-print"),
    path("<uuid:pk>/reports/<uuid:report_id>/<int:number>/tell/", views.tell, name="report-tell"),
    path("<uuid:pk>/reports/<uuid:report_id>/<int:number>/untell/", views.untell, name="report-untell"),
    path("<uuid:pk>/reports/<uuid:report_id>/<int:number>/report.pdf", views.as_pdf, name="report-pdf"),
    path("<uuid:pk>/reports/<uuid:report_id>/report.dcm", views.as_sr, name="report-sr"),
    path("<uuid:pk>/reports/<uuid:report_id>/fhir.json", views.as_fhir, name="report-fhir"),
]
