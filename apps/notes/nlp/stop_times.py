"""When a medication was stopped, in the note's own words: "last month", "in March 2020", 3月前."""

from __future__ import annotations

import re

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_YEAR = r"(?:19|20)\d\d"
_COUNT = r"(?:\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|several|some|a few|a couple(?: of)?)"
_TIME = re.compile(
    rf"\b(?:(?:about |approximately |around |~)?{_COUNT}\s+(?:hours?|days?|weeks?|wks?|months?|mos?|years?|yrs?)\s+"
    r"(?:ago|earlier|(?:prior to|before)\s+(?:(?:the|this|his|her|their)\s+)?(?:\d[\d/.-]*\d|[a-z]+)|prior|before)|"
    r"(?:last|this past|this|the previous)\s+(?:night|morning|evening|week|month|year|spring|summer|autumn|fall|winter|visit|"
    rf"(?:mon|tues|wednes|thurs|fri|satur|sun)day|{_MONTH})|"
    r"yesterday|today|recently|(?:on|before|prior to|at) (?:admission|discharge)|"
    rf"(?:in|on|since|as of|until|till)\s+(?:(?:early|mid|late)[ -])?(?:{_MONTH}(?:\s+\d{{1,2}}(?:st|nd|rd|th)?\b)?(?:,?\s+(?:of\s+)?{_YEAR})?|"
    rf"\d{{1,2}}(?:st|nd|rd|th)?\s+{_MONTH}(?:,?\s+{_YEAR})?|{_YEAR}-\d\d?(?:-\d\d?)?|{_YEAR}|\d{{1,2}}/\d{{1,2}}(?:/\d{{2,4}})?)|"
    rf"{_YEAR}-\d\d-\d\d)(?![\w/])|"
    rf"{_YEAR}年(?:\d{{1,2}}月(?:\d{{1,2}}[日号])?)?(?:初|底|末)?|(?:去年|今年|前年)?\d{{1,2}}月\d{{1,2}}[日号]|去年|前年|今年初|"
    r"(?:上|本|上上)(?:个?月|周|星期)|昨[日天晚]|今[日天晨]|前[日天]|近[日期]|(?:入院|术)前|"
    r"(?:约|大约)?(?:\d{1,3}|[一二两三四五六七八九十半数几]+)\s*余?(?:个?(?:月|小时)|[天日周年]|星期)(?:余|多)?(?:之?前|以前)",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"[;；。]|\b(?:but|then|now|started?|starting|began|resumed?|restarted?)\b|改用|改为|换用|开始", re.IGNORECASE
)
_STOPPED = re.compile(r"\b(?:stopp?ed|discontinued|d/c'?e?d|ended|finished|completed|off)\b", re.IGNORECASE)
_BEGAN = re.compile(r"\b(?:started?|began|begun|since|initiated|prescribed)\b|开始|起", re.IGNORECASE)
_OTHER_CLAUSE = re.compile(r"[,，;；。:：]|\b(?:and|but|then|so|was on|were on|been on)\b", re.IGNORECASE)
BEFORE_REACH = 40
"""Characters between a time and the medication after it."""


def when_stopped(before: str, after: str) -> str:
    """Return the time that the words around a stopped medication name; empty if they name none, or more than one.

    Args:
        before: from the previous medication or the start of the sentence to the name.
        after: from the name to the next medication or the end of the sentence.
    """
    after = _CLAUSE.split(after, maxsplit=1)[0]
    times = [match[0] for match in _TIME.finditer(after)]
    if len(times) > 1 and (stop := _STOPPED.search(after)):  # "digoxin since 2015, stopped 3 weeks ago"
        times = [match[0] for match in _TIME.finditer(after, stop.end())]
    if not times:
        times = [match[0] for match in _TIME.finditer(before) if _concerns_next(before, match)]
    return " ".join(times[0].split()) if len(times) == 1 else ""


def _concerns_next(before: str, time: re.Match[str]) -> bool:
    """Whether a time is that of the medication after it: it opens the sentence, or only the stopping lies between."""
    between = before[time.end() :]
    if _BEGAN.search(before) or len(between) > BEFORE_REACH or _OTHER_CLAUSE.search(between.lstrip(" ,，")):
        return False
    opens = not re.sub(r"\W+", "", before[: time.start()])
    return opens or not between.lstrip().startswith((",", "，"))
