"""Notifications to users."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from apps.accounts.models import Notice, User


def notify(users: Iterable[User], code: str, **parameters: str | int) -> None:
    """Send a registered message to these users; ``parameters`` must contain no patient data."""
    Notice.objects.bulk_create(Notice(user=user, code=code, parameters=parameters) for user in users)


def mark_read(user: User) -> None:
    """Mark all of the user's notifications as read."""
    Notice.objects.filter(user=user, read_at=None).update(read_at=timezone.now())
