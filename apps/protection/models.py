"""Data keys, re-encryption runs, and the base class of rows with sealed values."""

from __future__ import annotations

import uuid
from functools import reduce
from typing import ClassVar

from django.db import models

SITE = "site"
"""The holder of data that belong to no patient."""


class DataKey(models.Model):
    """The keyset of one holder, wrapped by a master key.

    The rows are in a separate database (``keys``) with separate backups: restoring yesterday's data
    does not bring back a destroyed key.
    """

    holder = models.CharField(max_length=64, primary_key=True, help_text="A patient's id, or 'site'.")
    keyset = models.BinaryField(help_text="An encrypted Tink keyset; empty once destroyed.")
    master_id = models.BigIntegerField(db_index=True, help_text="The master key that wraps it.")
    created_at = models.DateTimeField(auto_now_add=True)
    renewed_at = models.DateTimeField(auto_now_add=True, db_index=True)
    destroyed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"keys of {self.holder}"


class Reencryption(models.Model):
    """One re-encryption run over all data, stored so that it resumes after an interruption."""

    started_at = models.DateTimeField(auto_now_add=True)
    keys_made_at = models.DateTimeField(null=True)
    cursor = models.JSONField(default=dict, help_text="By table: the last row done, or null when all are.")
    rows = models.PositiveBigIntegerField(default=0)
    blobs = models.PositiveBigIntegerField(default=0)
    moved_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)


class SealedRecord(models.Model):
    """Base class of rows with sealed values or blobs; it resolves the holder whose key seals them."""

    holder_path: ClassVar[str]
    """Attribute path to the holder's id, such as ``"study.patient_id"``; empty for the site's key."""

    class Meta:
        abstract = True

    @property
    def key_holder(self) -> str:
        """Name of the holder whose key seals this row."""
        if not self.holder_path:
            return SITE
        value = reduce(getattr, self.holder_path.split("."), self)
        return holder_name(value) if value is not None else SITE

    def sealed_blobs(self) -> list[str]:
        """Return the names of the row's blobs."""
        return []


def holder_name(holder: uuid.UUID | str | object) -> str:
    """Return the primary key under which a holder's keyset is stored."""
    return holder.hex if isinstance(holder, uuid.UUID) else str(holder)
