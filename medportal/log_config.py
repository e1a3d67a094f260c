"""What gets into the log."""

from __future__ import annotations

from typing import Any

QUIET = {
    "ERROR": ("pydicom", "weasyprint", "fontTools", "kombu.connection"),
    "WARNING": ("highdicom", "httpx"),
}
"""Libraries that report on their own work, some of it with values of headers."""


def logging_to_console(level: str) -> dict[str, Any]:
    """Django's ``LOGGING``: one line a message to standard error, from ``level`` on."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {name: {"level": least} for least, names in QUIET.items() for name in names},
    }
