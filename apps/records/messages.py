"""Messages of the patient record, by reason code."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "case_closed": _("This case is closed. Reopen it first."),
    "note_empty": _("The note is empty. Enter some text."),
    "values_too_large": _("The file is too large: the limit is %(most)s MiB. Split it."),
    "values_binary": _("The file is neither CSV nor FHIR JSON. Save it as CSV (UTF-8) and try again."),
    "values_empty": _("The file contains no data rows."),
    "values_too_many": _("The file has too many rows: the limit is %(most)s. Split it."),
    "values_columns": _("Missing columns: %(columns)s. The first line must contain the column names: %(expected)s."),
    "values_json": _("The file is not valid JSON (line %(line)s)."),
    "value_code": _("Unknown code: %(given)s. Use a LOINC code or a name from the list of measurements."),
    "value_number": _("Not a number: %(value)s."),
    "value_unit": _("The unit %(unit)s is unknown or does not fit. Use %(expected)s or a unit that converts to it."),
    "value_impossible": _("%(value)s %(unit)s is implausible. Enter a value from %(least)s to %(most)s."),
    "value_time": _("Not a valid date and time: %(value)s. Use the format 2026-03-02 14:30."),
    "value_future": _("This time is in the future: %(value)s."),
    "value_twice": _("This value is already recorded for this time."),
    "value_differs": _(
        "Another value is already recorded for this time: %(value)s. Mark it as entered in error first."
    ),
    "model_missing": _("The model required for this is not installed. Contact your administrator."),
}
