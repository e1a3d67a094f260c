from django.urls import path

from apps.imaging.dicomweb import FrameView, MetadataView, SeriesMetadataView, StoreView

app_name = "dicomweb"
urlpatterns = [
    path("studies", StoreView.as_view(), name="store"),
    path("studies/<str:study>/metadata", MetadataView.as_view(), name="study-metadata"),
    path("studies/<str:study>/series/<str:series>/metadata", SeriesMetadataView.as_view(), name="series-metadata"),
    path(
        "studies/<str:study>/series/<str:series>/instances/<str:instance>/frames/<str:frames>",
        FrameView.as_view(),
        name="frames",
    ),
]
