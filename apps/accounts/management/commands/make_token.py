"""``manage.py make_token``: create an API token on the server."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.models import Scope, User
from apps.accounts.tokens import make_token


class Command(BaseCommand):
    help = "Create an API token for an account; its text is printed once and not stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--scope", action="append", choices=Scope.values, required=True)
        parser.add_argument("--days", type=int, default=30)
        parser.add_argument("--name", default="made on the server")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"], is_active=True).first()
        if user is None:
            raise CommandError("there is no active account with this name")
        try:
            _token, text = make_token(user, name=options["name"], scopes=options["scope"], days=options["days"])
        except ValueError as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(text)
