"""Assertion status of mentions (negated, uncertain, historical, family): the ConText algorithm.

After Harkema, Dowling, Thornblade and Chapman, "ConText: an algorithm for determining negation, experiencer, and
temporal status from clinical reports", J Biomed Inform 42 (2009). A trigger's scope extends forward or backward in its
sentence up to a termination term or another trigger of its kind; pseudo-triggers have no scope.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from typing import Any

import spacy
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

ASSERTIONS = ("negated", "uncertain", "historical", "family")
FORWARD, BACKWARD, BOTH, PSEUDO, STOP = "forward", "backward", "both", "pseudo", "stop"

TRIGGERS: dict[str, dict[tuple[str, str], str]] = {
    "en": {
        ("negated", FORWARD): (
            "no|not|denies|denied|denying|deny|without|never|negative for|free of|absence of|no evidence of|no sign of|"
            "no signs of|no known|no further|did not|does not|do not|has not|have not|had not|was not|were not|is not|"
            "are not|no history of|no recent history of|no risk of|no longer|none of|ruled out for|rules out|lack of|"
            "negative with|was negative for|is negative for|were negative for|is negative|no family history of|unremarkable for|fails to reveal|failed to reveal|with no"
        ),
        ("negated", BACKWARD): (
            "absent|was negative|were negative|ruled out|not seen|not identified|not present|not noted|"
            "not demonstrated|not appreciated|not detected|has resolved|have resolved|resolved|: none"
        ),
        ("negated", PSEUDO): (
            "no change|no significant change|no interval change|no increase|no decrease|not only|not certain|not sure|"
            "not necessarily|without difficulty|without complication|without complications|gram negative|so as not to|"
            "not cause|not drain|no new|does not know|did not know|does not recall|margin is positive|no doubt|"
            "cannot exclude|cannot rule out|can not exclude|cannot be excluded|can not be excluded|not excluded|not ruled out|"
            "not limited to"
        ),
        ("uncertain", FORWARD): (
            "possible|possibly|probable|probably|likely|suspected|suspect|suspicious for|suspicion of|suspicion for|"
            "questionable|question of|may have|may be|may represent|may|might|could be|could represent|concern for|"
            "concerning for|worrisome for|rule out|to rule out|r/o|cannot exclude|cannot rule out|can not exclude|"
            "cannot be excluded|risk of|risks of|risk for|at risk for|evaluate for|differential includes|presumed|"
            "potential for|potential|in case of|if|whether|risk included|risks include|risks included|to prevent|prevent|"
            "help decrease|low probability of|equivocal for"
        ),
        ("uncertain", BACKWARD): (
            "is possible|are possible|is suspected|was suspected|not excluded|cannot be excluded|can not be excluded|"
            "is likely|is probable|unlikely|is questioned|questionable|not ruled out|is considered|suspected"
        ),
        ("uncertain", BOTH): "versus|vs|vs.",
        (
            "uncertain",
            PSEUDO,
        ): "no risk of|as possible|if any|as soon as possible|likely to be discharged|possible etiologies",
        ("historical", FORWARD): (
            "history of|past history of|past medical history of|known history of|h/o|previous|prior|previously|"
            "status post|s/p|history significant for|history includes|past episodes of|remote|history is significant for"
        ),
        ("historical", BACKWARD): "years ago|year ago|months ago|in the past|in childhood|as a child|last year",
        ("historical", PSEUDO): (
            "history of present illness|brief history|no history of|family history of|family history|history and physical|"
            "recent history of|prior to|social history|long history of|year history of|longstanding history of|the history of|any history of|"
            "a history of intermittent|history of some"
        ),
        ("family", FORWARD): (
            "mother|father|brother|sister|grandmother|grandfather|grandparents|aunt|uncle|cousin|siblings|sibling|"
            "family history|maternal|paternal|parents|mother's|father's|in the family|father side|mother side|"
            "family history of|at home"
        ),
        (
            "family",
            BACKWARD,
        ): "at home|runs in the family|in the family|in his family|in her family|in both grandfathers",
        (
            "family",
            PSEUDO,
        ): "family denies|family states|mother states|mother denies|mother reports|by the mother|by mother",
        ("any", STOP): (
            "but|however|although|though|except|except for|other than|aside from|apart from|with the exception of|"
            "which|who|secondary to|due to|because|because of|presents with|presented with|presents for|complains of|"
            "complained of|complaining of|was found to have|is found to have|reported|reports|yet|still|nevertheless|"
            "continues to have|underwent|instead|he did have|she did have|he has a|she has a|there is a|and he had|"
            "and she had|when|consistent with|presents today"
        ),
    },
    "zh": {
        (
            "negated",
            FORWARD,
        ): "无|未见|未及|未闻及|未触及|否认|没有|未发现|不伴|未出现|排除|无明显|未见明显|未诉|不支持",
        ("negated", BACKWARD): "阴性|已排除|不明显|已消失|消失|(-)|（-）",
        ("negated", PSEUDO): "无法排除|不能排除|不除外|无变化|无明显变化|未排除|未除外|无诱因|无明显诱因",
        ("uncertain", FORWARD): "可能|疑似|怀疑|考虑|待排|可疑|疑|不能排除|无法排除|不除外|未排除|未除外|似有|警惕",
        ("uncertain", BACKWARD): "可能|待排|可能性大|不除外|不能排除|？|待查|待除外",
        ("uncertain", PSEUDO): "尽可能",
        ("historical", FORWARD): "既往|曾患|曾有|病史|陈旧性|以前|史：",
        ("historical", BACKWARD): "病史|史|年前",
        ("historical", PSEUDO): "现病史|家族史|个人史|病史特点|病史采集",
        ("family", FORWARD): "父亲|母亲|父母|兄弟|姐妹|祖父|祖母|外祖父|外祖母|家族史|家族中|家属中",
        ("family", BACKWARD): "家族史",
        ("family", PSEUDO): "母亲诉|父亲诉|家属诉|家属否认",
        ("any", STOP): "但|但是|然而|，|；|。|,|;|而|伴有|除外",
    },
}
_LASTING = re.compile(
    r"\b(?:for|over|since|past|last)\s+(?:the\s+)?(?:past\s+|last\s+)?(?:\d+|one|two|three|four|five|six|several|a few)"
    r"[\w\s-]{0,12}\b(?:hours?|days?|weeks?|months?)\b",
    re.IGNORECASE,
)
"""Durations of the present illness: "history of swelling for four days" is current, not historical."""


@dataclass(frozen=True)
class Trigger:
    """A ConText trigger covering the tokens ``[start, end)``."""

    assertion: str
    direction: str
    start: int
    end: int


@cache
def language(code: str) -> Any:
    """Blank spaCy pipeline with tokenizer and sentence splitter; Chinese is tokenised by character."""
    pipeline = spacy.blank(code)
    pipeline.add_pipe(
        "sentencizer", config={"punct_chars": [".", "!", "?", "。", "！", "？"] if code == "zh" else None}
    )
    pipeline.max_length = 6_000_000
    return pipeline


@cache
def _matcher(code: str) -> PhraseMatcher:
    pipeline = language(code)
    matcher = PhraseMatcher(pipeline.vocab, attr="LOWER")
    for (assertion, direction), phrases in TRIGGERS[code].items():
        matcher.add(f"{assertion} {direction}", [pipeline.make_doc(phrase) for phrase in phrases.split("|")])
    return matcher


def triggers(doc: Doc, code: str) -> list[Trigger]:
    """Return all triggers in order of position; the longest match wins within an assertion."""
    by_kind: dict[str, list[Span]] = {}
    for number, start, end in _matcher(code)(doc):
        name = doc.vocab.strings[number]
        by_kind.setdefault(name.split()[0], []).append(Span(doc, start, end, label=name))
    longest = [span for spans in by_kind.values() for span in filter_spans(spans)]
    # "Not seen" scopes backward and "not" forward: if both start at the same token, filter_spans keeps the longer one.
    return sorted((_trigger(span) for span in longest), key=lambda t: t.start)


def _trigger(span: Span) -> Trigger:
    assertion, direction = span.label_.split()
    return Trigger(assertion, direction, span.start, span.end)


def assertions(doc: Doc, code: str) -> list[frozenset[str]]:
    """Return for each token the subset of ASSERTIONS in whose scope it is."""
    by_token: list[set[str]] = [set() for _ in doc]
    ordered = triggers(doc, code)
    starts = [trigger.start for trigger in ordered]
    for sentence in doc.sents:
        inside = ordered[bisect_left(starts, sentence.start) : bisect_left(starts, sentence.end)]
        stops = [trigger for trigger in inside if trigger.direction == STOP]
        for trigger in inside:
            if trigger.assertion == "historical" and _LASTING.search(sentence.text):
                continue
            for index in _scope(trigger, stops, sentence):
                by_token[index].add(trigger.assertion)
    return [frozenset(token) for token in by_token]


def _scope(trigger: Trigger, stops: list[Trigger], sentence: Span) -> list[int]:
    """Token indices in a trigger's scope. Termination terms do not end the scope of family triggers."""
    if trigger.assertion == "family":
        stops = []
    end = min([stop.start for stop in stops if stop.start >= trigger.end], default=sentence.end)
    start = max([stop.end for stop in stops if stop.end <= trigger.start], default=sentence.start)
    ahead = range(trigger.end, end) if trigger.direction in (FORWARD, BOTH) else ()
    behind = range(start, trigger.start) if trigger.direction in (BACKWARD, BOTH) else ()
    return [*behind, *ahead]
