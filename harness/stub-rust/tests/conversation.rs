//! A service stub in conversation, over streams that are cut, cut off, or garbled.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::rc::Rc;

use counterfoil_stub::Stub;
use counterfoil_stub::answers::answer;
use counterfoil_stub::frames::{FrameSplitter, append_frame};
use counterfoil_stub::observation::{field, integer, message};
use counterfoil_stub::protocol::request::Payload;
use counterfoil_stub::protocol::response::Result as Outcome;
use counterfoil_stub::protocol::{Hello, LoadSchema, Request, Response, WireFormat};
use counterfoil_stub::serving::serve;
use prost::Message;

const MAX_FRAME_BYTES: usize = 10_000;

#[derive(serde::Serialize, serde::Deserialize)]
struct Price {
    units: i64,
}

fn decode_price(payload: &[u8]) -> Result<Price, serde_json::Error> {
    serde_json::from_slice(payload)
}

fn stub() -> Stub {
    let mut stub = Stub::new("serde_json", "1");
    stub.json("a.Price", decode_price, serde_json::to_vec);
    stub.json(
        "a.Explosive",
        |payload| {
            assert!(payload != b"1", "the payload {} explodes", 1);
            decode_price(payload)
        },
        |price| if price.units == 2 { panic!("boom") } else { serde_json::to_vec(price) },
    );
    stub.json("a.Mute", decode_price, |_| Err("it has no words"));
    stub.json("a.Verbose", decode_price, |_| Ok::<_, String>(vec![b' '; MAX_FRAME_BYTES]));
    stub.json("a.Binary", decode_price, |_| Ok::<_, String>(vec![0xff]));
    stub.json("a.Deep", deep, serde_json::to_vec);
    stub.lane("strict").json("a.Price", |_| Err::<Price, _>("x".repeat(3000)), serde_json::to_vec);
    stub
}

#[allow(clippy::unnecessary_wraps, reason = "a decoder's signature")]
fn deep(payload: &[u8]) -> Result<serde_json::Value, String> {
    let wrap = |value, _| serde_json::Value::Array(vec![value]);
    Ok((0..payload.len()).fold(serde_json::Value::Null, wrap))
}

/// Gives its chunks one at a time.
struct Chunks(VecDeque<Vec<u8>>);

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(mut chunk) = self.0.pop_front() else { return Ok(0) };
        let count = chunk.len().min(buffer.len());
        buffer[..count].copy_from_slice(&chunk[..count]);
        if count < chunk.len() {
            self.0.push_front(chunk.split_off(count));
        }
        Ok(count)
    }
}

fn answers_to(chunks: impl IntoIterator<Item = Vec<u8>>) -> (Vec<Response>, Result<(), String>) {
    let mut output = Vec::new();
    let chunks = chunks.into_iter().filter(|chunk| !chunk.is_empty()).collect();
    let end = serve(&mut stub(), Chunks(chunks), &mut output, MAX_FRAME_BYTES);
    (responses(&output), end)
}

fn responses(mut output: &[u8]) -> Vec<Response> {
    let mut frames = FrameSplitter::new(MAX_FRAME_BYTES);
    frames.feed(std::mem::take(&mut output));
    let mut responses = Vec::new();
    while let Some(frame) = frames.next_frame().expect("no answer is too large") {
        responses.push(Response::decode(frame).expect("a Response"));
    }
    assert!(!frames.inside_frame());
    responses
}

fn framed(request: &Request) -> Vec<u8> {
    let mut frame = Vec::new();
    append_frame(request, usize::MAX, &mut frame).expect("small");
    frame
}

fn price(sequence: u64, json: &str) -> Request {
    Request {
        message_type: "a.Price".to_owned(),
        payload: Some(Payload::JsonPayload(json.to_owned())),
        requested_output_format: WireFormat::Json.into(),
        sequence,
        ..Request::default()
    }
}

fn answer_to(request: &Request) -> Response {
    let (mut responses, end) = answers_to([framed(request)]);
    assert_eq!((responses.len(), end), (1, Ok(())));
    responses.remove(0)
}

fn outcome_of(request: &Request) -> Outcome {
    let response = answer_to(request);
    assert_eq!(response.sequence, request.sequence);
    response.result.expect("a result")
}

fn of_message(message_type: &str, json: &str) -> Request {
    Request { message_type: message_type.to_owned(), ..price(7, json) }
}

