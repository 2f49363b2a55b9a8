//! The SDK for service stubs: a participant registers its decoders and encoders.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Display;
use std::process::ExitCode;

use serde::Serialize;

use crate::answers::{Codecs, EncodeRefusal, Exchange, Format, PROTOCOL_VERSION, Refusal, Task};
use crate::observer::observe;
use crate::protocol::{LoadSchema, StubDescription, WireFormat};
use crate::serving::{self, Arguments};

type Codec = Box<dyn Fn(&Task<'_>) -> Result<Exchange, Refusal>>;
type CodecsOfLane = HashMap<Format, HashMap<String, Codec>>;

/// A stub around a participant's own code.
pub struct Stub {
    runtime: String,
    runtime_version: String,
    /// The last is the one that takes registrations. Never empty.
    lanes: Vec<(String, CodecsOfLane)>,
}

impl Stub {
    /// `runtime` names what decodes, for example `serde_json`; it is also the name of the first lane.
    #[must_use]
    pub fn new(runtime: &str, runtime_version: &str) -> Self {
        Stub {
            runtime: runtime.to_owned(),
            runtime_version: runtime_version.to_owned(),
            lanes: vec![(runtime.to_owned(), CodecsOfLane::new())],
        }
    }

    /// Begins another lane, to which what is registered from now on belongs.
    ///
    /// # Panics
    /// When there is such a lane already.
    pub fn lane(&mut self, name: &str) -> &mut Self {
        assert!(self.lanes.iter().all(|(known, _)| known != name), "the lane {name:?} has begun already");
        self.lanes.push((name.to_owned(), CodecsOfLane::new()));
        self
    }

    /// Registers how `message`, a full protobuf name, is read from JSON and written as JSON.
    ///
    /// # Panics
    /// When the lane knows how already.
    pub fn json<T: Serialize, D: Display, E: Display>(
        &mut self,
        message: &str,
        decode: impl Fn(&[u8]) -> Result<T, D> + 'static,
        encode: impl Fn(&T) -> Result<Vec<u8>, E> + 'static,
    ) -> &mut Self {
        self.register(Format::Json, message, decode, encode)
    }

    /// Registers how `message`, a full protobuf name, is read from protobuf's binary encoding and written in it.
    ///
    /// # Panics
    /// When the lane knows how already.
    pub fn protobuf<T: Serialize, D: Display, E: Display>(
        &mut self,
        message: &str,
        decode: impl Fn(&[u8]) -> Result<T, D> + 'static,
        encode: impl Fn(&T) -> Result<Vec<u8>, E> + 'static,
    ) -> &mut Self {
        self.register(Format::Protobuf, message, decode, encode)
    }

    /// Answers requests until standard input ends. Standard output is the protocol's from here on: what other code
    /// prints there goes to standard error.
    #[must_use]
    pub fn run(mut self) -> ExitCode {
        match Arguments::of_service_stub(std::env::args_os().skip(1)) {
            Ok(arguments) => serving::serve_process(&mut self, arguments.max_frame_bytes),
            Err(error) => serving::refuse_arguments(&error),
        }
    }

    fn register<T: Serialize, D: Display, E: Display>(
        &mut self,
        format: Format,
        message: &str,
        decode: impl Fn(&[u8]) -> Result<T, D> + 'static,
        encode: impl Fn(&T) -> Result<Vec<u8>, E> + 'static,
    ) -> &mut Self {
        let codec = move |task: &Task<'_>| exchange(task, &decode, &encode);
        let (_, codecs) = self.lanes.last_mut().expect("there is a first lane");
        let known = codecs.entry(format).or_default().insert(message.to_owned(), Box::new(codec));
        assert!(known.is_none(), "{message} in {format:?} is registered already");
        self
    }
}

fn exchange<T: Serialize, D: Display, E: Display>(
    task: &Task<'_>,
    decode: impl Fn(&[u8]) -> Result<T, D>,
    encode: impl Fn(&T) -> Result<Vec<u8>, E>,
) -> Result<Exchange, Refusal> {
    let value = decode(task.payload).map_err(|error| Refusal::Parse(error.to_string()))?;
    let observation = if task.observe {
        Some(observe(&value).map_err(|error| Refusal::Runtime(format!("cannot be observed: {error}")))?)
    } else {
        None
    };
    let encoded = task.output.map(|output| {
        if output == task.input {
            encode(&value).map_err(|error| EncodeRefusal::Failed(error.to_string()))
        } else {
            let reason = format!("what this stub reads from {:?}, it does not write as {output:?}", task.input);
            Err(EncodeRefusal::Skipped(reason))
        }
    });
    Ok(Exchange { observation, encoded })
}

impl Codecs for Stub {
    fn describe(&self) -> StubDescription {
        let codecs = || self.lanes.iter().flat_map(|(_, codecs)| codecs);
        let message_types: BTreeSet<_> = codecs().flat_map(|(_, messages)| messages.keys()).collect();
        let formats: BTreeSet<_> = codecs().map(|(format, _)| WireFormat::from(*format)).collect();
        StubDescription {
            protocol_version: PROTOCOL_VERSION,
            language: "rust".to_owned(),
            runtime: self.runtime.clone(),
            runtime_version: self.runtime_version.clone(),
            lanes: self.lanes.iter().map(|(name, _)| name.clone()).collect(),
            message_types: message_types.into_iter().cloned().collect(),
            formats: formats.into_iter().map(i32::from).collect(),
            loads_schemas: false,
            observes: true,
        }
    }

    fn load_schema(&mut self, _schema: LoadSchema) -> Result<u32, Refusal> {
        Err(Refusal::Skipped("a service stub has its messages in its code and loads no schema".to_owned()))
    }

    fn exchange(&self, task: &Task<'_>) -> Result<Exchange, Refusal> {
        if !task.schema_id.is_empty() {
            return Err(Refusal::Skipped(format!(
                "there is no schema {:?}: a service stub loads none",
                task.schema_id
            )));
        }
        let lane = self.lanes.iter().find(|(name, _)| task.lane.is_empty() || name == task.lane);
        let Some((_, codecs)) = lane else { return Err(Refusal::Skipped(format!("there is no lane {:?}", task.lane))) };
        match codecs.get(&task.input).and_then(|messages| messages.get(task.message_type)) {
            Some(codec) => codec(task),
            None => {
                Err(Refusal::Skipped(format!("this stub does not read {} from {:?}", task.message_type, task.input)))
            }
        }
    }
}

impl From<Format> for WireFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Protobuf => WireFormat::Protobuf,
            Format::Json => WireFormat::Json,
            Format::Text => WireFormat::TextFormat,
        }
    }
}
