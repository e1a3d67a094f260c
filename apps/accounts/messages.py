"""Messages of account administration, by reason code."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "admin_exists": _("An administrator already exists and can create further accounts on the site."),
    "username_taken": _("This username is already taken. Choose another one."),
    "last_admin": _("This is the last administrator who can sign in. Add another administrator first."),
    "own_account": _("You cannot do this to your own account. Ask another administrator."),
    "role_of_patient": _("An account linked to a patient's record must remain a patient account."),
}
