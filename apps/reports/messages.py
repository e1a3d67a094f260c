"""Messages of reports."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "report_signed": _("A signed report is amended, not changed: state the reason for the amendment."),
    "report_changed": _("Somebody changed the report meanwhile. Nothing is lost: your text is below."),
    "report_incomplete": _("A report needs findings and an impression before it can be issued."),
    "report_no_pdf": _("PDF needs the libraries Pango and HarfBuzz on the server. Print the page instead."),
    "report_not_signed": _("Only a signed report is released to the patient."),
    "report_to_read": _("A report is ready for you on your page."),
}
