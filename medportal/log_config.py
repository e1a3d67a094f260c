"""Logging configuration."""

from __future__ import annotations

import logging
from typing import Any

LIBRARY_LEVELS = {
    "ERROR": ("pydicom", "weasyprint", "fontTools", "kombu.connection"),
    "WARNING": ("highdicom", "httpx"),
}
"""Minimum levels of verbose libraries, some of which log header values."""


def is_no_probe(record: logging.LogRecord) -> bool:
    """Filter out Django's log line for every ``/readyz`` probe that was answered with 503."""
    return not (record.name == "django.request" and record.getMessage() == "Service Unavailable: /readyz")


def logging_to_console(level: str) -> dict[str, Any]:
    """Build Django's ``LOGGING``: one line per message to standard error, from ``level`` on."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
        "filters": {"no probes": {"()": "django.utils.log.CallbackFilter", "callback": is_no_probe}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["no probes"]}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {name: {"level": minimum} for minimum, names in LIBRARY_LEVELS.items() for name in names},
    }
