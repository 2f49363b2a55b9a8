//! Observations: what a program sees of a value. See `Observation` in stub.proto.

use std::cmp::Ordering;
use std::fmt;

use crate::protocol::observation::Seen;
use crate::protocol::{
    Observation, ObservedEntry, ObservedEnum, ObservedField, ObservedList, ObservedMap, ObservedMessage,
};

/// How many levels of values an observation has at most.
pub const MAX_DEPTH: usize = 200;

const QUIET_NAN: u64 = 0x7ff8_0000_0000_0000;

/// A value has no observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unobservable {
    TooDeep,
    /// What the value's own code said.
    Refused(String),
}

impl fmt::Display for Unobservable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unobservable::TooDeep => write!(formatter, "the value is nested in more than {MAX_DEPTH} levels"),
            Unobservable::Refused(reason) => formatter.write_str(reason),
        }
    }
}

impl std::error::Error for Unobservable {}

/// The level below this one.
///
/// # Errors
/// When an observation does not go so deep.
pub fn below(depth: usize) -> Result<usize, Unobservable> {
    if depth < MAX_DEPTH { Ok(depth + 1) } else { Err(Unobservable::TooDeep) }
}

fn saw(seen: Seen) -> Observation {
    Observation { seen: Some(seen) }
}

#[must_use]
pub fn absent() -> Observation {
    saw(Seen::Absent(true))
}

#[must_use]
pub fn null() -> Observation {
    saw(Seen::Null(true))
}

#[must_use]
pub fn boolean(value: bool) -> Observation {
    saw(Seen::Boolean(value))
}

#[must_use]
pub fn integer(value: impl Into<i128>) -> Observation {
    saw(Seen::Integer(value.into().to_string()))
}

/// For a number that fits no other type.
#[must_use]
pub fn large_integer(value: u128) -> Observation {
    saw(Seen::Integer(value.to_string()))
}

/// Every NaN becomes the same: which one it was, no program can be asked in every language.
#[must_use]
pub fn float(value: f64) -> Observation {
    saw(Seen::FloatBits(if value.is_nan() { QUIET_NAN } else { value.to_bits() }))
}

#[must_use]
pub fn text(value: impl Into<String>) -> Observation {
    saw(Seen::Text(value.into().into_bytes()))
}

#[must_use]
pub fn binary(value: impl Into<Vec<u8>>) -> Observation {
    saw(Seen::Binary(value.into()))
}

/// An enum value; with an empty name, one that the program does not know.
#[must_use]
pub fn enum_value(number: i32, name: impl Into<String>) -> Observation {
    saw(Seen::EnumValue(ObservedEnum { number, name: name.into() }))
}

#[must_use]
pub fn list(items: Vec<Observation>) -> Observation {
    saw(Seen::List(ObservedList { items }))
}

/// A map, sorted by key: numbers by value, texts by code point.
#[must_use]
pub fn map(entries: impl IntoIterator<Item = (Observation, Observation)>) -> Observation {
    let mut entries: Vec<_> = entries.into_iter().collect();
    entries.sort_by(|(key, _), (other, _)| compare_keys(key, other));
    let entries = entries.into_iter().map(|(key, value)| ObservedEntry { key: Some(key), value: Some(value) });
    saw(Seen::Map(ObservedMap { entries: entries.collect() }))
}

#[must_use]
pub fn message(fields: Vec<ObservedField>, unknown_bytes: u64) -> Observation {
    saw(Seen::Message(ObservedMessage { fields, unknown_bytes }))
}

#[must_use]
pub fn field(name: impl Into<String>, value: Observation) -> ObservedField {
    ObservedField { name: name.into(), value: Some(value) }
}

/// Keys of other kinds keep the order in which the program has them.
fn compare_keys(key: &Observation, other: &Observation) -> Ordering {
    match (&key.seen, &other.seen) {
        (Some(Seen::Boolean(key)), Some(Seen::Boolean(other))) => key.cmp(other),
        (Some(Seen::Text(key)), Some(Seen::Text(other))) => key.cmp(other),
        (Some(Seen::Integer(key)), Some(Seen::Integer(other))) => match (key.parse::<i128>(), other.parse::<i128>()) {
            (Ok(key), Ok(other)) => key.cmp(&other),
            // Only a number above every i128 fails to parse.
            (key, other) => key.is_err().cmp(&other.is_err()),
        },
        _ => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: impl IntoIterator<Item = Observation>) -> Vec<Observation> {
        let Some(Seen::Map(map)) = map(keys.into_iter().map(|key| (key, null()))).seen else { unreachable!() };
        map.entries.into_iter().filter_map(|entry| entry.key).collect()
    }

    #[test]
    fn maps_are_sorted_by_key() {
        let numbers = [10, -1, 9].map(i64::from);
        assert_eq!(keys(numbers.map(integer)), [-1_i64, 9, 10].map(integer));
        assert_eq!(keys(["b", "", "\u{10000}", "\u{ff5e}"].map(text)), ["", "b", "\u{ff5e}", "\u{10000}"].map(text));
        assert_eq!(keys([true, false].map(boolean)), [false, true].map(boolean));
        assert_eq!(keys([large_integer(u128::MAX), integer(1)]), [integer(1), large_integer(u128::MAX)]);
    }

    #[test]
    fn there_is_one_nan_and_there_are_two_zeros() {
        assert_eq!(float(-f64::NAN), saw(Seen::FloatBits(0x7ff8_0000_0000_0000)));
        assert_ne!(float(0.0), float(-0.0));
    }
}
