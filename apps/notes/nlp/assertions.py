"""What a note says of each of its findings: present, absent, possible, somebody else's …

The idea is ConText's (Harkema, Dowling, Thornblade and Chapman, J Biomed Inform 42, 2009): a trigger has a scope in its
sentence, which ends at certain words or at another trigger. Added are form fields ("Smoking: No", check boxes), clauses
without a conjunction ("No fever, has cough"), scopes of persons that differ from those of certainty, and Chinese.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

from apps.notes.nlp.form_fields import answers
from apps.notes.nlp.tokens import Tokens, sentences, tokens
from apps.notes.nlp.triggers import (
    ADJACENT,
    BACKWARD,
    FORWARD,
    LOCAL,
    PERSON_STOP,
    SEGMENT,
    STOP,
    VERB,
    Trigger,
    triggers_of,
)

PRESENT, ABSENT, POSSIBLE, CONDITIONAL = "present", "absent", "possible", "conditional"
HYPOTHETICAL, HISTORICAL, FAMILY, OTHER = "hypothetical", "historical", "family", "other-person"
ASSERTIONS = (PRESENT, ABSENT, POSSIBLE, CONDITIONAL, HYPOTHETICAL, HISTORICAL, FAMILY, OTHER)
RESOLVED = "resolved"
"""Of the past because it has gone; what is said outside is HISTORICAL."""
CERTAINTY = frozenset({ABSENT, POSSIBLE, CONDITIONAL, HYPOTHETICAL})
PERSONS = frozenset({FAMILY, OTHER})
_ANSWERS = {"yes": PRESENT, "no": ABSENT, "unknown": POSSIBLE}
_LASTING = re.compile(
    r"\b(?:for|over|since|past|last|x)\s+(?:the\s+)?(?:past\s+|last\s+)?(?:\d+|one|two|three|four|five|six|several|a few)"
    r"[\w\s-]{0,12}\b(?:hours?|days?|weeks?)\b",
    re.IGNORECASE,
)
"""Durations of the present illness: "history of swelling for four days" is current, not historical."""
_LOCAL_ENDS = frozenset(
    re.split(r"\s", "; ； , ， in within at on from with for to by along after before during the this assuming that")
)
_MAIN_CLAUSE = frozenset({",", "，", "but", "however", "although", "though", "；", "。", "但"})
_SINGULAR = frozenset({"is", "was", "has", "resolved"})
"""First words of triggers that say something of the last clause only ("Cough persists, fever has resolved")."""
_NO_FINDING = frozenset(
    {"for", "and", "or", "in", "on", "with", "by", "to", "at", "as", "but", "is", "was", ".", ",", ";"}
)
"""Words after "negative" that begin no finding."""
_ZH_ENDS = frozenset("，。；、,;.）)")
_ZH_ITEM = re.compile(r"^[^，。；,;]{1,12}(?:史|病|症|炎|癌|等)(?:[，。；,;]|$)")
_ZH_BARE = re.compile(r"^[A-Za-z0-9\s]*(?:检查|造影|提示|复查|后|结果|均|已|示|CT|MRI|B超|超声|胸片|检测|目前|现)*$")


@dataclass(frozen=True)
class Scope:
    """Where an assertion holds: tokens ``[start, end)``, because of the trigger at ``cause``."""

    assertion: str
    start: int
    end: int
    cause: int
    adjacent: bool = False

    @property
    def is_ahead(self) -> bool:
        """Whether the trigger stands before its scope."""
        return self.cause < self.start

    def covers(self, first: int, end: int) -> bool:
        """Whether the mention of the tokens ``[first, end)`` is in the scope; its trigger may overlap the mention."""
        if self.adjacent:
            return self.end == end
        return first < self.end and (self.cause < first if self.is_ahead else self.start < end)


@dataclass
class Context:
    """The assertions of a text.

    Attributes:
        tokens: of the text.
        sentences: start and end offsets.
    """

    text: str
    language: str
    tokens: Tokens
    sentences: list[tuple[int, int]]
    fields: list[tuple[int, int, str]]
    _scopes: dict[int, list[Scope]] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str, language: str) -> Context:
        """Read a text in ``en`` or ``zh``."""
        return cls(
            text,
            language,
            tokens(text),
            sentences(text),
            [(start, end, _ANSWERS[answer]) for start, end, answer in answers(text)],
        )

    def sentence_at(self, offset: int) -> tuple[int, int]:
        """Start and end of the sentence around an offset."""
        index = bisect_right(self.sentences, (offset, len(self.text) + 1)) - 1
        return self.sentences[index] if index >= 0 else (0, len(self.text))

    def flags(self, start: int, end: int) -> list[Scope]:
        """All scopes around the mention ``text[start:end]``."""
        sentence = self.sentence_at(start)
        if sentence[0] not in self._scopes:
            self._scopes[sentence[0]] = _sentence_scopes(self, sentence)
        first, after = self.tokens.at(start), self.tokens.at(end)
        return [scope for scope in self._scopes[sentence[0]] if scope.covers(first, after)]

    def assertion(self, start: int, end: int, *, section: str = "") -> str:
        """The one assertion that holds of the mention ``text[start:end]``.

        Args:
            section: name of the enclosing section; in a family history every finding is the family's.
        """
        answer = self._answer(start, end)
        scopes = self.flags(start, end)
        if answer == PRESENT:
            scopes = [scope for scope in scopes if scope.assertion not in CERTAINTY]
        elif answer:
            scopes = [scope for scope in scopes if scope.assertion != PRESENT]
            scopes = [Scope(answer, 0, 0, 0), *scopes]
        verdict = combine(scopes)
        if section == "family" and verdict in (PRESENT, HISTORICAL, POSSIBLE):
            return FAMILY
        if section == "past" and verdict == PRESENT:
            return HISTORICAL
        return verdict

    def is_of_others(self, start: int, end: int) -> bool:
        """Whether the text speaks of other persons at the mention, be it to deny ("no family history of")."""
        return any(scope.assertion in PERSONS for scope in self.flags(start, end))

    def is_doubtful(self, start: int, end: int) -> bool:
        """Whether the text doubts the mention, whoever's it is."""
        return any(scope.assertion == POSSIBLE for scope in self.flags(start, end))

    def resolved(self, start: int, end: int) -> bool:
        """Whether the text says that the mention ``text[start:end]`` has gone."""
        return any(scope.assertion == RESOLVED for scope in self.flags(start, end))

    def _answer(self, start: int, end: int) -> str:
        """What the form field or the check box around a mention says; empty if it is in none."""
        index = bisect_right(self.fields, (start, len(self.text) + 1, "")) - 1
        if index >= 0 and end <= self.fields[index][1]:
            return self.fields[index][2]
        return ""


