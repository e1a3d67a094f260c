"""Resources that serve several transactions at one address (PS3.18 table 10.3-1)."""

from __future__ import annotations

from apps.imaging.dicomweb.delete import InstanceDeleteView, SeriesDeleteView, StudyDeleteView
from apps.imaging.dicomweb.retrieve import InstanceView, SeriesView, StudyView
from apps.imaging.dicomweb.search import StudySearchView
from apps.imaging.dicomweb.store import StoreView, StudyStoreView


class StudiesResource(StudySearchView, StoreView):
    """All studies: search, store."""


class StudyResource(StudyView, StudyStoreView, StudyDeleteView):
    """A study: retrieve, store, delete."""


class SeriesResource(SeriesView, SeriesDeleteView):
    """A series: retrieve, delete."""


class InstanceResource(InstanceView, InstanceDeleteView):
    """An instance: retrieve, delete."""
