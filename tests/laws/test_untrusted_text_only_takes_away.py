"""Untrusted text never turns a hold into an allow; trusted text never turns an allow into a hold."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.enforce.untrusted.provenance import Provenance
from trueup.kernel.canonical import Json

# Few values, in many disguises and joined in all ways, so that they meet.
VALUES = st.sampled_from(
    [
        "alice@work.example",
        "alice@evil.example",
        "Alice",
        "аlice@work.example",  # the first letter is Cyrillic
        "P025",
        "p025",
        "GB29 NWBK 6016 1331 9268 19",
        "GB29NWBK60161331926819",
        "https://www.shop.example/get/P025",
        "www.shop.example",
        "https://relay.example/P025",
        "/user/info",
        "/user/info/alice.txt",
        "pencil set",
        "1,024.50",
        "1024.5",
        "one two three four five six seven",
        "",
    ]
)
TEXTS = st.lists(VALUES, max_size=3).map(" and then ".join)
RESULTS = st.one_of(
    TEXTS,
    st.lists(st.fixed_dictionaries({}, optional={"a": VALUES, "b": TEXTS}), max_size=2),
    st.dictionaries(VALUES, VALUES, max_size=2),
)
ARGUMENTS = st.fixed_dictionaries({}, optional={"x": VALUES, "y": TEXTS, "z": st.lists(VALUES, max_size=2)})
EVENTS = st.lists(st.one_of(TEXTS, st.tuples(ARGUMENTS, RESULTS)), max_size=4)
Event = str | tuple[dict[str, Json], Json]


def named(task: str, events: list[Event], arguments: dict[str, Json]) -> set[str]:
    trail = Provenance(task)
    for event in events:
        if isinstance(event, str):
            trail.distrust(event, "mail")
        else:
            trail.returned("find", *event)
    return {trace.argument for trace in trail.traces(arguments)}


@settings(max_examples=150, deadline=None)
@given(TEXTS, EVENTS, ARGUMENTS, TEXTS, st.integers(0, 4))
def test_untrusted_text_only_adds_traces(
    task: str, events: list[Event], arguments: dict[str, Json], more: str, at: int
) -> None:
    richer = [*events[:at], more, *events[at:]]
    assert named(task, events, arguments) <= named(task, richer, arguments)


@settings(max_examples=150, deadline=None)
@given(TEXTS, EVENTS, ARGUMENTS, TEXTS)
def test_trusted_text_only_takes_traces_away(
    task: str, events: list[Event], arguments: dict[str, Json], more: str
) -> None:
    assert named(f"{task} and also {more}", events, arguments) <= named(task, events, arguments)


@settings(max_examples=100, deadline=None)
@given(TEXTS, EVENTS)
def test_the_request_itself_is_never_untrusted(task: str, events: list[Event]) -> None:
    assert named(task, events, {"x": task}) == set()
