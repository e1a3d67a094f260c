from django.urls import path

from apps.imaging import views

app_name = "imaging"
urlpatterns = [
    path("upload/", views.upload_page, name="upload"),
    path("uploads/", views.start, name="upload-start"),
    path("uploads/<uuid:upload_id>/files/", views.receive_file, name="upload-file"),
    path("held/", views.held_list, name="held"),
    path("held/<uuid:pk>/", views.held_file, name="held-file"),
]
