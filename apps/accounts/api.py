"""Tokens for engineers: a password once, then a token that is stored hashed and expires."""

from __future__ import annotations

from django.contrib.auth import authenticate
from drf_spectacular.utils import OpenApiResponse, extend_schema
from knox.models import get_token_model
from rest_framework import serializers, status
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from apps.accounts import audit


class CredentialsSerializer(serializers.Serializer[None]):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1000, trim_whitespace=False, write_only=True)


class TokenSerializer(serializers.Serializer[None]):
    token = serializers.CharField(help_text="Send it as 'Authorization: Token <token>'. It is shown only now.")
    expires = serializers.DateTimeField()


class TokenView(APIView):
    """Exchange a username and password for a token."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "token"

    @extend_schema(
        request=CredentialsSerializer,
        responses={200: TokenSerializer, 400: OpenApiResponse(), 401: OpenApiResponse(), 429: OpenApiResponse()},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        credentials = CredentialsSerializer(data=request.data)
        credentials.is_valid(raise_exception=True)
        user = authenticate(request._request, **credentials.validated_data)
        if user is None:
            raise AuthenticationFailed("wrong username or password")
        instance, token = get_token_model().objects.create(user=user)
        audit.record(user, "token.created")
        return Response({"token": token, "expires": instance.expiry}, status=status.HTTP_200_OK)

    def get_authenticate_header(self, request: Request) -> str:
        return "Token"
