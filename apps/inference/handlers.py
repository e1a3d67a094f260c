"""Event handlers of inference."""

from __future__ import annotations

from apps.imaging.events import InstanceStored
from apps.imaging.models import Series
from apps.inference.routing import route


def route_series(event: InstanceStored) -> None:
    """Queue analyses of the series by the packages that accept it."""
    series = Series.objects.select_related("study__patient").filter(pk=event.series_id).first()
    if series is not None:
        route(series, urgent=event.urgent)
