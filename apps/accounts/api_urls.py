from django.urls import path

from apps.accounts.api import TokenView

urlpatterns = [path("token/", TokenView.as_view(), name="api-token")]
