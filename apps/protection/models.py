"""Data keys, and what a row must say so that its values can be sealed."""

from __future__ import annotations

import uuid
from functools import reduce
from typing import ClassVar

from django.db import models

SITE = "site"
"""The holder of what belongs to nobody in particular."""


class DataKey(models.Model):
    """The keys of one holder, wrapped by a master key.

    The rows lie in a database of their own (``keys``), with backups of their own: whoever restores
    yesterday's data finds today's keys, and a key that was destroyed stays destroyed.
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
    """One move of all data to new data keys, kept so that it goes on where a kill left it."""

    started_at = models.DateTimeField(auto_now_add=True)
    keys_made_at = models.DateTimeField(null=True)
    cursor = models.JSONField(default=dict, help_text="By table: the last row done, or null when all are.")
    rows = models.PositiveBigIntegerField(default=0)
    blobs = models.PositiveBigIntegerField(default=0)
    moved_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)


class SealedRecord(models.Model):
    """A row with sealed values or blobs: it names whose key seals them."""

    holder_path: ClassVar[str]
    """The way to the holder's id, by attributes: ``"study.patient_id"``. Empty: the site's key."""

    class Meta:
        abstract = True

    @property
    def key_holder(self) -> str:
        """Whose key seals this row."""
        if not self.holder_path:
            return SITE
        value = reduce(getattr, self.holder_path.split("."), self)
        return holder_name(value) if value is not None else SITE

    def sealed_blobs(self) -> list[str]:
        """Names of the row's blobs."""
        return []


def holder_name(holder: uuid.UUID | str | object) -> str:
    """The text by which a holder's key is found."""
    return holder.hex if isinstance(holder, uuid.UUID) else str(holder)
