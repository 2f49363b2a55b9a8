//! Answers one request with one response, whatever the code under test does.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use prost::Message;

use crate::protocol::request::Payload;
use crate::protocol::response::Result as Outcome;
use crate::protocol::{
    LoadSchema, Observation, Request, Response, SchemaLoaded, StubDescription, TestCategory, WireFormat,
};

pub const PROTOCOL_VERSION: u32 = 1;

/// Asked of a conformance testee before all else: which tests it expects to fail. The answer is an empty list.
const EXPECTED_FAILURES: &str = "conformance.FailureSet";

const LONGEST_REASON_CHARS: usize = 2000;

/// What a stub can do.
pub trait Codecs {
    fn describe(&self) -> StubDescription;

    /// Keeps a schema, in place of the one that had its id, and returns how many messages it has.
    ///
    /// # Errors
    /// Says why there is no such schema now.
    fn load_schema(&mut self, schema: LoadSchema) -> Result<u32, Refusal>;

    /// Decodes a payload, and does with the value what the task asks.
    ///
    /// # Errors
    /// When there is no decoded value, or something else than writing it goes wrong.
    fn exchange(&self, task: &Task<'_>) -> Result<Exchange, Refusal>;
}

/// What is to be done with one payload.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// Empty: the first.
    pub lane: &'a str,
    /// Empty: the messages that the stub brings.
    pub schema_id: &'a str,
    pub message_type: &'a str,
    pub payload: &'a [u8],
    pub input: Format,
    /// None: the value is not to be encoded.
    pub output: Option<Format>,
    /// Whether the value is to be observed.
    pub observe: bool,
    /// Whether unknown JSON fields are to be ignored instead of refused, where there is a choice.
    pub ignore_unknown: bool,
    /// Whether the text format is to show unknown fields.
    pub print_unknown: bool,
}

/// What stubs in Rust read and write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    Protobuf,
    Json,
    Text,
}

/// What became of a payload that was decoded.
#[derive(Debug, Default)]
pub struct Exchange {
    pub observation: Option<Observation>,
    /// None when no output format was asked.
    pub encoded: Option<Result<Vec<u8>, EncodeRefusal>>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum EncodeRefusal {
    Skipped(String),
    Failed(String),
}

/// Why there is no exchange.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The stub does not do what was asked.
    Skipped(String),
    /// The payload was refused.
    Parse(String),
    Runtime(String),
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Skipped(reason) => Outcome::Skipped(shortened(reason)),
            Refusal::Parse(reason) => Outcome::ParseError(shortened(reason)),
            Refusal::Runtime(reason) => Outcome::RuntimeError(shortened(reason)),
        }
    }
}

impl From<EncodeRefusal> for Outcome {
    fn from(refusal: EncodeRefusal) -> Self {
        match refusal {
            EncodeRefusal::Skipped(reason) => Outcome::Skipped(shortened(reason)),
            EncodeRefusal::Failed(reason) => Outcome::SerializeError(shortened(reason)),
        }
    }
}

fn shortened(mut reason: String) -> String {
    if let Some((end, _)) = reason.char_indices().nth(LONGEST_REASON_CHARS) {
        reason.truncate(end);
    }
    reason
}

/// Answers one Request. A panic of the code under test is an answer too.
pub fn answer(codecs: &mut dyn Codecs, frame: &[u8]) -> Response {
    let request = match Request::decode(frame) {
        Ok(request) => request,
        Err(error) => return failed(0, format!("the frame is no Request: {error}")),
    };
    let sequence = request.sequence;
    // After a panic the codecs are used again: they keep nothing between payloads, and a schema only when it is whole.
    match catch_unwind(AssertUnwindSafe(|| respond(codecs, request))) {
        Ok(response) => Response { sequence, ..response },
        Err(panic) => failed(sequence, format!("panicked: {}", panic_message(panic.as_ref()))),
    }
}

/// The response that says that something went wrong other than the payload.
#[must_use]
pub fn failed(sequence: u64, reason: String) -> Response {
    Response { sequence, ..result(Refusal::Runtime(reason).into()) }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("with something that is no text")
}

