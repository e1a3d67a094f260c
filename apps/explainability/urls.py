from django.urls import path

from apps.explainability import playground_views, views

app_name = "explainability"
urlpatterns = [
    path("<uuid:pk>/", views.detail, name="detail"),
    path("<uuid:pk>/tell/", views.tell, name="tell"),
    path("told/<uuid:pk>/withdraw/", views.withdraw, name="withdraw"),
    path("told/<uuid:pk>/picture.png", views.released_picture, name="told-picture"),
    path("<uuid:pk>/state/", views.state, name="state"),
    path("findings/<uuid:finding_id>/by/", views.ask, name="ask"),
    path("models/<str:name>/<str:version>/explainers/", views.comparison, name="comparison"),
    path("models/<str:name>/<str:version>/attention/", views.attention, name="attention"),
    path("models/<str:name>/<str:version>/try/", playground_views.give, name="try"),
    path("trials/<uuid:pk>/", playground_views.show, name="trial"),
]
