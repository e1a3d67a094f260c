from allauth.account import views
from allauth.usersessions.views import list_usersessions
from django.contrib.auth.decorators import login_required
from django.urls import include, path

from apps.accounts.reauthentication import freshly_authenticated
from apps.accounts.views import notices, revoke, tokens

# Of allauth's pages only those that the hospital offers; sign-up and e-mail changes are closed.
urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("password/change/", views.password_change, name="account_change_password"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("sessions/", login_required(freshly_authenticated(list_usersessions)), name="usersessions_list"),
    path("tokens/", tokens, name="account_tokens"),
    path("tokens/<str:digest>/revoke/", revoke, name="account_revoke_token"),
    path("notices/", notices, name="account_notices"),
    path("2fa/", include("allauth.mfa.urls")),
    path("sso/", include("allauth.socialaccount.urls")),
    path("", include("allauth.socialaccount.providers.openid_connect.urls")),
]
