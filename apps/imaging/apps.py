import logging
import warnings

from django.apps import AppConfig


class ImagingConfig(AppConfig):
    name = "apps.imaging"

    def ready(self) -> None:
        from apps.imaging import messages, quarantine, study_tokens
        from apps.jobs.errors import register_messages
        from apps.protection.indexing import register_reindexer

        register_messages(messages.MESSAGES)
        register_reindexer("imaging", quarantine.reindex)
        register_reindexer("studies", study_tokens.reindex)
        _keep_header_values_out_of_logs()


def _keep_header_values_out_of_logs() -> None:
    """Silence pydicom's warnings: they quote header values, which may identify a patient."""
    from pydicom import config

    config.settings.reading_validation_mode = config.IGNORE
    config.logger.setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module=r"pydicom(\..*)?")
