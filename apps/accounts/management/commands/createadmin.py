"""``manage.py createadmin``: create the first administrator."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from apps.accounts.account_admin import TEMPORARY_PASSWORD_DAYS, create_first_admin
from apps.jobs.errors import UserError


class Command(BaseCommand):
    help = "Create the first administrator and print a temporary password; further accounts are created on the site."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", nargs="?", default="admin")
        parser.add_argument("--name", default="", help="the person's name, shown with their actions")
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = sys.stdin.readline().rstrip("\r\n") if options["password_stdin"] else None
        if chosen == "":
            raise CommandError("no password on standard input")
        try:
            user, password = create_first_admin(
                username=options["username"], staff_name=options["name"], password=chosen
            )
        except UserError as problem:
            raise CommandError(str(problem)) from None
        except ValidationError as problem:
            raise CommandError(" ".join(problem.messages)) from None
        if chosen:
            self.stdout.write(f"created administrator {user.username}")
            return
        self.stdout.write(f"user name: {user.username}\npassword:  {password}")
        self.stdout.write(
            f"Sign in within {TEMPORARY_PASSWORD_DAYS} days; the site then asks for a password of your own."
        )