fn result(outcome: Outcome) -> Response {
    Response { result: Some(outcome), ..Response::default() }
}

fn skipped(reason: impl Into<String>) -> Response {
    result(Refusal::Skipped(reason.into()).into())
}

fn respond(codecs: &mut dyn Codecs, mut request: Request) -> Response {
    match request.payload.take() {
        None => skipped("the request has no payload that this stub knows"),
        Some(Payload::Hello(_)) => result(Outcome::Description(codecs.describe())),
        Some(Payload::LoadSchema(schema)) => result(match codecs.load_schema(schema) {
            Ok(message_count) => Outcome::SchemaLoaded(SchemaLoaded { message_count }),
            Err(refusal) => refusal.into(),
        }),
        Some(_) if request.message_type == EXPECTED_FAILURES => result(Outcome::ProtobufPayload(Vec::new())),
        Some(Payload::ProtobufPayload(payload)) => convert(codecs, &request, Format::Protobuf, &payload, text_answer),
        Some(Payload::JsonPayload(payload)) => convert(codecs, &request, Format::Json, payload.as_bytes(), text_answer),
        Some(Payload::RawJsonPayload(payload)) => {
            convert(codecs, &request, Format::Json, &payload, |json| Ok(Outcome::RawJsonPayload(json)))
        }
        Some(Payload::JspbPayload(_)) => skipped("this stub does not read JSPB"),
        Some(Payload::TextPayload(payload)) => convert(codecs, &request, Format::Text, payload.as_bytes(), text_answer),
    }
}

type JsonAnswer = fn(Vec<u8>) -> Result<Outcome, EncodeRefusal>;

fn text_answer(json: Vec<u8>) -> Result<Outcome, EncodeRefusal> {
    utf8(json).map(Outcome::JsonPayload)
}

fn utf8(written: Vec<u8>) -> Result<String, EncodeRefusal> {
    String::from_utf8(written).map_err(|error| EncodeRefusal::Failed(format!("what was written: {error}")))
}

fn convert(codecs: &dyn Codecs, request: &Request, input: Format, payload: &[u8], json_answer: JsonAnswer) -> Response {
    let wanted = request.requested_output_format();
    let (output, unwritable) = match wanted {
        WireFormat::Unspecified if request.requested_output_format == 0 => (None, false),
        WireFormat::Protobuf => (Some(Format::Protobuf), false),
        WireFormat::Json => (Some(Format::Json), false),
        WireFormat::TextFormat => (Some(Format::Text), false),
        WireFormat::Unspecified | WireFormat::Jspb => (None, true),
    };
    let task = Task {
        lane: &request.lane,
        schema_id: &request.schema_id,
        message_type: &request.message_type,
        payload,
        input,
        output,
        observe: request.observe,
        ignore_unknown: request.test_category() == TestCategory::JsonIgnoreUnknownParsingTest,
        print_unknown: request.print_unknown_fields,
    };
    let Exchange { observation, encoded } = match codecs.exchange(&task) {
        Ok(exchange) => exchange,
        Err(refusal) => return result(refusal.into()),
    };
    let outcome = if unwritable {
        let reason = format!("this stub does not write format {}", request.requested_output_format);
        Some(Outcome::Skipped(reason))
    } else {
        encoded.map(|encoded| written(encoded, output, json_answer))
    };
    Response { result: outcome, observation, ..Response::default() }
}

fn written(encoded: Result<Vec<u8>, EncodeRefusal>, output: Option<Format>, json_answer: JsonAnswer) -> Outcome {
    let outcome = encoded.and_then(|bytes| match output {
        Some(Format::Json) => json_answer(bytes),
        Some(Format::Text) => utf8(bytes).map(Outcome::TextPayload),
        Some(Format::Protobuf) | None => Ok(Outcome::ProtobufPayload(bytes)),
    });
    outcome.unwrap_or_else(Outcome::from)
}
