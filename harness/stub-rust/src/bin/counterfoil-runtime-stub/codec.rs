//! Decodes, observes and encodes with prost-reflect.

use std::collections::HashMap;
use std::path::PathBuf;

use counterfoil_stub::answers::{Codecs, EncodeRefusal, Exchange, Format, PROTOCOL_VERSION, Refusal, Task};
use counterfoil_stub::protocol::{LoadSchema, StubDescription, WireFormat};
use prost::Message;
use prost_reflect::text_format::FormatOptions;
use prost_reflect::{DeserializeOptions, DynamicMessage, MessageDescriptor};

use crate::dynamic_observation::observe;
use crate::schemas::Schema;

const LANE: &str = "prost-reflect";

/// That of the lock file, held by a test.
pub const PROST_REFLECT_VERSION: &str = "0.16.5";

pub struct RuntimeStub {
    /// The messages that a request without a schema is about.
    brought: Schema,
    loaded: HashMap<String, Schema>,
}

impl RuntimeStub {
    /// # Errors
    /// Says in one line which image cannot be used, and why.
    pub fn bringing(images: &[PathBuf]) -> Result<Self, String> {
        let mut brought = Schema::default();
        for path in images {
            let image = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
            brought.add(&image).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(RuntimeStub { brought, loaded: HashMap::new() })
    }

    fn message(&self, task: &Task<'_>) -> Result<MessageDescriptor, String> {
        if !task.lane.is_empty() && task.lane != LANE {
            return Err(format!("there is no lane {:?}", task.lane));
        }
        let schema = match task.schema_id {
            "" => &self.brought,
            id => self.loaded.get(id).ok_or_else(|| format!("there is no schema {id:?}"))?,
        };
        schema.message(task.message_type)
    }

    /// # Errors
    /// What is not done here, and what the payload is refused for.
    pub fn decode(&self, task: &Task<'_>) -> Result<DynamicMessage, Refusal> {
        let kind = self.message(task).map_err(Refusal::Skipped)?;
        decode(kind, task).map_err(Refusal::Parse)
    }

    /// # Errors
    /// When the message is nested too deeply to be observed.
    pub fn answer(message: &DynamicMessage, task: &Task<'_>) -> Result<Exchange, Refusal> {
        let observation = if task.observe {
            Some(observe(message).map_err(|error| Refusal::Runtime(error.to_string()))?)
        } else {
            None
        };
        let encoded = task.output.map(|output| encode(message, task, output).map_err(EncodeRefusal::Failed));
        Ok(Exchange { observation, encoded })
    }
}

impl Codecs for RuntimeStub {
    fn describe(&self) -> StubDescription {
        StubDescription {
            protocol_version: PROTOCOL_VERSION,
            language: "rust".to_owned(),
            runtime: "prost-reflect".to_owned(),
            runtime_version: PROST_REFLECT_VERSION.to_owned(),
            lanes: vec![LANE.to_owned()],
            message_types: self.brought.message_names().collect(),
            formats: [WireFormat::Protobuf, WireFormat::Json, WireFormat::TextFormat].map(i32::from).into(),
            loads_schemas: true,
            observes: true,
        }
    }

    fn load_schema(&mut self, asked: LoadSchema) -> Result<u32, Refusal> {
        let mut schema = Schema::default();
        schema.add(&asked.file_descriptor_set).map_err(Refusal::Runtime)?;
        let message_count = schema.message_count();
        self.loaded.insert(asked.id, schema);
        Ok(message_count)
    }

    fn exchange(&self, task: &Task<'_>) -> Result<Exchange, Refusal> {
        Self::answer(&self.decode(task)?, task)
    }
}

fn decode(kind: MessageDescriptor, task: &Task<'_>) -> Result<DynamicMessage, String> {
    match task.input {
        Format::Protobuf => DynamicMessage::decode(kind, task.payload).map_err(|error| error.to_string()),
        Format::Json => decode_json(kind, task).map_err(|error| error.to_string()),
        Format::Text => {
            let text = std::str::from_utf8(task.payload).map_err(|error| error.to_string())?;
            DynamicMessage::parse_text_format(kind, text).map_err(|error| error.to_string())
        }
    }
}

fn decode_json(kind: MessageDescriptor, task: &Task<'_>) -> Result<DynamicMessage, serde_json::Error> {
    let options = DeserializeOptions::new().deny_unknown_fields(!task.ignore_unknown);
    let mut json = serde_json::Deserializer::from_slice(task.payload);
    let message = DynamicMessage::deserialize_with_options(kind, &mut json, &options)?;
    json.end()?;
    Ok(message)
}

fn encode(message: &DynamicMessage, task: &Task<'_>, output: Format) -> Result<Vec<u8>, String> {
    match output {
        Format::Protobuf => Ok(message.encode_to_vec()),
        Format::Json => serde_json::to_vec(message).map_err(|error| error.to_string()),
        Format::Text => {
            let options = FormatOptions::new().skip_unknown_fields(!task.print_unknown);
            Ok(message.to_text_format_with_options(&options).into_bytes())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PROST_REFLECT_VERSION;

    #[test]
    fn the_version_is_that_of_the_lock_file() {
        let lock = include_str!("../../../../../Cargo.lock");
        assert!(lock.contains(&format!("name = \"prost-reflect\"\nversion = \"{PROST_REFLECT_VERSION}\"\n")));
    }
}
