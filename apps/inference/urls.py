from django.urls import path

from apps.inference import views

app_name = "inference"
urlpatterns = [
    path("", views.model_list, name="models"),
    path("<str:name>/<str:version>/", views.model_card, name="model-card"),
]