def combine(scopes: list[Scope]) -> str:
    """Choose the one assertion that a mention in these scopes has.

    Whose it is comes first, unless a family history is denied as a whole; then whether it is; then when it was.
    """
    causes = {scope.assertion: scope.cause for scope in reversed(scopes)}
    if RESOLVED in causes:
        causes.setdefault(HISTORICAL, causes[RESOLVED])
    ahead = {scope.assertion for scope in scopes if scope.is_ahead}
    if OTHER in causes:
        return OTHER
    if FAMILY in causes:
        relative = max(scope.cause for scope in scopes if scope.assertion == FAMILY)
        return ABSENT if causes.get(ABSENT, relative + 1) <= relative else FAMILY
    for assertion in (CONDITIONAL, HYPOTHETICAL):
        if assertion in ahead and causes[assertion] <= causes.get(ABSENT, causes[assertion]):
            return assertion
    if _affirmed(scopes):
        causes = {name: cause for name, cause in causes.items() if name not in CERTAINTY}
    return next((name for name in (ABSENT, CONDITIONAL, HYPOTHETICAL, POSSIBLE, HISTORICAL) if name in causes), PRESENT)


def _affirmed(scopes: list[Scope]) -> bool:
    """Whether an affirmation overrules the doubts and denials: "no fever, cough is present", not "no mass is present"."""
    doubts = [scope for scope in scopes if scope.assertion in CERTAINTY]
    return any(
        all(doubt.cause < (scope.start if doubt.is_ahead and not scope.is_ahead else scope.cause) for doubt in doubts)
        for scope in scopes
        if scope.assertion == PRESENT
    )


