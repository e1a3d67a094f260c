"""Pages as PDF (WeasyPrint). Nothing is fetched: pictures come inside the page."""

from __future__ import annotations

from typing import Any


class NoPdf(Exception):
    """The libraries that WeasyPrint draws with are not on this machine."""


def pdf(html: str) -> bytes:
    """A page as PDF/UA-tagged A4.

    Raises:
        NoPdf: where Pango or HarfBuzz is missing.
    """
    try:
        import weasyprint  # large, and few print
    except OSError as error:
        raise NoPdf from error
    return bytes(weasyprint.HTML(string=html, url_fetcher=_only_data).write_pdf(pdf_variant="pdf/ua-1"))


def _only_data(url: str, *args: Any, **kwargs: Any) -> Any:
    """Refuses every address but data within the page: a text in a report must not make the server ask for anything."""
    from weasyprint import default_url_fetcher

    if not url.startswith("data:"):
        raise ValueError("a report fetches nothing")
    return default_url_fetcher(url)
