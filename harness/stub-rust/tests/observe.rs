//! How each of serde's shapes is observed.

use std::collections::{BTreeMap, HashMap};

use counterfoil_stub::observation::{
    absent, binary, boolean, enum_value, field, float, integer, large_integer, list, map, message, null, text,
};
use counterfoil_stub::observe;
use counterfoil_stub::protocol::Observation;
use serde::{Serialize, Serializer};

fn seen<T: Serialize>(value: T) -> Observation {
    observe(&value).expect("observable")
}

fn fields<const N: usize>(fields: [(&str, Observation); N]) -> Observation {
    message(fields.map(|(name, value)| field(name, value)).into(), 0)
}

#[test]
fn scalars() {
    assert_eq!(seen(true), boolean(true));
    assert_eq!([seen(i8::MIN), seen(i64::MIN)], [integer(-128), integer(i64::MIN)]);
    assert_eq!([seen(u8::MAX), seen(u64::MAX)], [integer(255), integer(u64::MAX)]);
    assert_eq!([seen(i128::MIN), seen(u128::MAX)], [integer(i128::MIN), large_integer(u128::MAX)]);
    assert_eq!([seen('é'), seen("")], [text("é"), text("")]);
}

#[test]
fn the_bits_of_floats_are_kept() {
    assert_eq!([seen(0.1_f32), seen(-0.0_f64)], [float(f64::from(0.1_f32)), float(-0.0)]);
    assert_ne!(seen(0.1_f32), seen(0.1_f64));
    assert_eq!(seen(f32::NAN), seen(-f64::NAN));
    assert_eq!(seen(f32::NEG_INFINITY), float(f64::NEG_INFINITY));
}

struct Bytes(&'static [u8]);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

#[test]
fn bytes_are_no_list() {
    assert_eq!(seen(Bytes(b"\0\xff")), binary(*b"\0\xff"));
    assert_eq!(seen(b"\0\xff"), list(vec![integer(0), integer(255)]));
}

#[derive(Serialize)]
struct Nothing;

#[derive(Serialize)]
struct Units(i64);

#[derive(Serialize)]
struct Pair(i64, &'static str);

#[test]
fn structs_without_names_for_their_fields() {
    assert_eq!([seen(()), seen(Nothing), seen(None::<Units>)], [null(), null(), null()]);
    assert_eq!([seen(Units(1)), seen(Some(Units(1)))], [integer(1), integer(1)]);
    assert_eq!(seen(Pair(1, "a")), list(vec![integer(1), text("a")]));
    assert_eq!(seen((1, "a")), list(vec![integer(1), text("a")]));
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Offer {
    product_id: i64,
    discount: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip)]
    #[allow(dead_code, reason = "not part of the message")]
    cached: bool,
    #[serde(serialize_with = "as_text")]
    units: i64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn as_text<S: Serializer>(value: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[test]
fn a_field_is_null_absent_or_empty() {
    let names = ["productId", "discount", "reason", "units"];
    let offer = |values: [Observation; 4]| fields::<4>(std::array::from_fn(|at| (names[at], values[at].clone())));
    assert_eq!(seen(Offer::default()), offer([integer(0), null(), absent(), text("0")]));
    let full = Offer { product_id: 1, discount: Some(0.0), reason: Some(""), cached: true, units: i64::MIN };
    assert_eq!(seen(full), offer([integer(1), float(0.0), text(""), text("-9223372036854775808")]));
}

#[derive(Serialize)]
enum Event {
    Created,
    Removed,
    Renamed(&'static str),
    Moved(i64, i64),
    Shown {
        #[serde(skip_serializing_if = "Option::is_none")]
        to: Option<i64>,
    },
}

#[test]
fn enums() {
    assert_eq!([seen(Event::Created), seen(Event::Removed)], [enum_value(0, "Created"), enum_value(1, "Removed")]);
    assert_eq!(seen(Event::Renamed("a")), fields([("Renamed", text("a"))]));
    assert_eq!(seen(Event::Moved(1, 2)), fields([("Moved", list(vec![integer(1), integer(2)]))]));
    assert_eq!(seen(Event::Shown { to: None }), fields([("Shown", fields([("to", absent())]))]));
    assert_eq!(seen(Event::Shown { to: Some(1) }), fields([("Shown", fields([("to", integer(1))]))]));
}

#[test]
fn lists_and_maps() {
    assert_eq!(seen(Vec::<i64>::new()), list(vec![]));
    assert_eq!(seen([Some(1), None]), list(vec![integer(1), null()]));
    let by_number: HashMap<i64, _> = [(10, "b"), (-1, "a"), (9, "")].into();
    assert_eq!(seen(by_number), map([(integer(-1), text("a")), (integer(9), text("")), (integer(10), text("b"))]));
    assert_eq!(seen(BTreeMap::<String, i64>::new()), map([]));
}

#[derive(Serialize)]
struct Page {
    size: i64,
    #[serde(flatten)]
    offer: Units2,
}

#[derive(Serialize)]
struct Units2 {
    units: i64,
}

#[test]
fn a_flattened_struct_is_a_map() {
    let page = Page { size: 1, offer: Units2 { units: 2 } };
    assert_eq!(seen(page), map([(text("size"), integer(1)), (text("units"), integer(2))]));
}

struct Stubborn;

impl Serialize for Stubborn {
    fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not today"))
    }
}

#[test]
fn a_value_may_refuse() {
    assert_eq!(observe(&[Stubborn]).expect_err("refused").to_string(), "not today");
}

enum Chain {
    End,
    Link(Box<Chain>),
}

impl Serialize for Chain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Chain::End => serializer.serialize_unit(),
            Chain::Link(rest) => serializer.serialize_newtype_variant("Chain", 0, "Link", &**rest),
        }
    }
}

#[test]
fn every_kind_of_nesting_has_an_end() {
    let chain = |links: usize| (0..links).fold(Chain::End, |chain, _| Chain::Link(Box::new(chain)));
    assert!(observe(&chain(200)).is_ok());
    assert!(observe(&chain(201)).is_err());
}
