"""Events: what is read, what is counted, and that memory stays bounded."""

import json

import pytest
from ranker.events import Channel, RecommendationServed, read_event
from ranker.memory import Remembered, ShownMemory
from ranker.wire import InvalidMessageError


def event_body(**fields: object) -> bytes:
    event = {"eventId": "e1", "userId": "7", "productIds": ["1", "2"], "servedAt": "2026-01-05T10:00:00Z", **fields}
    return json.dumps(event).encode()


def event(**fields: object) -> RecommendationServed:
    return read_event(event_body(**fields))


def test_reads_an_event() -> None:
    read = event(channel="CHANNEL_GRPC", locale="de-DE", attributes={"device": "phone"}, unknown=1)
    assert read.user_id == 7
    assert read.product_ids == (1, 2)
    assert read.channel is Channel.GRPC
    assert read.locale == "de-DE"
    assert read.attributes == {"device": "phone"}


def test_takes_null_for_absence() -> None:
    read = event(userId=None, locale=None, attributes=None, channel=None, requestId=None)
    assert read.user_id is None
    assert read.locale is None
    assert read.attributes == {}
    assert read.channel is Channel.UNSPECIFIED


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"productIds": []}, r"^\$\.productIds"),
        ({"productIds": ["x"]}, r"^\$\.productIds\[0\]"),
        ({"eventId": ""}, r"^\$\.eventId"),
        ({"servedAt": None}, r"^\$\.servedAt"),
        ({"channel": "CHANNEL_PIGEON"}, r"^\$\.channel"),
        ({"attributes": {"a": 1}}, r"^\$\.attributes\.a"),
    ],
)
def test_refuses_bad_events(fields: dict[str, object], where: str) -> None:
    with pytest.raises(InvalidMessageError, match=where):
        event(**fields)


def test_counts_each_showing_for_its_user_only() -> None:
    memory = ShownMemory()
    assert memory.remember(event(productIds=["1", "2"])) is Remembered.COUNTED
    assert memory.remember(event(eventId="e2", productIds=["2"])) is Remembered.COUNTED
    assert memory.times_shown(7) == {1: 1, 2: 2}
    assert memory.times_shown(8) == {}
    assert memory.times_shown(None) == {}


def test_counts_a_repeated_event_once() -> None:
    memory = ShownMemory()
    memory.remember(event())
    assert memory.remember(event()) is Remembered.REPEATED
    assert memory.times_shown(7) == {1: 1, 2: 1}


def test_counts_nothing_for_anonymous_visitors() -> None:
    memory = ShownMemory()
    assert memory.remember(event(userId=None)) is Remembered.ANONYMOUS
    assert memory.times_shown(None) == {}


def test_forgets_the_user_longest_unseen() -> None:
    memory = ShownMemory(max_users=2)
    memory.note_shown(1, [10])
    memory.note_shown(2, [10])
    memory.note_shown(1, [11])
    memory.note_shown(3, [10])
    assert memory.times_shown(1) == {10: 1, 11: 1}
    assert memory.times_shown(2) == {}


def test_forgets_the_oldest_showings_and_event_ids() -> None:
    memory = ShownMemory(max_shown_per_user=2, max_event_ids=1)
    memory.remember(event(eventId="e1", productIds=["1", "2", "3"]))
    assert memory.times_shown(7) == {2: 1, 3: 1}
    memory.remember(event(eventId="e2"))
    assert memory.remember(event(eventId="e1")) is Remembered.COUNTED


def test_forgets_everything_when_told() -> None:
    memory = ShownMemory()
    memory.remember(event())
    memory.forget()
    assert memory.times_shown(7) == {}
    assert memory.remember(event()) is Remembered.COUNTED
