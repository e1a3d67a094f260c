"""HTML to PDF with WeasyPrint. Nothing is fetched: images are embedded in the page."""

from __future__ import annotations


class NoPdf(Exception):
    """Pango or HarfBuzz, which WeasyPrint needs, is not installed."""


def pdf(html: str) -> bytes:
    """Render a page as A4 PDF/UA-1.

    Text in a report must not cause server-side requests: every URL but ``data:`` is refused.

    Raises:
        NoPdf: if Pango or HarfBuzz is not installed.
    """
    try:
        import weasyprint  # imported lazily: large and rarely needed
        from weasyprint.urls import URLFetcher
    except OSError as error:
        raise NoPdf from error
    fetcher = URLFetcher(allowed_protocols=["data"], allow_redirects=False)
    return bytes(weasyprint.HTML(string=html, url_fetcher=fetcher).write_pdf(pdf_variant="pdf/ua-1"))
