from django.urls import path

from apps.inference.workitem_views import (
    CancelRequestView,
    SubscriptionView,
    WorkitemDetailView,
    WorkitemStateView,
    WorkitemsView,
)

app_name = "workitems"
urlpatterns = [
    path("workitems", WorkitemsView.as_view(), name="workitems"),
    path("workitems/<str:workitem>", WorkitemDetailView.as_view(), name="workitem"),
    path("workitems/<str:workitem>/state", WorkitemStateView.as_view(), name="state"),
    path("workitems/<str:workitem>/cancelrequest", CancelRequestView.as_view(), name="cancel-request"),
    path("workitems/<str:workitem>/subscribers/<str:subscriber>", SubscriptionView.as_view(), name="subscription"),
]
