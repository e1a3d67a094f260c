"""What gets into the log."""

from __future__ import annotations

import logging
from typing import Any

QUIET = {
    "ERROR": ("pydicom", "weasyprint", "fontTools", "kombu.connection"),
    "WARNING": ("highdicom", "httpx"),
}
"""Libraries that report on their own work, some of it with values of headers."""


def is_no_probe(record: logging.LogRecord) -> bool:
    """Whether a line is not Django's report that ``/readyz`` answered 503, which whoever waits causes each second."""
    return not (record.name == "django.request" and record.getMessage() == "Service Unavailable: /readyz")


def logging_to_console(level: str) -> dict[str, Any]:
    """Django's ``LOGGING``: one line a message to standard error, from ``level`` on."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
        "filters": {"no probes": {"()": "django.utils.log.CallbackFilter", "callback": is_no_probe}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["no probes"]}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {name: {"level": least} for least, names in QUIET.items() for name in names},
    }