def _sentence_scopes(context: Context, sentence: tuple[int, int]) -> list[Scope]:
    words = context.tokens
    first, end = words.at(sentence[0]), bisect_left(words.starts, sentence[1])
    triggers = [Trigger(*found) for found in triggers_of(context.language, limits=False).find(words.keys, first, end)]
    limits = [Trigger(*found) for found in triggers_of(context.language, limits=True).find(words.keys, first, end)]
    if context.language == "en" and _LASTING.search(context.text, sentence[0], sentence[1]):
        triggers = [row for row in triggers if row.effects != ((HISTORICAL, FORWARD),)]
    line = _Line(context, first, end, triggers, limits + _headings(context, first, end))
    return [scope for number, trigger in enumerate(triggers) for scope in line.scopes(number, trigger)]


def _headings(context: Context, first: int, end: int) -> list[Trigger]:
    """Headings in capitals within a sentence ("WITHOUT CONTRAST CLINICAL HISTORY: …") end every scope."""
    words, text = context.tokens, context.text
    rows = []
    for colon in range(first + 1, end):
        if words.words[colon] == ":":
            start = colon
            while start > first and text[words.starts[start - 1] : words.ends[start - 1]].isupper():
                start -= 1
            if start < colon and words.ends[colon - 1] - words.starts[start] > 3:
                rows += [Trigger(start, colon + 1, ((STOP, ""),)), Trigger(start, colon + 1, ((PERSON_STOP, ""),))]
    return rows


