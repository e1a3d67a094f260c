from django.urls import path

from apps.recommendations.views import catalogue, queue

app_name = "recommendations"
urlpatterns = [
    path("", queue.review_queue, name="queue"),
    path("bulk/", queue.bulk, name="bulk"),
    path("<uuid:pk>/", queue.detail, name="detail"),
    path("<uuid:pk>/act/", queue.act, name="act"),
    path("patients/<uuid:pk>/", queue.patient, name="patient"),
    path("patients/<uuid:pk>/ask/", queue.ask, name="ask"),
    path("guidelines/", catalogue.guidelines, name="guidelines"),
    path("guidelines/import/", catalogue.import_catalogue, name="import"),
    path("guidelines/export.json", catalogue.export, name="export"),
    path("guidelines/items/new/", catalogue.item, name="item-new"),
    path("guidelines/items/<slug:code>/", catalogue.item, name="item"),
    path("guidelines/items/<slug:code>/withdraw/", catalogue.withdraw, name="item-withdraw"),
    path("guidelines/rules/new/", catalogue.rule, name="rule-new"),
    path("guidelines/rules/<slug:code>/", catalogue.rule, name="rule"),
    path("guidelines/rules/<slug:code>/stop/", catalogue.stop, name="rule-stop"),
]
