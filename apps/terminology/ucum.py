"""Parser of UCUM unit expressions, as far as laboratories, monitors and wards use them.

A unit is a factor times powers of base dimensions. Milliequivalents have a dimension of their own, because an amount
follows from a charge only with the analyte's valence. Annotations in braces count as 1, as UCUM requires.

Source: The Unified Code for Units of Measure, version 2.1, sections 2 to 4 (ucum.org).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

PREFIXES = {
    "T": 1e12, "G": 1e9, "M": 1e6, "k": 1e3, "h": 1e2, "d": 1e-1, "c": 1e-2, "m": 1e-3, "u": 1e-6, "n": 1e-9,
    "p": 1e-12, "f": 1e-15,
}  # fmt: skip
MOL, G, M, S, EQ, TEMPERATURE, ARBITRARY = "mol", "g", "m", "s", "eq", "temperature", "arbitrary"
_PASCAL = (1e3, {G: 1, M: -1, S: -2})
_UNIT_OF_ACTIVITY = (1e-6 / 60, {MOL: 1, S: -1})
METRIC: dict[str, tuple[float, dict[str, int]]] = {
    "g": (1, {G: 1}),
    "mol": (1, {MOL: 1}),
    "osm": (1, {MOL: 1}),
    "eq": (1, {EQ: 1}),
    "m": (1, {M: 1}),
    "L": (1e-3, {M: 3}),
    "l": (1e-3, {M: 3}),
    "s": (1, {S: 1}),
    "Pa": _PASCAL,
    "bar": (1e8, _PASCAL[1]),
    "m[Hg]": (133.322387e6, _PASCAL[1]),
    "m[H2O]": (9.80665e6, _PASCAL[1]),
    "U": _UNIT_OF_ACTIVITY,
    "[IU]": _UNIT_OF_ACTIVITY,
    "[iU]": _UNIT_OF_ACTIVITY,
    "kat": (1, {MOL: 1, S: -1}),
    "K": (1, {TEMPERATURE: 1}),
    "Cel": (1, {TEMPERATURE: 1}),
}
"""Units that take a prefix. International units are read as enzyme units: laboratories write either for both."""
OTHER: dict[str, tuple[float, dict[str, int]]] = {
    "%": (1e-2, {}),
    "[ppth]": (1e-3, {}),
    "[ppm]": (1e-6, {}),
    "min": (60, {S: 1}),
    "h": (3600, {S: 1}),
    "d": (86400, {S: 1}),
    "wk": (604800, {S: 1}),
    "mo": (2629800, {S: 1}),
    "a": (31557600, {S: 1}),
    "[degF]": (5 / 9, {TEMPERATURE: 1}),
    "[lb_av]": (453.59237, {G: 1}),
    "[oz_av]": (28.349523125, {G: 1}),
    "[stone_av]": (6350.29318, {G: 1}),
    "[in_i]": (0.0254, {M: 1}),
    "[ft_i]": (0.3048, {M: 1}),
    "[arb'U]": (1, {ARBITRARY: 1}),
    "[pH]": (1, {"pH": 1}),
    "[HPF]": (1, {"field": 1}),
    "[LPF]": (100, {"field": 1}),
}
"""Units without prefixes."""
_TOKEN = re.compile(
    r"(?P<power>10[*^][+-]?\d+)|(?P<integer>\d+)|(?P<note>\{[^{}]*\})|(?P<operator>[./()])|"
    r"(?P<atom>%|(?:[A-Za-z]|\[[^\]]*\])+)(?P<exponent>[+-]?\d+)?"
)


class NotUcum(ValueError):
    """A text that is no UCUM expression, or uses a unit that is not known here."""


@dataclass(frozen=True)
class Unit:
    """A factor to base units (gram, mole, equivalent, metre, second, kelvin) and the exponents of these."""

    factor: float
    dimensions: tuple[tuple[str, int], ...] = ()

    def exponent(self, dimension: str) -> int:
        """Return the exponent of a base dimension, 0 if it does not occur."""
        return dict(self.dimensions).get(dimension, 0)

    def times(self, other: Unit, sign: int) -> Unit:
        """Multiply by (sign 1) or divide by (sign -1) another unit."""
        exponents = Counter(dict(self.dimensions))
        for name, exponent in other.dimensions:
            exponents[name] += sign * exponent
        kept = tuple(sorted((name, exponent) for name, exponent in exponents.items() if exponent))
        return Unit(self.factor * other.factor**sign, kept)


ONE = Unit(1.0)


@lru_cache(maxsize=2048)
def parse(text: str) -> Unit:
    """Parse a case-sensitive UCUM expression such as ``10*3/uL`` or ``mL/min/{1.73_m2}``.

    Raises:
        NotUcum: if it is none.
    """
    if len(text) > 60:
        raise NotUcum(text)
    tokens, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise NotUcum(text)
        tokens.append(match)
        at = match.end()
    unit, rest = _term(tokens, text)
    if rest:
        raise NotUcum(text)
    return unit


def _term(tokens: list[re.Match[str]], text: str) -> tuple[Unit, list[re.Match[str]]]:
    """Read components joined by ``.`` and ``/`` up to the end or a closing parenthesis."""
    unit, sign, expected = ONE, 1, True
    if tokens and tokens[0][0] == "/":
        sign, tokens = -1, tokens[1:]
    while tokens and tokens[0][0] != ")":
        token, tokens = tokens[0], tokens[1:]
        if token["operator"] in (".", "/"):
            if expected:
                raise NotUcum(text)
            sign, expected = (1 if token[0] == "." else -1), True
            continue
        if token["note"]:  # annotates what stands before it; alone it is 1
            expected = False
            continue
        if not expected:
            raise NotUcum(text)
        component, tokens = _component(token, tokens, text)
        unit, expected = unit.times(component, sign), False
    if expected:
        raise NotUcum(text)
    return unit, tokens


def _component(token: re.Match[str], tokens: list[re.Match[str]], text: str) -> tuple[Unit, list[re.Match[str]]]:
    if token[0] == "(":
        unit, tokens = _term(tokens, text)
        if not tokens:
            raise NotUcum(text)
        return unit, tokens[1:]
    if token["power"]:
        return Unit(10.0 ** int(re.split(r"[*^]", token[0])[1])), tokens
    if token["integer"]:
        if int(token[0]) == 0:
            raise NotUcum(text)
        return Unit(float(token[0])), tokens
    atom = _atom(token["atom"], text)
    exponent = int(token["exponent"] or 1)
    return Unit(atom.factor**exponent, tuple((name, power * exponent) for name, power in atom.dimensions)), tokens


def _atom(name: str, text: str) -> Unit:
    if name in OTHER:
        factor, dimensions = OTHER[name]
    elif name in METRIC:
        factor, dimensions = METRIC[name]
    elif name[0] in PREFIXES and name[1:] in METRIC:
        factor, dimensions = METRIC[name[1:]]
        factor *= PREFIXES[name[0]]
    elif name.startswith("da") and name[2:] in METRIC:
        factor, dimensions = METRIC[name[2:]]
        factor *= 10
    else:
        raise NotUcum(text)
    return Unit(factor, tuple(sorted(dimensions.items())))