#[test]
fn a_stream_may_be_cut_anywhere() {
    let requests = [price(1, r#"{"units":1}"#), price(2, "[]"), price(u64::MAX, r#"{"units":3}"#)];
    let stream: Vec<u8> = requests.iter().flat_map(framed).collect();
    let (whole, end) = answers_to([stream.clone()]);
    assert_eq!((whole.len(), end), (3, Ok(())));
    assert_eq!(whole[2].result, Some(Outcome::JsonPayload(r#"{"units":3}"#.to_owned())));
    for cut in 0..=stream.len() {
        assert_eq!(answers_to([stream[..cut].to_vec(), stream[cut..].to_vec()]), (whole.clone(), Ok(())), "{cut}");
    }
    assert_eq!(answers_to(stream.iter().map(|byte| vec![*byte])), (whole, Ok(())));
}

#[test]
fn an_end_in_the_middle_of_a_frame_is_an_error_after_all_answers() {
    let stream = [framed(&price(1, "1")), framed(&price(2, "2"))].concat();
    let boundary = stream.len() / 2;
    for end in boundary + 1..stream.len() {
        let (responses, outcome) = answers_to([stream[..end].to_vec()]);
        assert_eq!(responses.iter().map(|response| response.sequence).collect::<Vec<_>>(), [1]);
        assert_eq!(outcome, Err("the input ended in the middle of a frame".to_owned()));
    }
}

#[test]
fn ten_thousand_requests_at_once_are_answered_in_order() {
    let stream = (0..10_000).flat_map(|sequence| framed(&price(sequence, r#"{"units":9007199254740993}"#))).collect();
    let (responses, end) = answers_to([stream]);
    assert_eq!(end, Ok(()));
    assert_eq!(responses.len(), 10_000);
    for (sequence, response) in (0..).zip(responses) {
        assert_eq!(response.sequence, sequence);
        assert_eq!(response.result, Some(Outcome::JsonPayload(r#"{"units":9007199254740993}"#.to_owned())));
    }
}

/// Gives one request and a part of the next at a time, and insists on the answers before it gives more.
struct Impatient {
    frame: Vec<u8>,
    given: usize,
    rounds: usize,
    written: Rc<RefCell<Vec<u8>>>,
}

impl Read for Impatient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert_eq!(responses(&self.written.borrow()).len(), self.given / self.frame.len());
        let (size, total) = (self.frame.len(), self.frame.len() * self.rounds);
        let count = (size + 3).min(total - self.given);
        for byte in &mut buffer[..count] {
            *byte = self.frame[self.given % size];
            self.given += 1;
        }
        Ok(count)
    }
}

struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn no_answer_is_held_back_while_waiting() {
    let written = Rc::new(RefCell::new(Vec::new()));
    let input = Impatient { frame: framed(&price(1, "{}")), given: 0, rounds: 50, written: written.clone() };
    assert_eq!(serve(&mut stub(), input, Shared(written.clone()), MAX_FRAME_BYTES), Ok(()));
    assert_eq!(responses(&written.borrow()).len(), 50);
}

#[test]
fn what_is_no_request_is_an_error_and_not_the_end() {
    let garbage = [b"\x05\0\0\0\xff\xff\xff\xff\xff".to_vec(), framed(&price(1, "{}"))].concat();
    let (responses, end) = answers_to([garbage]);
    assert_eq!((responses.len(), end), (2, Ok(())));
    assert_eq!(responses[0].sequence, 0);
    assert!(matches!(&responses[0].result, Some(Outcome::RuntimeError(_))));
    assert!(matches!(&responses[1].result, Some(Outcome::ParseError(_))));
}

#[test]
fn a_frame_that_is_too_large_is_the_end_after_all_answers() {
    let stream = [framed(&price(1, "1")), vec![0xff; 4], framed(&price(2, "2"))].concat();
    let (responses, end) = answers_to([stream]);
    assert_eq!(responses.len(), 1);
    assert_eq!(end, Err("a frame of 4294967295 bytes is larger than the limit of 10000".to_owned()));
}

#[test]
fn an_answer_that_is_too_large_is_a_runtime_error() {
    let Outcome::RuntimeError(reason) = outcome_of(&of_message("a.Verbose", r#"{"units":1}"#)) else { panic!() };
    assert!(reason.contains("larger than the limit of 10000"), "{reason}");
}

#[test]
fn a_panic_is_a_runtime_error_and_not_the_end() {
    let requests = [of_message("a.Explosive", "1"), of_message("a.Explosive", r#"{"units":2}"#), price(9, "{}")];
    let (responses, end) = answers_to(requests.iter().map(framed));
    assert_eq!((responses.len(), end), (3, Ok(())));
    let reason = |text: &str| Some(Outcome::RuntimeError(text.to_owned()));
    assert_eq!(responses[0].result, reason("panicked: the payload 1 explodes"));
    assert_eq!(responses[1].result, reason("panicked: boom"));
    assert_eq!(responses[1].sequence, 7);
}

#[test]
fn every_refusal_is_a_result_of_its_own() {
    assert!(matches!(outcome_of(&price(1, "{")), Outcome::ParseError(_)));
    let mute = outcome_of(&of_message("a.Mute", r#"{"units":1}"#));
    assert_eq!(mute, Outcome::SerializeError("it has no words".to_owned()));
    assert!(matches!(outcome_of(&of_message("a.Binary", r#"{"units":1}"#)), Outcome::SerializeError(_)));
    let strict = outcome_of(&Request { lane: "strict".to_owned(), ..price(1, r#"{"units":1}"#) });
    assert_eq!(strict, Outcome::ParseError("x".repeat(2000)));
}

#[test]
fn what_the_stub_does_not_do_is_skipped() {
    let ours = price(1, r#"{"units":1}"#);
    let load = Payload::LoadSchema(LoadSchema::default());
    let skipped = [
        Request { message_type: "a.Other".to_owned(), ..ours.clone() },
        Request { lane: "other".to_owned(), ..ours.clone() },
        Request { schema_id: "other".to_owned(), ..ours.clone() },
        Request { payload: None, ..ours.clone() },
        Request { payload: Some(load), ..ours.clone() },
        Request { payload: Some(Payload::ProtobufPayload(vec![])), ..ours.clone() },
        Request { payload: Some(Payload::TextPayload(String::new())), ..ours.clone() },
        Request { payload: Some(Payload::JspbPayload(String::new())), ..ours.clone() },
        Request { requested_output_format: WireFormat::TextFormat.into(), ..ours.clone() },
        Request { requested_output_format: 99, ..ours.clone() },
        Request { requested_output_format: WireFormat::Protobuf.into(), ..ours },
    ];
    for request in skipped {
        assert!(matches!(outcome_of(&request), Outcome::Skipped(reason) if !reason.is_empty()), "{request:?}");
    }
}

#[test]
fn an_answer_has_what_was_asked_and_no_more() {
    let ours = price(1, r#"{"units":1}"#);
    let observation = Some(message(vec![field("units", integer(1))], 0));
    assert_eq!(answer_to(&ours).observation, None);
    let nothing = Request { requested_output_format: 0, ..ours.clone() };
    assert_eq!(answer_to(&nothing), Response { sequence: 1, ..Response::default() });
    let seen = answer_to(&Request { observe: true, ..nothing });
    assert_eq!(seen, Response { observation: observation.clone(), sequence: 1, result: None });
    let unwritable =
        answer_to(&Request { observe: true, requested_output_format: WireFormat::Jspb.into(), ..ours.clone() });
    assert!(matches!(unwritable.result, Some(Outcome::Skipped(_))));
    assert_eq!(unwritable.observation, observation);
    let refused = answer_to(&Request { observe: true, ..price(1, "{}") });
    assert_eq!(refused.observation, None);
    let raw = Payload::RawJsonPayload(br#"{"units":1}"#.to_vec());
    let raw = outcome_of(&Request { payload: Some(raw), ..ours });
    assert_eq!(raw, Outcome::RawJsonPayload(br#"{"units":1}"#.to_vec()));
}

#[test]
fn a_value_that_is_too_deep_cannot_be_observed() {
    let answer_at = |depth: usize| {
        let nothing_else =
            Request { observe: true, requested_output_format: 0, ..of_message("a.Deep", &" ".repeat(depth)) };
        answer(&mut stub(), &nothing_else.encode_to_vec())
    };
    assert!(answer_at(200).observation.is_some());
    let Some(Outcome::RuntimeError(reason)) = answer_at(201).result else { panic!() };
    assert_eq!(reason, "cannot be observed: the value is nested in more than 200 levels");
}

#[test]
fn a_hello_is_answered_with_a_description() {
    let hello = Payload::Hello(Hello { protocol_version: 1 });
    let request = Request { payload: Some(hello), ..Request::default() };
    let Outcome::Description(description) = outcome_of(&request) else { panic!() };
    assert_eq!((description.protocol_version, description.language.as_str()), (1, "rust"));
    assert_eq!(description.lanes, ["serde_json", "strict"]);
    assert_eq!(description.message_types.len(), 6);
    assert_eq!(description.formats, [i32::from(WireFormat::Json)]);
    assert_eq!((description.loads_schemas, description.observes), (false, true));
}

#[test]
fn a_conformance_runner_learns_of_no_expected_failure() {
    let request = Request {
        message_type: "conformance.FailureSet".to_owned(),
        payload: Some(Payload::ProtobufPayload(vec![])),
        requested_output_format: WireFormat::Protobuf.into(),
        ..Request::default()
    };
    assert_eq!(outcome_of(&request), Outcome::ProtobufPayload(vec![]));
}
