"""Messages of the chart."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "case_closed": _("The case is closed: open it again first."),
    "note_empty": _("A note needs at least one word."),
    "values_too_large": _("The file is too large: at most %(most)s MiB. Split it."),
    "values_binary": _("The file is neither CSV nor FHIR JSON. Save it as CSV (UTF-8) and try again."),
    "values_empty": _("There is no row in the file."),
    "values_too_many": _("The file has too many rows: at most %(most)s. Split it."),
    "values_columns": _("These columns are missing: %(columns)s. The first line must name the columns: %(expected)s."),
    "values_json": _("The file is no valid JSON (line %(line)s)."),
    "value_code": _("Unknown code: %(given)s. Use a LOINC code or a name from the list of values."),
    "value_number": _("Not a number: %(value)s."),
    "value_unit": _(
        "The unit %(unit)s is not known or does not fit; expected is %(expected)s or what can be converted to it."
    ),
    "value_impossible": _("%(value)s %(unit)s is not possible: expected is %(least)s to %(most)s."),
    "value_time": _("Not a date and time: %(value)s. Write it like 2026-03-02 14:30."),
    "value_future": _("This time lies in the future: %(value)s."),
    "value_twice": _("This value at this time is there already."),
    "value_differs": _("There is another value at this time: %(value)s. Mark that one as wrong first."),
    "model_missing": _("The model for this is not installed. Tell the administrator."),
}
