"""Searchable terminology codes."""

from __future__ import annotations

from django.db import models


class TerminologyCode(models.Model):
    """A code of a terminology, for searching; loaded by ``manage.py codes``."""

    system = models.CharField(max_length=16)
    code = models.CharField(max_length=16)
    title = models.CharField(max_length=300)
    folded = models.CharField(max_length=300, help_text="In small letters, for searching.")

    class Meta:
        indexes = [models.Index(fields=["system", "code"], name="code_of_a_system")]
        constraints = [models.UniqueConstraint(fields=["system", "code"], name="one_row_a_code")]
