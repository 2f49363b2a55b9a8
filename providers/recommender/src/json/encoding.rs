//! How the protobuf JSON mapping differs from what serde does by itself.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::schema::{Availability, Channel};

/// A message is an object and nothing else: derived code alone would also take an array of the fields' values.
struct Message<T>(T);

struct MessageVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Message<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MessageVisitor(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for MessageVisitor<T> {
    type Value = Message<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields)).map(Message)
    }
}

pub fn decode_message<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    let text = std::str::from_utf8(body).map_err(serde_json::Error::custom)?;
    serde_json::from_str(text).map(|Message(message)| message)
}

pub fn message_or_null<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.map(|Message(message)| message))
}

pub fn messages<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let messages: Vec<Message<T>> = default_for_null(deserializer)?;
    Ok(messages.into_iter().map(|Message(message)| message).collect())
}

pub fn default_for_null<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Read from a string of digits or from an integer, because both are around.
struct Int64(i64);

struct Int64Visitor;

impl<'de> Deserialize<'de> for Int64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Int64Visitor)
    }
}

impl Visitor<'_> for Int64Visitor {
    type Value = Int64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an int64 as a string or an integer")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Int64, E> {
        Ok(Int64(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Int64, E> {
        i64::try_from(value).map(Int64).map_err(|_| E::custom(format!("{value} is no int64")))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Int64, E> {
        value.parse().map(Int64).map_err(|_| E::custom(format!("{value:?} is no int64")))
    }
}

pub mod int64 {
    use super::{Deserialize, Deserializer, Int64};
    use serde::Serializer;

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
    pub fn serialize<S: Serializer>(value: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        Int64::deserialize(deserializer).map(|Int64(value)| value)
    }
}

pub mod optional_int64 {
    use super::{Deserialize, Deserializer, Int64};
    use serde::Serializer;

    #[allow(clippy::ref_option, reason = "the signature is serde's")]
    pub fn serialize<S: Serializer>(value: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
        Ok(Option::deserialize(deserializer)?.map(|Int64(value)| value))
    }
}

pub mod int64_list {
    use super::{Deserializer, Int64, default_for_null};
    use serde::Serializer;

    pub fn serialize<S: Serializer>(values: &[i64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(i64::to_string))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<i64>, D::Error> {
        let values: Vec<Int64> = default_for_null(deserializer)?;
        Ok(values.into_iter().map(|Int64(value)| value).collect())
    }
}

/// An enum of the schema, which JSON carries by name.
pub trait NamedEnum: Copy {
    fn name(self) -> &'static str;
    fn from_name(name: &str) -> Option<Self>;
}

impl NamedEnum for Availability {
    fn name(self) -> &'static str {
        self.as_str_name()
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::from_str_name(name)
    }
}

impl NamedEnum for Channel {
    fn name(self) -> &'static str {
        self.as_str_name()
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::from_str_name(name)
    }
}

pub mod enum_name {
    use std::borrow::Cow;

    use super::{Deserialize, Deserializer, Error, NamedEnum};
    use serde::Serializer;

    pub fn serialize<E: NamedEnum, S: Serializer>(value: &E, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(value.name())
    }

    pub fn deserialize<'de, E: NamedEnum, D: Deserializer<'de>>(deserializer: D) -> Result<E, D::Error> {
        let name = Cow::<'de, str>::deserialize(deserializer)?;
        E::from_name(&name).ok_or_else(|| D::Error::custom(format!("{name:?} is no value of this enum")))
    }
}
