"""Messages of reports."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "report_signed": _("A signed report can only be amended. State the reason for the amendment."),
    "report_changed": _(
        "Someone else changed this report while you were editing. Nothing is lost: your text is below."
    ),
    "report_incomplete": _("Enter findings and an impression before issuing the report."),
    "report_no_pdf": _("PDF export requires the Pango and HarfBuzz libraries on the server. Print the page instead."),
    "report_not_signed": _("Only signed reports can be released to the patient."),
    "signed_report": _("A report on this study was signed, so the study must be kept."),
    "report_to_read": _("A new report is ready in your patient portal."),
}
