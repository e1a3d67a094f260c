from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "apps.reports"

    def ready(self) -> None:
        from apps.imaging.deletion import register_deletion_hold
        from apps.jobs.errors import register_messages
        from apps.reports import messages
        from apps.reports.holds import signed_report_on

        register_messages(messages.MESSAGES)
        register_deletion_hold("reports", signed_report_on)
