"""iCalendar export of appointments (RFC 5545)."""

from __future__ import annotations

from datetime import datetime, timedelta

from icalendar import Alarm, Calendar, Event, vText


def calendar(
    *,
    uid: str,
    revision: int,
    title: str,
    place: str,
    starts_at: datetime,
    minutes: int,
    changed_at: datetime,
    cancelled: bool,
) -> bytes:
    """Build a calendar with one event and an alarm one day before.

    Args:
        revision: RFC 5545 section 3.8.7.4, SEQUENCE: a later file replaces an earlier one.
    """
    result = Calendar()
    result.add("prodid", "-//MedPortal//Appointments//EN")
    result.add("version", "2.0")
    result.add("method", "CANCEL" if cancelled else "PUBLISH")
    event = Event()
    event.add("uid", f"{uid}@medportal")
    event.add("sequence", revision)
    event.add("dtstamp", changed_at)
    event.add("dtstart", starts_at)
    event.add("dtend", starts_at + timedelta(minutes=minutes))
    event.add("summary", title)
    if place:
        event["location"] = vText(place)
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", title)
    alarm.add("trigger", timedelta(days=-1))
    event.add_component(alarm)
    result.add_component(event)
    return bytes(result.to_ical())
