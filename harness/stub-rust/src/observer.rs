//! Observes any value that serde can serialize.

use std::fmt::Display;

use serde::ser::{
    self, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use crate::observation::{
    Unobservable, absent, below, binary, boolean, enum_value, field, float, integer, large_integer, list, map, message,
    null, text,
};
use crate::protocol::{Observation, ObservedField};

/// Observes a decoded value, to its last field, as its `Serialize` shows it.
///
/// `None` and `()` are null; `Some(value)` is the value. A struct is a message of all its fields; one that
/// `skip_serializing_if` leaves out is absent. A struct with `#[serde(flatten)]` is a map: that is how serde shows it.
/// A unit variant of an enum is an enum value, numbered in the order of declaration; any other variant is a message with
/// one field, named like the variant. Where the code serializes an integer as text, text is what is seen.
///
/// # Errors
/// When the value is nested too deeply, or its `Serialize` fails.
pub fn observe<T: Serialize + ?Sized>(value: &T) -> Result<Observation, Unobservable> {
    value.serialize(Observer { depth: 0 })
}

impl ser::Error for Unobservable {
    fn custom<T: Display>(message: T) -> Self {
        Unobservable::Refused(message.to_string())
    }
}

#[derive(Clone, Copy)]
struct Observer {
    depth: usize,
}

impl Observer {
    fn below(self) -> Result<Observer, Unobservable> {
        below(self.depth).map(|depth| Observer { depth })
    }

    fn items(self, variant: Option<&'static str>) -> Result<Items, Unobservable> {
        Ok(Items { observer: self.below()?, variant, seen: Vec::new() })
    }

    fn fields(self, variant: Option<&'static str>) -> Result<Fields, Unobservable> {
        Ok(Fields { observer: self.below()?, variant, seen: Vec::new() })
    }
}

/// The content of an enum's variant, which serde shows as an object with one member.
fn in_variant(variant: Option<&'static str>, content: Observation) -> Observation {
    match variant {
        Some(name) => message(vec![field(name, content)], 0),
        None => content,
    }
}

macro_rules! observed_as {
    ($($method:ident($type:ty) => $observation:expr;)*) => {
        $(fn $method(self, value: $type) -> Result<Observation, Unobservable> {
            Ok($observation(value))
        })*
    };
}

impl Serializer for Observer {
    type Ok = Observation;
    type Error = Unobservable;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Entries;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Fields;

    observed_as! {
        serialize_bool(bool) => boolean;
        serialize_i8(i8) => integer;
        serialize_i16(i16) => integer;
        serialize_i32(i32) => integer;
        serialize_i64(i64) => integer;
        serialize_i128(i128) => integer;
        serialize_u8(u8) => integer;
        serialize_u16(u16) => integer;
        serialize_u32(u32) => integer;
        serialize_u64(u64) => integer;
        serialize_u128(u128) => large_integer;
        serialize_f32(f32) => |value| float(f64::from(value));
        serialize_f64(f64) => float;
        serialize_char(char) => text;
        serialize_str(&str) => text;
        serialize_bytes(&[u8]) => binary;
        serialize_unit_struct(&'static str) => |_| null();
    }

    fn serialize_none(self) -> Result<Observation, Unobservable> {
        Ok(null())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Observation, Unobservable> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Observation, Unobservable> {
        Ok(null())
    }

    fn serialize_unit_variant(
        self,
        _type: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<Observation, Unobservable> {
        let number = i32::try_from(index).map_err(ser::Error::custom)?;
        Ok(enum_value(number, variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _type: &'static str,
        value: &T,
    ) -> Result<Observation, Unobservable> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _type: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Observation, Unobservable> {
        Ok(in_variant(Some(variant), value.serialize(self.below()?)?))
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Items, Unobservable> {
        self.items(None)
    }

    fn serialize_tuple(self, _len: usize) -> Result<Items, Unobservable> {
        self.items(None)
    }

    fn serialize_tuple_struct(self, _type: &'static str, _len: usize) -> Result<Items, Unobservable> {
        self.items(None)
    }

    fn serialize_tuple_variant(
        self,
        _type: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Items, Unobservable> {
        self.below()?.items(Some(variant))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Entries, Unobservable> {
        Ok(Entries { observer: self.below()?, key: None, seen: Vec::new() })
    }

    fn serialize_struct(self, _type: &'static str, _len: usize) -> Result<Fields, Unobservable> {
        self.fields(None)
    }

    fn serialize_struct_variant(
        self,
        _type: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Fields, Unobservable> {
        self.below()?.fields(Some(variant))
    }
}

/// Of a list, or a tuple.
struct Items {
    observer: Observer,
    variant: Option<&'static str>,
    seen: Vec<Observation>,
}

impl Items {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unobservable> {
        self.seen.push(value.serialize(self.observer)?);
        Ok(())
    }

    fn finish(self) -> Observation {
        in_variant(self.variant, list(self.seen))
    }
}

macro_rules! serialized_as_items {
    ($($trait:ident::$method:ident;)*) => {
        $(impl $trait for Items {
            type Ok = Observation;
            type Error = Unobservable;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unobservable> {
                self.push(value)
            }

            fn end(self) -> Result<Observation, Unobservable> {
                Ok(self.finish())
            }
        })*
    };
}

serialized_as_items! {
    SerializeSeq::serialize_element;
    SerializeTuple::serialize_element;
    SerializeTupleStruct::serialize_field;
    SerializeTupleVariant::serialize_field;
}

/// Of a struct.
struct Fields {
    observer: Observer,
    variant: Option<&'static str>,
    seen: Vec<ObservedField>,
}

impl Fields {
    fn finish(self) -> Observation {
        in_variant(self.variant, message(self.seen, 0))
    }
}

macro_rules! serialized_as_fields {
    ($($trait:ident)*) => {
        $(impl $trait for Fields {
            type Ok = Observation;
            type Error = Unobservable;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Unobservable> {
                self.seen.push(field(name, value.serialize(self.observer)?));
                Ok(())
            }

            fn skip_field(&mut self, name: &'static str) -> Result<(), Unobservable> {
                self.seen.push(field(name, absent()));
                Ok(())
            }

            fn end(self) -> Result<Observation, Unobservable> {
                Ok(self.finish())
            }
        })*
    };
}

serialized_as_fields! { SerializeStruct SerializeStructVariant }

/// Of a map.
struct Entries {
    observer: Observer,
    key: Option<Observation>,
    seen: Vec<(Observation, Observation)>,
}

impl SerializeMap for Entries {
    type Ok = Observation;
    type Error = Unobservable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unobservable> {
        self.key = Some(key.serialize(self.observer)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unobservable> {
        let key = self.key.take().ok_or_else(|| ser::Error::custom("a map shows a value before its key"))?;
        self.seen.push((key, value.serialize(self.observer)?));
        Ok(())
    }

    fn end(self) -> Result<Observation, Unobservable> {
        Ok(map(self.seen))
    }
}
