"""The one bell that rings upward."""

from django.dispatch import Signal

study_received = Signal()
"""Sent after commit when an instance was stored: ``series_id`` (UUID), ``urgent`` (bool, a person waits)."""
