"""Why something about an account cannot be done."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "admin_exists": _("There is an administrator already, who makes further accounts on the site."),
    "username_taken": _("This user name is taken. Choose another one."),
    "last_admin": _("This is the last administrator who can sign in. Make another one first."),
    "own_account": _("This is your own account: another administrator has to do that."),
    "role_of_patient": _("An account that is linked to a patient's record stays a patient's account."),
}
