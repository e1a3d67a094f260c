from django.urls import path

from apps.imaging.dicomweb.bulk import (
    INSTANCE_BULK,
    INSTANCE_PIXELS,
    SERIES_BULK,
    SERIES_PIXELS,
    STUDY_BULK,
    STUDY_PIXELS,
)
from apps.imaging.dicomweb.capabilities import CapabilitiesView
from apps.imaging.dicomweb.metadata import InstanceMetadataView, MetadataView, SeriesMetadataView
from apps.imaging.dicomweb.rendered import (
    FramesRenderedView,
    FramesThumbnailView,
    InstanceRenderedView,
    InstanceThumbnailView,
    SeriesRenderedView,
    SeriesThumbnailView,
    StudyRenderedView,
    StudyThumbnailView,
    WadoUriView,
)
from apps.imaging.dicomweb.resources import InstanceResource, SeriesResource, StudiesResource, StudyResource
from apps.imaging.dicomweb.retrieve import AllFramesView, BulkDataView, FrameView
from apps.imaging.dicomweb.search import (
    InstanceSearchView,
    SeriesInstanceSearchView,
    SeriesSearchView,
    StudyInstanceSearchView,
    StudySeriesSearchView,
)

app_name = "dicomweb"
STUDY = "studies/<str:study>"
SERIES = f"{STUDY}/series/<str:series>"
INSTANCE = f"{SERIES}/instances/<str:instance>"
urlpatterns = [
    path("", CapabilitiesView.as_view(), name="capabilities"),
    path("studies", StudiesResource.as_view(), name="store"),
    path("series", SeriesSearchView.as_view(), name="all-series"),
    path("instances", InstanceSearchView.as_view(), name="all-instances"),
    path(f"{STUDY}/series", StudySeriesSearchView.as_view(), name="study-series"),
    path(f"{STUDY}/instances", StudyInstanceSearchView.as_view(), name="study-instances"),
    path(f"{SERIES}/instances", SeriesInstanceSearchView.as_view(), name="series-instances"),
    path(STUDY, StudyResource.as_view(), name="study"),
    path(f"{STUDY}/metadata", MetadataView.as_view(), name="study-metadata"),
    path(SERIES, SeriesResource.as_view(), name="series"),
    path(f"{SERIES}/metadata", SeriesMetadataView.as_view(), name="series-metadata"),
    path(INSTANCE, InstanceResource.as_view(), name="instance"),
    path(f"{INSTANCE}/metadata", InstanceMetadataView.as_view(), name="instance-metadata"),
    path(f"{INSTANCE}/frames", AllFramesView.as_view(), name="all-frames"),
    path(f"{INSTANCE}/frames/<str:frames>", FrameView.as_view(), name="frames"),
    path(f"{STUDY}/pixeldata", STUDY_PIXELS.as_view(), name="study-pixel-data"),
    path(f"{SERIES}/pixeldata", SERIES_PIXELS.as_view(), name="series-pixel-data"),
    path(f"{INSTANCE}/pixeldata", INSTANCE_PIXELS.as_view(), name="instance-pixel-data"),
    path(f"{STUDY}/bulkdata", STUDY_BULK.as_view(), name="study-bulk-data"),
    path(f"{SERIES}/bulkdata", SERIES_BULK.as_view(), name="series-bulk-data"),
    path(f"{INSTANCE}/bulkdata", INSTANCE_BULK.as_view(), name="instance-bulk-data"),
    path(f"{STUDY}/rendered", StudyRenderedView.as_view(), name="study-rendered"),
    path(f"{SERIES}/rendered", SeriesRenderedView.as_view(), name="series-rendered"),
    path(f"{INSTANCE}/rendered", InstanceRenderedView.as_view(), name="instance-rendered"),
    path(f"{INSTANCE}/frames/<str:frames>/rendered", FramesRenderedView.as_view(), name="frames-rendered"),
    path(f"{STUDY}/thumbnail", StudyThumbnailView.as_view(), name="study-thumbnail"),
    path(f"{SERIES}/thumbnail", SeriesThumbnailView.as_view(), name="series-thumbnail"),
    path(f"{INSTANCE}/thumbnail", InstanceThumbnailView.as_view(), name="instance-thumbnail"),
    path(f"{INSTANCE}/frames/<str:frames>/thumbnail", FramesThumbnailView.as_view(), name="frames-thumbnail"),
    path("wado", WadoUriView.as_view(), name="wado-uri"),
    path(f"{INSTANCE}/bulkdata/<path:path>", BulkDataView.as_view(), name="bulk-data"),
]
