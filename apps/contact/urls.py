from django.urls import path

from apps.contact import views

app_name = "contact"
urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("questions/<uuid:pk>/", views.answer, name="answer"),
    path("patients/<uuid:pk>/appointments/", views.book, name="book"),
    path("appointments/<uuid:pk>/", views.change, name="change"),
    path("confirm/<str:token>/", views.confirm, name="confirm"),
]
