"""The protobuf JSON mapping: what readers take, what they refuse, what writers write."""

import json

import pytest
from ranker.messages import (
    Availability,
    ScoreCandidatesResponse,
    ScoredCandidate,
    read_error,
    read_profile,
    read_score_request,
)
from ranker.wire import InvalidMessageError, write_message

ABOVE_2_53 = 9007199254740993


def request_body(**fields: object) -> bytes:
    return json.dumps({"candidates": [{"productId": str(ABOVE_2_53), **fields}]}).encode()


@pytest.mark.parametrize("written", ['"9007199254740993"', "9007199254740993"])
def test_reads_int64_from_text_and_from_a_number(written: str) -> None:
    body = f'{{"userId": {written}, "candidates": [{{"productId": {written}}}]}}'.encode()
    request = read_score_request(body)
    assert request.user_id == request.candidates[0].product_id == ABOVE_2_53


@pytest.mark.parametrize("field", ["price", "discount", "availability", "category"])
def test_takes_null_for_absence(field: str) -> None:
    assert read_score_request(request_body(**{field: None})) == read_score_request(request_body())


def test_reads_an_absent_user_and_a_null_one_as_anonymous() -> None:
    candidates = '"candidates": [{"productId": "1"}]'
    assert read_score_request(f"{{{candidates}}}".encode()).user_id is None
    assert read_score_request(f'{{"userId": null, {candidates}}}'.encode()).user_id is None


def test_tells_a_discount_of_zero_from_none() -> None:
    assert read_score_request(request_body(discount=0)).candidates[0].discount == 0
    assert read_score_request(request_body()).candidates[0].discount is None


def test_ignores_unknown_fields() -> None:
    assert read_score_request(request_body(colour="red")) == read_score_request(request_body())


def test_reads_enums_by_name() -> None:
    candidate = read_score_request(request_body(availability="AVAILABILITY_BACKORDER")).candidates[0]
    assert candidate.availability is Availability.BACKORDER


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"productId": "9223372036854775808"}, "$.candidates[0].productId"),
        ({"productId": "0"}, "$.candidates[0].productId"),
        ({"productId": "1.0"}, "$.candidates[0].productId: not a decimal integer"),
        ({"productId": "\u0661"}, "$.candidates[0].productId: not a decimal integer"),
        ({"productId": 1.0}, "$.candidates[0].productId"),
        ({"productId": True}, "$.candidates[0].productId"),
        ({"productId": None}, "$.candidates[0].productId: Field required"),
        ({"discount": 1.5}, "$.candidates[0].discount"),
        ({"discount": "0.5"}, "$.candidates[0].discount"),
        ({"discount": float("nan")}, "$.candidates[0].discount"),
        ({"availability": "SOON"}, "$.candidates[0].availability"),
        ({"category": "x" * 101}, "$.candidates[0].category"),
        ({"price": {"currencyCode": "euro"}}, "$.candidates[0].price.currencyCode"),
        ({"price": {"currencyCode": "EUR", "units": "-1"}}, "$.candidates[0].price.units"),
    ],
)
def test_refuses_bad_fields_and_says_where(fields: dict[str, object], where: str) -> None:
    with pytest.raises(InvalidMessageError) as caught:
        read_score_request(request_body(**fields))
    assert str(caught.value).startswith(where)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'"text"', b"[" * 5000, b'{"candidates": []}'])
def test_refuses_what_is_no_request(body: bytes) -> None:
    with pytest.raises(InvalidMessageError) as caught:
        read_score_request(body)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 200


def test_refuses_more_candidates_than_it_may_score() -> None:
    body = json.dumps({"candidates": [{"productId": "1"}] * 501}).encode()
    with pytest.raises(InvalidMessageError, match=r"\$\.candidates"):
        read_score_request(body)


def test_writes_null_for_what_is_not_there_and_int64_as_text() -> None:
    score = ScoredCandidate(product_id=ABOVE_2_53, score=0.5, confidence=None, explanation=None)
    written = json.loads(write_message(ScoreCandidatesResponse(model_version="linear-1", scores=(score,))))
    assert written == {
        "modelVersion": "linear-1",
        "scores": [{"productId": "9007199254740993", "score": 0.5, "confidence": None, "explanation": None}],
    }


@pytest.mark.parametrize(("written", "read"), [({}, None), ({"nickname": None}, None), ({"nickname": ""}, "")])
def test_tells_a_removed_nickname_from_one_never_given(written: dict[str, object], read: str | None) -> None:
    assert read_profile(json.dumps({"id": "7", **written}).encode()).nickname == read


def test_refuses_two_contacts() -> None:
    with pytest.raises(InvalidMessageError, match="email and phone exclude each other"):
        read_profile(b'{"id": "7", "email": "ada@example.org", "phone": "+49 30 901820"}')


@pytest.mark.parametrize("moment", ["1700000000", "2024-03-01", "2024-03-01T09:30:00", "2024-13-01T09:30:00Z", 5])
def test_refuses_timestamps_that_are_not_rfc3339(moment: object) -> None:
    with pytest.raises(InvalidMessageError, match=r"\$\.memberSince"):
        read_profile(json.dumps({"id": "7", "memberSince": moment}).encode())


def test_reads_timestamps_to_the_microsecond() -> None:
    since = read_profile(b'{"id": "7", "memberSince": "2024-03-01T09:30:00.123456789Z"}').member_since
    assert since is not None
    assert since.isoformat() == "2024-03-01T09:30:00.123456+00:00"


def test_reads_a_refusal() -> None:
    refusal = read_error(b'{"error": {"code": "NOT_FOUND", "message": "no such user"}}')
    assert (refusal.code, refusal.message) == ("NOT_FOUND", "no such user")
