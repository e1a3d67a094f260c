"""Pages as PDF (WeasyPrint). Nothing is fetched: pictures come inside the page."""

from __future__ import annotations


class NoPdf(Exception):
    """The libraries that WeasyPrint draws with are not on this machine."""


def pdf(html: str) -> bytes:
    """A page as PDF/UA-tagged A4.

    A text in a report must not make the server ask for anything: addresses other than data within the page are refused.

    Raises:
        NoPdf: where Pango or HarfBuzz is missing.
    """
    try:
        import weasyprint  # large, and few print
        from weasyprint.urls import URLFetcher
    except OSError as error:
        raise NoPdf from error
    fetcher = URLFetcher(allowed_protocols=["data"], allow_redirects=False)
    return bytes(weasyprint.HTML(string=html, url_fetcher=fetcher).write_pdf(pdf_variant="pdf/ua-1"))
