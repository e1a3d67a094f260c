from django.urls import path

from apps.imaging import views

app_name = "imaging"
urlpatterns = [
    path("upload/", views.upload_page, name="upload"),
    path("uploads/", views.start, name="upload-start"),
    path("uploads/<uuid:upload_id>/files/", views.receive_file, name="upload-file"),
    path("exports/", views.release_list, name="releases"),
    path("exports/<uuid:pk>.zip", views.release_file, name="release-file"),
    path("studies/<str:study_uid>/export/", views.request_release, name="request-release"),
    path("held/", views.held_list, name="held"),
    path("held/<uuid:pk>/", views.held_file, name="held-file"),
]
