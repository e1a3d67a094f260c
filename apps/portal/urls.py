from django.urls import path

from apps.portal import app, views
from apps.portal.admin import people, privacy
from apps.portal.admin import views as admin
from apps.portal.auditor import views as auditor
from apps.portal.clinician import records
from apps.portal.clinician import views as clinician
from apps.portal.patient import care, results
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
    path("emergency/", records.emergency, name="emergency"),
    path("emergency/<uuid:pk>/end/", records.end_emergency, name="end-emergency"),
    path("records/<uuid:pk>/", records.record, name="record"),
    path("me/", patient.home, name="patient"),
    path("me/record/", patient.record, name="patient-record"),
    path("me/consent/", patient.consent, name="patient-consent"),
    path("me/mail/", patient.address, name="patient-mail"),
    path("me/type/", patient.type_size, name="patient-type"),
    path("me/recommendations/<uuid:pk>/", care.recommendation, name="patient-recommendation"),
    path("me/recommendations/<uuid:pk>/answer/", care.answer, name="patient-answer"),
    path("me/appointments/", care.appointment_list, name="patient-appointments"),
    path("me/appointments/<uuid:pk>/reply/", care.appointment_reply, name="patient-reply"),
    path("me/appointments/<uuid:pk>/appointment.ics", care.appointment_file, name="patient-calendar"),
    path("me/questions/", care.question_page, name="patient-questions"),
    path("me/results/", results.result_page, name="patient-results"),
    path("me/results/<uuid:pk>/report.pdf", results.report_file, name="patient-report"),
    path("me/data.json", results.data_file, name="patient-data"),
    path("me/data.pdf", results.data_pdf, name="patient-data-pdf"),
    path("manifest.webmanifest", app.manifest, name="manifest-app"),
    path("service-worker.js", app.service_worker, name="service-worker"),
    path("offline/", app.offline, name="offline"),
    path("administration/", admin.home, name="admin"),
    path("administration/users/", people.user_list, name="admin-users"),
    path("administration/users/new/", people.user_new, name="admin-user-new"),
    path("administration/users/<int:pk>/", people.user_edit, name="admin-user"),
    path("administration/users/<int:pk>/end/", people.user_end, name="admin-user-end"),
    path("administration/users/<int:pk>/password/", people.user_password, name="admin-user-password"),
    path("administration/users/<int:pk>/reset/", people.user_reset, name="admin-user-reset"),
    path("administration/teams/new/", people.team, name="admin-team-new"),
    path("administration/teams/<uuid:pk>/", people.team, name="admin-team"),
    path("administration/sessions/", people.session_list, name="admin-sessions"),
    path("administration/keys/", privacy.keys, name="admin-keys"),
    path("administration/consents/", privacy.consents, name="admin-consents"),
    path("administration/records/", privacy.find, name="admin-records"),
    path("administration/records/<uuid:pk>/", privacy.record, name="admin-record"),
    path("administration/records/<uuid:pk>/hold/", privacy.hold, name="admin-hold"),
    path("administration/records/<uuid:pk>/login/", privacy.login, name="admin-login"),
    path("administration/holds/<uuid:pk>/lift/", privacy.lift, name="admin-lift"),
    path("audit/", auditor.home, name="auditor"),
    path("audit/verify/", auditor.verify, name="auditor-verify"),
    path("audit/export.json", auditor.export, name="auditor-export"),
    path("audit/emergencies/", auditor.emergencies, name="auditor-emergencies"),
    path("audit/emergencies/<uuid:pk>/", auditor.emergency, name="auditor-emergency"),
    path("csp-report/", views.csp_report, name="csp-report"),
]
