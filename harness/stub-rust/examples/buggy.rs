//! The runtime stub with one planted bug: `buggy BUG`. Negative controls for the probe.

#[path = "../src/bin/counterfoil-runtime-stub/codec.rs"]
mod codec;
#[path = "../src/bin/counterfoil-runtime-stub/dynamic_observation.rs"]
mod dynamic_observation;
#[path = "../src/bin/counterfoil-runtime-stub/editions.rs"]
mod editions;
#[path = "../src/bin/counterfoil-runtime-stub/moved_enums.rs"]
mod moved_enums;
#[path = "../src/bin/counterfoil-runtime-stub/schemas.rs"]
mod schemas;

use std::fmt::{self, Formatter};
use std::process::ExitCode;

use counterfoil_stub::answers::{Codecs, Exchange, Format, Refusal, Task};
use counterfoil_stub::frames::DEFAULT_MAX_FRAME_BYTES;
use counterfoil_stub::protocol::{LoadSchema, StubDescription};
use counterfoil_stub::serving;
use prost_reflect::{DynamicMessage, Value};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::codec::RuntimeStub;

/// Not a double, like its neighbours: the largest that an int64 holds.
const LARGEST_DOUBLE: i64 = i64::MAX - 1023;

struct Buggy {
    sound: RuntimeStub,
    bug: String,
}

impl Codecs for Buggy {
    fn describe(&self) -> StubDescription {
        self.sound.describe()
    }

    fn load_schema(&mut self, asked: LoadSchema) -> Result<u32, Refusal> {
        self.sound.load_schema(asked)
    }

    fn exchange(&self, task: &Task<'_>) -> Result<Exchange, Refusal> {
        let payload = self.misread(task);
        let misread = Task { payload: &payload, ..*task };
        let decoded = match self.sound.decode(&misread) {
            Err(Refusal::Parse(_)) if self.bug == "everything_accepted" => {
                let empty: &[u8] = if task.input == Format::Json { b"{}" } else { b"" };
                self.sound.decode(&Task { payload: empty, ..*task })
            }
            decoded => decoded,
        };
        let mut message = decoded?;
        self.spoil(&mut message);
        RuntimeStub::answer(&message, task)
    }
}

impl Buggy {
    /// The payload as a bug in the parser of JSON takes it.
    fn misread(&self, task: &Task<'_>) -> Vec<u8> {
        let text = String::from_utf8_lossy(task.payload);
        if task.input != Format::Json || matches!(text, std::borrow::Cow::Owned(_)) {
            return task.payload.to_vec();
        }
        match self.bug.as_str() {
            "null_as_empty" => text.replace(":null", ":\"\"").into_bytes(),
            "first_key_only" => first_key_of_unsorted(&text).unwrap_or_else(|| task.payload.to_vec()),
            _ => task.payload.to_vec(),
        }
    }

    /// What a bug after parsing makes of the message.
    fn spoil(&self, message: &mut DynamicMessage) {
        let set: Vec<_> = message.fields().map(|(field, value)| (field, value.clone())).collect();
        for (field, value) in set {
            match value {
                Value::I64(number) if self.bug == "int64_rounded" => {
                    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // the planted bug
                    message.set_field(&field, Value::I64((number as f64 as i64).min(LARGEST_DOUBLE)));
                }
                value if self.bug == "zero_dropped" && field.supports_presence() && value.is_default(&field.kind()) => {
                    message.clear_field(&field);
                }
                _ => {}
            }
        }
        if self.bug == "unknown_lost" {
            message.take_unknown_fields().for_each(drop);
        }
    }
}

/// The object with its first member alone, if its keys are not in alphabetical order.
fn first_key_of_unsorted(text: &str) -> Option<Vec<u8>> {
    let Members(members) = serde_json::from_str(text).ok()?;
    if members.is_sorted_by(|(one, _), (other, _)| one <= other) {
        return None;
    }
    let (key, value) = members.into_iter().next()?;
    serde_json::to_vec(&serde_json::Map::from_iter([(key, value)])).ok()
}

/// The members of an object in their order.
struct Members(Vec<(String, serde_json::Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Members;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

fn main() -> ExitCode {
    let bug = std::env::args().nth(1).unwrap_or_default();
    match RuntimeStub::bringing(&[]) {
        Ok(sound) => serving::serve_process(&mut Buggy { sound, bug }, DEFAULT_MAX_FRAME_BYTES),
        Err(error) => serving::refuse_arguments(&error),
    }
}