@dataclass(frozen=True)
class _Line:
    """One sentence, its tokens ``[first, end)``, its triggers and what limits their scopes."""

    context: Context
    first: int
    end: int
    triggers: list[Trigger]
    limits: list[Trigger]

    def scopes(self, number: int, trigger: Trigger) -> list[Scope]:
        """The scopes of the trigger ``triggers[number]``."""
        rows = []
        for name, direction in trigger.effects:
            if direction in (FORWARD, LOCAL) and self._is_answer(trigger):
                continue
            if direction in (FORWARD, LOCAL):
                rows.append(Scope(name, trigger.end, self._forward(number, name, direction), trigger.start))
            elif direction in (BACKWARD, SEGMENT) and not self._is_forward(trigger):
                rows.append(Scope(name, self._backward(trigger, direction), trigger.start, trigger.start))
            elif direction == ADJACENT:
                start = self._backward(trigger, SEGMENT)
                rows.append(Scope(name, start, trigger.start, trigger.start, adjacent=True))
        return rows

    def _is_answer(self, trigger: Trigger) -> bool:
        """Whether a "negative" belongs to what stands before it ("HIV negative") and not to what follows it."""
        words = self.context.tokens.words
        if words[trigger.start : trigger.end] != ["negative"]:
            return False
        leads = trigger.start == self.first or words[trigger.start - 1] in ",:;，：and"
        return not leads or (trigger.end < self.end and words[trigger.end] in _NO_FINDING)

    def _is_forward(self, trigger: Trigger) -> bool:
        """Chinese: whether a word that denies in both directions has what it denies behind it ("未见气胸")."""
        words = self.context.tokens.words
        both = any(direction == FORWARD for _name, direction in trigger.effects)
        return self.context.language == "zh" and both and trigger.end < self.end and words[trigger.end] not in _ZH_ENDS

    def _forward(self, number: int, name: str, direction: str) -> int:
        """End of the forward scope of the trigger ``triggers[number]``."""
        words, trigger = self.context.tokens.words, self.triggers[number]
        ends = [row.start for row in self.limits if row.start >= trigger.end and self._limits_forward(row, name)]
        ends += [other.start for other in self.triggers[number + 1 :] if self._restarts(other, name)]
        end = min(ends, default=self.end)
        if self.context.language == "zh" and name == ABSENT:
            end = self._listed(trigger, end)
        marks = _LOCAL_ENDS if direction == LOCAL else ";；"
        return next((index for index in range(trigger.end, end) if words[index] in marks), end)

    def _limits_forward(self, limit: Trigger, name: str) -> bool:
        """Whether a limit ends forward scopes of an assertion; "if there is fever" goes on to the main clause."""
        if name == CONDITIONAL:
            return self.context.tokens.words[limit.start] in _MAIN_CLAUSE
        return limit.limits(PERSON_STOP) or (limit.limits(STOP) and name not in PERSONS)

    def _restarts(self, other: Trigger, name: str) -> bool:
        """Whether a later trigger says something else, after a comma, of what follows ("no fever, possible flu")."""
        if name not in CERTAINTY or self.context.tokens.words[other.start - 1] not in (",", "and", "but"):
            return False
        others = (CERTAINTY | PERSONS) - {name}
        return any(effect in others and direction == FORWARD for effect, direction in other.effects)

    def _listed(self, trigger: Trigger, limit: int) -> int:
        """Chinese: a denial goes on over commas while what follows are bare items ("否认高血压，糖尿病，冠心病史")."""
        context, words = self.context, self.context.tokens
        if "".join(words.words[trigger.start : trigger.end]) not in ("否认", "否认有", "否认既往", "未患", "从无"):
            return limit
        while limit < self.end and words.words[limit] in "，,":
            rest = context.text[words.ends[limit] : words.ends[self.end - 1]]
            item = _ZH_ITEM.match(rest)
            if item is None or re.search(r"[有为示见行予伴患无未否]", item[0]):
                return limit
            following = words.at(words.ends[limit] + item.end() - (item[0][-1] in "，。；,;"))
            limit = min(max(following, limit + 1), self.end)
        return limit

    def _backward(self, trigger: Trigger, direction: str) -> int:
        """First token of a backward scope."""
        words = self.context.tokens.words
        before = [limit for limit in self.limits if self._limits_backward(limit, trigger)]
        last = max(before, key=lambda limit: limit.end, default=None)
        start = last.end if last else self.first
        singular = words[trigger.start] in _SINGULAR
        if singular and last and last.limits(VERB):
            return self._last_item(start, trigger.start)
        marks = ";；:：,，" if direction == SEGMENT or singular else ";；:："
        cut = next((index + 1 for index in range(trigger.start - 1, start - 1, -1) if words[index] in marks), start)
        return start if singular and words[cut] in ("and", "or") else cut

    def _limits_backward(self, limit: Trigger, trigger: Trigger) -> bool:
        """Whether a limit ends the trigger's backward scope; the trigger's own auxiliary ("was not heard") does not."""
        auxiliary = limit.limits(VERB) and limit.end == trigger.start
        return limit.end <= trigger.start and not auxiliary and not self._carries_over(limit, trigger)

    def _last_item(self, start: int, end: int) -> int:
        """Where the last item of a list begins: "She has asthma and pneumonia was ruled out"."""
        words = self.context.tokens.words
        return next((index + 1 for index in range(end - 1, start - 1, -1) if words[index] in (",", "and")), start)

    def _carries_over(self, stop: Trigger, trigger: Trigger) -> bool:
        """Chinese: "怀疑肺栓塞，CTPA已排除" denies what stands before the comma."""
        words = self.context.tokens
        if self.context.language != "zh" or words.words[stop.start] not in ("，", ","):
            return False
        if not re.search("排除|除外", "".join(words.words[trigger.start : trigger.end])):
            return False
        return bool(_ZH_BARE.match(self.context.text[words.ends[stop.end - 1] : words.starts[trigger.start]]))
