import logging
import warnings

from django.apps import AppConfig


class ImagingConfig(AppConfig):
    name = "apps.imaging"

    def ready(self) -> None:
        from apps.imaging import hold, reasons
        from apps.jobs.errors import register_sentences
        from apps.protection.indexing import register_reindexer

        register_sentences(reasons.SENTENCES)
        register_reindexer("imaging", hold.reindex)
        _keep_header_values_out_of_logs()


def _keep_header_values_out_of_logs() -> None:
    """pydicom's warnings quote the values they complain about, and those may be a patient's."""
    from pydicom import config

    config.settings.reading_validation_mode = config.IGNORE
    config.logger.setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module=r"pydicom(\..*)?")
