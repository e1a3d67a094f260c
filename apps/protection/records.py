"""Queries over the sealed rows and blobs of all apps."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.db.models import QuerySet

from apps.protection.fields import SealedField
from apps.protection.models import SealedRecord, holder_name


def sealed_models() -> list[type[SealedRecord]]:
    """Return every concrete model with sealed fields or blobs."""
    models = [model for model in apps.get_models() if issubclass(model, SealedRecord)]
    return [model for model in models if sealed_fields(model) or model.sealed_blobs is not SealedRecord.sealed_blobs]


def sealed_fields(model: type[SealedRecord]) -> list[SealedField]:
    """Return the model's sealed fields."""
    return [field for field in model._meta.concrete_fields if isinstance(field, SealedField)]


def rows(model: type[SealedRecord]) -> QuerySet[SealedRecord]:
    """Return the model's rows, joined with the relations that determine their holders."""
    path = "__".join(model.holder_path.split(".")[:-1])
    queryset = model._base_manager.all()
    return queryset.select_related(path) if path else queryset


def rows_of(model: type[SealedRecord], holder: object) -> QuerySet[SealedRecord]:
    """Return the model's rows sealed under this holder's key; none for models sealed under the site's key."""
    if not model.holder_path:
        return model._base_manager.none()
    return rows(model).filter(**{model.holder_path.replace(".", "__"): holder})


def blobs_of(holder: object) -> Iterator[str]:
    """Yield the names of all blobs of a holder."""
    for model in sealed_models():
        for row in rows_of(model, holder).iterator():
            yield from row.sealed_blobs()


__all__ = ["blobs_of", "holder_name", "rows", "rows_of", "sealed_fields", "sealed_models"]
