"""An appointment as iCalendar (RFC 5545), for the patient's own calendar."""

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
    """A calendar of one event, with an alarm a day before.

    Args:
        revision: RFC 5545 section 3.8.7.4, SEQUENCE: a later file replaces an earlier one.
    """
    made = Calendar()
    made.add("prodid", "-//MedPortal//Appointments//EN")
    made.add("version", "2.0")
    made.add("method", "CANCEL" if cancelled else "PUBLISH")
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
    made.add_component(event)
    return bytes(made.to_ical())
