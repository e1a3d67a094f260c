from django.urls import path

from apps.imaging import quarantine_views, report_views, views

app_name = "imaging"
urlpatterns = [
    path("upload/", views.upload_page, name="upload"),
    path("uploads/", views.start, name="upload-start"),
    path("uploads/<uuid:upload_id>/files/", views.receive_file, name="upload-file"),
    path("exports/", views.release_list, name="releases"),
    path("exports/<uuid:pk>.zip", views.release_file, name="release-file"),
    path("studies/<str:study_uid>/export/", views.request_release, name="request-release"),
    path("studies/<str:study_uid>/reports/<str:sop_uid>/", report_views.report_page, name="report"),
    path("held/", quarantine_views.held_list, name="held"),
    path("held/<uuid:pk>/", quarantine_views.held_file, name="held-file"),
    path("held/<uuid:pk>/picture.png", quarantine_views.held_picture, name="held-picture"),
    path("held/<uuid:pk>/file.dcm", quarantine_views.held_download, name="held-download"),
]
