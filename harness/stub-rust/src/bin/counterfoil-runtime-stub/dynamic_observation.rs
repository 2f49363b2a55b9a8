//! Observes dynamic messages.

use counterfoil_stub::observation::{
    Unobservable, below, binary, boolean, enum_value, field, float, integer, list, map, message, text,
};
use counterfoil_stub::protocol::Observation;
use prost_reflect::{DynamicMessage, EnumDescriptor, Kind, MapKey, Value};

/// Lists the fields that are set, differ from their default, or have elements, in the order of their numbers.
///
/// # Errors
/// When the message is nested too deeply.
pub fn observe(message: &DynamicMessage) -> Result<Observation, Unobservable> {
    observe_message(message, 0)
}

fn observe_message(seen: &DynamicMessage, depth: usize) -> Result<Observation, Unobservable> {
    let mut fields = Vec::new();
    for (kind, value) in seen.fields() {
        fields.push((kind.number(), field(kind.name(), observe_value(value, &kind.kind(), depth)?)));
    }
    for (kind, value) in seen.extensions() {
        let name = format!("[{}]", kind.full_name());
        fields.push((kind.number(), field(name, observe_value(value, &kind.kind(), depth)?)));
    }
    fields.sort_by_key(|(number, _)| *number);
    let unknown_bytes = seen.unknown_fields().map(|unknown| unknown.encoded_len() as u64).sum();
    Ok(message(fields.into_iter().map(|(_, field)| field).collect(), unknown_bytes))
}

/// `kind` is that of a list's items and, for a map, its entry message.
fn observe_value(value: &Value, kind: &Kind, depth: usize) -> Result<Observation, Unobservable> {
    Ok(match value {
        Value::Bool(value) => boolean(*value),
        Value::I32(value) => integer(*value),
        Value::I64(value) => integer(*value),
        Value::U32(value) => integer(*value),
        Value::U64(value) => integer(*value),
        Value::F32(value) => float(f64::from(*value)),
        Value::F64(value) => float(*value),
        Value::String(value) => text(value.as_str()),
        Value::Bytes(value) => binary(&**value),
        Value::EnumNumber(number) => enum_value(*number, enum_name(kind.as_enum(), *number)),
        Value::Message(value) => observe_message(value, below(depth)?)?,
        Value::List(values) => {
            list(values.iter().map(|value| observe_value(value, kind, depth)).collect::<Result<_, _>>()?)
        }
        Value::Map(values) => {
            let value_kind = kind.as_message().expect("a map's kind is its entry").map_entry_value_field().kind();
            let observe_entry = |(key, value)| Ok((observe_key(key), observe_value(value, &value_kind, depth)?));
            map(values.iter().map(observe_entry).collect::<Result<Vec<_>, _>>()?)
        }
    })
}

fn observe_key(key: &MapKey) -> Observation {
    match key {
        MapKey::Bool(key) => boolean(*key),
        MapKey::I32(key) => integer(*key),
        MapKey::I64(key) => integer(*key),
        MapKey::U32(key) => integer(*key),
        MapKey::U64(key) => integer(*key),
        MapKey::String(key) => text(key.as_str()),
    }
}

fn enum_name(kind: Option<&EnumDescriptor>, number: i32) -> String {
    kind.and_then(|kind| kind.get_value(number)).map(|value| value.name().to_owned()).unwrap_or_default()
}
