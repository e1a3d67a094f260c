from django.urls import path

from apps.records.views import observations, statements

app_name = "records"
urlpatterns = [
    path("codes.json", statements.codes, name="codes"),
    path("form-token/", statements.form_token, name="form-token"),
    path("<uuid:pk>/statements/", statements.add_statement, name="state"),
    path("<uuid:pk>/statements/<uuid:statement_id>/", statements.set_statement, name="set-statement"),
    path("<uuid:pk>/statements/<uuid:statement_id>/correct/", statements.correct_statement, name="correct-statement"),
    path("<uuid:pk>/values/", observations.value_page, name="values"),
    path("<uuid:pk>/values/import/", observations.upload_import, name="bring"),
    path("<uuid:pk>/values/import/<uuid:parcel_id>/", observations.preview_import, name="import"),
    path("<uuid:pk>/values/import/<uuid:parcel_id>/take/", observations.apply_import, name="take"),
    path("<uuid:pk>/values/<uuid:value_id>/void/", observations.void, name="void"),
]
