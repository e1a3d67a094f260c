"""Search keys of QIDO-RS: parsing of query parameters (PS3.18 section 8.3.4, PS3.4 section C.2.2.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, time

from pydicom.datadict import dictionary_VR, tag_for_keyword

from apps.imaging.dicom.query_attributes import BY_TAGS, Attribute, Form, Level

MAX_RESULTS = 1_000
"""Results of one answer; the Warning header says that more can be requested (PS3.18 section 8.3.4.4.1)."""
DEFAULT_RESULTS = 100
MAX_OFFSET = 10_000_000
MAX_VALUES = 5_000
MAX_VALUE_LENGTH = 1_024
EMPTY = '""'
"""Value that matches an empty attribute, if Empty Value Matching is requested (PS3.4 section C.2.2.2.7)."""
_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}")
_UID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
_DATE = re.compile(r"[0-9]{8}", re.ASCII)
_TIME = re.compile(r"([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:\.([0-9]{1,6}))?)?)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?[0-9]{1,10}", re.ASCII)


class InvalidQuery(Exception):
    """A query that cannot be understood: 400. The message says what to send instead."""


@dataclass(frozen=True)
class Dates:
    """Inclusive range; None: open."""

    first: date | None
    last: date | None
    is_range: bool = True

    def holds(self, day: date | None) -> bool:
        """Return whether a day lies within; an unknown day never does."""
        return day is not None and (self.first or day) <= day <= (self.last or day)


@dataclass(frozen=True)
class Times:
    """Inclusive range of times of day; an imprecise time such as 1030 means the whole minute."""

    first: time | None
    last: time | None
    is_range: bool = True


@dataclass(frozen=True)
class Condition:
    """One matching key.

    Attributes:
        texts: single values or, for text, one pattern with ``*`` and ``?``; any of several values matches.
        empty: matches only an empty attribute.
    """

    attribute: Attribute
    texts: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    dates: Dates | None = None
    times: Times | None = None
    empty: bool = False

    @property
    def has_wildcard(self) -> bool:
        """Whether a text is a pattern."""
        return any("*" in text or "?" in text for text in self.texts)


@dataclass
class Query:
    """A parsed query.

    Attributes:
        conditions: by keyword path; universal matching leaves none.
        included: attributes to return beside the usual ones.
        warnings: texts for Warning headers.
    """

    conditions: dict[str, Condition] = field(default_factory=dict)
    included: set[str] = field(default_factory=set)
    include_all: bool = False
    fuzzy: bool = False
    limit: int = DEFAULT_RESULTS
    offset: int = 0
    warnings: list[str] = field(default_factory=list)

    def merged(self, attribute: Attribute, value: str) -> None:
        """Add a condition that the resource's address states.

        Raises:
            InvalidQuery: if it is no UID.
        """
        condition = _condition(attribute, value, empty_matching=False)
        stated = self.conditions.get(attribute.path)
        if stated is not None and condition is not None:
            kept = tuple(text for text in condition.texts if text in stated.texts)
            condition = Condition(attribute, kept)
        if condition is not None:
            self.conditions[attribute.path] = condition


def parse_query(parameters: Iterable[tuple[str, str]], level: Level) -> Query:
    """Parse decoded query parameters.

    Args:
        level: of the results. Keys of the levels above are relational; keys of the levels below are not supported, as
            PS3.4 section C.4.1.2.2.1 has it, except that ModalitiesInStudy is a key of the study.

    Raises:
        InvalidQuery: for a key or value that is malformed. Attributes that exist but cannot be searched are left out,
            with a warning.
    """
    pairs = [(name.strip(), value) for name, value in parameters]
    query = Query()
    settings = {name: value for name, value in pairs if name in _PARAMETERS}
    query.fuzzy = _boolean(settings, "fuzzymatching")
    empty_matching = _boolean(settings, "emptyvaluematching")
    _boolean(settings, "multiplevaluematching")  # lists are matched in any case
    query.limit = _count(settings, "limit", DEFAULT_RESULTS, MAX_RESULTS)
    query.offset = _count(settings, "offset", 0, MAX_OFFSET + 1)
    if query.offset > MAX_OFFSET:
        raise InvalidQuery(f"offset is at most {MAX_OFFSET}: narrow the query instead")
    for name, value in pairs:
        if name == "includefield":
            _include(query, value, level)
        elif name not in _PARAMETERS:
            _add_condition(query, name, value, level, empty_matching)
    return query


_PARAMETERS = frozenset(
    {"fuzzymatching", "emptyvaluematching", "multiplevaluematching", "limit", "offset", "includefield"}
    | {"accept", "charset"}  # of content negotiation, PS3.18 section 8.3.3
)


def _boolean(settings: dict[str, str], name: str) -> bool:
    text = settings.get(name, "false").strip().lower()
    if text not in ("true", "false", ""):
        raise InvalidQuery(f"{name} is true or false")
    return text == "true"


def _count(settings: dict[str, str], name: str, default: int, maximum: int) -> int:
    text = settings.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 19:
        raise InvalidQuery(f"{name} is a whole number from 0")
    return min(int(text), maximum)


def _include(query: Query, value: str, level: Level) -> None:
    for name in value.split(","):
        if not name.strip():
            continue
        if name.strip().lower() == "all":
            query.include_all = True
            continue
        attribute = _attribute(name.strip())
        if attribute is None or attribute.level > level:
            query.warnings.append(f"The attribute {name.strip()} is not available and was not included")
        else:
            query.included.add(attribute.path)


def _add_condition(query: Query, name: str, value: str, level: Level, empty_matching: bool) -> None:
    attribute = _attribute(name)
    if attribute is None or attribute.level > level or not attribute.searchable:
        where = f" at the {level.name.lower()} level" if attribute else ""
        query.warnings.append(f"The attribute {name} is not supported for matching{where} and was ignored")
        return
    query.included.add(attribute.path)
    condition = _condition(attribute, value, empty_matching=empty_matching)
    if condition is None:
        return
    stated = query.conditions.get(attribute.path)
    if stated is not None:
        if not (stated.texts and attribute.form in (Form.UID, Form.CODE)):
            raise InvalidQuery(f"{name} is given twice: give it once")
        condition = Condition(attribute, _limited(attribute, (*stated.texts, *condition.texts)))
    query.conditions[attribute.path] = condition


def _attribute(name: str) -> Attribute | None:
    """Look up an attribute by keywords or tags, parts joined by dots; None if it exists but is not supported.

    Raises:
        InvalidQuery: if it is malformed.
    """
    parts = name.split(".")
    tags = [_tag(part, name) for part in parts]
    if any(tag is None for tag in tags):
        if len(parts) > 1:
            raise InvalidQuery(f"{_shown(name)} is not a path of DICOM keywords or tags, such as 00400275.00400009")
        return None
    for tag, part in zip(tags[:-1], parts[:-1], strict=True):
        if not _is_sequence(tag or 0):
            raise InvalidQuery(f"{_shown(part)} is not a sequence, so it contains no other attribute")
    return BY_TAGS.get(tuple(tag or 0 for tag in tags))


def _tag(part: str, name: str) -> int | None:
    if _TAG.fullmatch(part):
        return int(part, 16)
    if not _NAME.fullmatch(part):
        raise InvalidQuery(f"{_shown(name)} is not a DICOM keyword or a tag of eight hexadecimal digits")
    return tag_for_keyword(part)


def _is_sequence(tag: int) -> bool:
    try:
        return dictionary_VR(tag) == "SQ"
    except KeyError:
        return bool((tag >> 16) & 1)  # unknown private attributes may be


def _shown(text: str) -> str:
    """Shorten and clean a text of the client for a message."""
    return "".join(character if character.isprintable() else "?" for character in text[:64])


def _condition(attribute: Attribute, value: str, *, empty_matching: bool) -> Condition | None:
    """Parse a value; None for universal matching (PS3.4 section C.2.2.2.3)."""
    if attribute.form not in (Form.UID, Form.CODE) and len(value) > MAX_VALUE_LENGTH:
        raise InvalidQuery(f"the value of {attribute.path} is longer than {MAX_VALUE_LENGTH} characters")
    value = value.strip(" ")
    if value == EMPTY and empty_matching:
        return Condition(attribute, empty=True)
    if not value or (attribute.form in (Form.TEXT, Form.NAME, Form.CODE) and not value.strip("*")):
        return None
    return _PARSERS[attribute.form](attribute, value)


def _uids(attribute: Attribute, value: str) -> Condition:
    texts = _split(value)
    for text in texts:
        if not _UID.fullmatch(text):
            raise InvalidQuery(
                f"{attribute.path}: {_shown(text)} is not a UID; several are separated by commas, without wildcards"
            )
    return Condition(attribute, _limited(attribute, texts))


def _split(value: str) -> tuple[str, ...]:
    return tuple(text.strip() for text in re.split(r"[,\\]", value) if text.strip())


def _limited(attribute: Attribute, texts: Sequence[str]) -> tuple[str, ...]:
    unique = tuple(dict.fromkeys(texts))
    if not unique:
        raise InvalidQuery(f"{attribute.path} lists no value")
    if len(unique) > MAX_VALUES:
        raise InvalidQuery(f"{attribute.path} lists more than {MAX_VALUES} values: send several queries")
    return unique


def _codes(attribute: Attribute, value: str) -> Condition:
    texts = _limited(attribute, _split(value.upper()))
    if any(len(text) > 64 for text in texts):
        raise InvalidQuery(f"{attribute.path}: a value is longer than 64 characters")
    return Condition(attribute, texts)


def _texts(attribute: Attribute, value: str) -> Condition:
    return Condition(attribute, (value,))


def _numbers(attribute: Attribute, value: str) -> Condition:
    if not _NUMBER.fullmatch(value):
        raise InvalidQuery(f"{attribute.path} is a whole number, not {_shown(value)}")
    return Condition(attribute, numbers=(int(value),))


def _dates(attribute: Attribute, value: str) -> Condition:
    first, last, is_range = _range(attribute, value)
    return Condition(attribute, dates=Dates(_date(attribute, first), _date(attribute, last), is_range))


def _range(attribute: Attribute, value: str) -> tuple[str, str, bool]:
    """Split a range, PS3.4 section C.2.2.2.5: ``a-b``, ``a-`` or ``-b``."""
    first, hyphen, last = (part.strip() for part in value.partition("-"))
    if not hyphen:
        return first, first, False
    if "-" in last or not (first or last):
        raise InvalidQuery(_FORMATS[attribute.form].format(attribute.path))
    return first, last, True


_FORMATS = {
    Form.DATE: "{} is a date YYYYMMDD or a range of them: 20260101-20260131, 20260101- or -20260131",
    Form.TIME: "{} is a time HHMMSS, HHMM or HH or a range of them: 0800-1200, 0800- or -1200",
}


def _date(attribute: Attribute, text: str) -> date | None:
    if not text:
        return None
    try:
        if _DATE.fullmatch(text):
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        pass
    raise InvalidQuery(_FORMATS[Form.DATE].format(attribute.path))


def _times(attribute: Attribute, value: str) -> Condition:
    first, last, is_range = _range(attribute, value)
    earliest, latest = _time(attribute, first, late=False), _time(attribute, last, late=True)
    return Condition(attribute, times=Times(earliest, latest, is_range))


def _time(attribute: Attribute, text: str, *, late: bool) -> time | None:
    """Read a time; what is left out of it counts as the earliest or latest possible."""
    if not text:
        return None
    match = _TIME.fullmatch(text)
    if match is not None:
        hour, minute, second, fraction = match.groups()
        try:
            return time(
                int(hour),
                int(minute or (59 if late else 0)),
                min(int(second or (59 if late else 0)), 59),  # 60: a leap second
                int((fraction or "").ljust(6, "9" if late else "0")),
            )
        except ValueError:
            pass
    raise InvalidQuery(_FORMATS[Form.TIME].format(attribute.path))


_PARSERS = {
    Form.UID: _uids,
    Form.CODE: _codes,
    Form.TEXT: _texts,
    Form.NAME: _texts,
    Form.NUMBER: _numbers,
    Form.DATE: _dates,
    Form.TIME: _times,
}
