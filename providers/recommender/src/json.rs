//! The messages as the doors and clients read and write them in JSON: the protobuf JSON mapping of the schema.
//!
//! Reading follows that mapping: a field that is absent has its default, `null` stands for absence where there is
//! such a thing, an int64 is a string or an integer, unknown fields are ignored. Writing is this service's own habit:
//! an absent number is `null`, an absent text is left out.

pub(crate) mod encoding;
mod mapping;

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::schema::{Availability, Channel};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Money {
    pub currency_code: String,
    #[serde(with = "encoding::int64")]
    pub units: i64,
    pub nanos: i32,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Product {
    #[serde(with = "encoding::int64")]
    pub id: i64,
    pub name: String,
    pub category: String,
    #[serde(deserialize_with = "encoding::message_or_null")]
    pub price: Option<Money>,
    pub discount: Option<f64>,
    #[serde(with = "encoding::enum_name")]
    pub availability: Availability,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UserContext {
    #[serde(with = "encoding::int64")]
    pub user_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    #[serde(deserialize_with = "encoding::default_for_null")]
    pub attributes: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GetRecommendationsRequest {
    #[serde(deserialize_with = "encoding::message_or_null", skip_serializing_if = "Option::is_none")]
    pub user_context: Option<UserContext>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i32>,
    #[serde(deserialize_with = "encoding::default_for_null")]
    pub categories: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Recommendation {
    #[serde(deserialize_with = "encoding::message_or_null")]
    pub product: Option<Product>,
    pub score: f64,
    pub confidence: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GetRecommendationsResponse {
    pub request_id: String,
    #[serde(deserialize_with = "encoding::messages")]
    pub recommendations: Vec<Recommendation>,
    /// RFC 3339 with Z.
    #[serde(deserialize_with = "encoding::default_for_null")]
    pub generated_at: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Candidate {
    #[serde(with = "encoding::int64")]
    pub product_id: i64,
    pub category: String,
    #[serde(deserialize_with = "encoding::message_or_null")]
    pub price: Option<Money>,
    pub discount: Option<f64>,
    #[serde(with = "encoding::enum_name")]
    pub availability: Availability,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ScoreCandidatesRequest {
    #[serde(with = "encoding::optional_int64", skip_serializing_if = "Option::is_none")]
    pub user_id: Option<i64>,
    #[serde(deserialize_with = "encoding::messages")]
    pub candidates: Vec<Candidate>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ScoredCandidate {
    #[serde(with = "encoding::int64")]
    pub product_id: i64,
    pub score: f64,
    pub confidence: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ScoreCandidatesResponse {
    pub model_version: String,
    #[serde(deserialize_with = "encoding::messages")]
    pub scores: Vec<ScoredCandidate>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RecommendationServed {
    pub event_id: String,
    pub request_id: String,
    #[serde(with = "encoding::optional_int64")]
    pub user_id: Option<i64>,
    #[serde(with = "encoding::int64_list")]
    pub product_ids: Vec<i64>,
    /// RFC 3339 with Z.
    #[serde(deserialize_with = "encoding::default_for_null")]
    pub served_at: String,
    #[serde(with = "encoding::enum_name")]
    pub channel: Channel,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    #[serde(deserialize_with = "encoding::default_for_null")]
    pub attributes: BTreeMap<String, String>,
}

/// The body of every answer that is an error, ours and the ranker's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    pub error: ErrorDetail,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorDetail {
    pub code: String,
    pub message: String,
}

/// A body that is not the expected message.
#[derive(Debug)]
pub struct DecodeError(serde_json::Error);

impl fmt::Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the body is not the expected JSON object: {}", self.0)
    }
}

impl std::error::Error for DecodeError {}

/// Reads a whole body.
///
/// # Errors
/// When the body is not UTF-8, not one JSON object, or a field has a value of another type.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    encoding::decode_message(body).map_err(DecodeError)
}

/// Writes a message.
///
/// # Panics
/// Never for the messages of this module: they hold nothing that JSON cannot carry.
pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    serde_json::to_vec(message).expect("a message of this module can be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written<T: Serialize>(message: &T) -> String {
        String::from_utf8(encode(message)).expect("UTF-8")
    }

    #[test]
    fn an_absent_number_is_written_as_null_and_an_absent_text_not_at_all() {
        let none = Recommendation { product: Some(Product::default()), ..Recommendation::default() };
        let product = concat!(
            r#"{"id":"0","name":"","category":"","price":null,"discount":null,"#,
            r#""availability":"AVAILABILITY_UNSPECIFIED"}"#
        );
        assert_eq!(written(&none), format!(r#"{{"product":{product},"score":0.0,"confidence":null}}"#));
        let some = Recommendation { confidence: Some(0.0), reason: Some(String::new()), ..Recommendation::default() };
        assert_eq!(written(&some), r#"{"product":null,"score":0.0,"confidence":0.0,"reason":""}"#);
    }

    #[test]
    fn the_ranker_is_asked_without_a_user_id_for_an_anonymous_visitor() {
        let request = ScoreCandidatesRequest { user_id: None, candidates: vec![] };
        assert_eq!(written(&request), r#"{"candidates":[]}"#);
        let request = ScoreCandidatesRequest { user_id: Some(i64::MIN), candidates: vec![Candidate::default()] };
        let candidate =
            r#"{"productId":"0","category":"","price":null,"discount":null,"availability":"AVAILABILITY_UNSPECIFIED"}"#;
        assert_eq!(written(&request), format!(r#"{{"userId":"-9223372036854775808","candidates":[{candidate}]}}"#));
    }

    #[test]
    fn absence_and_null_are_the_same_and_unknown_fields_are_ignored() {
        let absent: GetRecommendationsRequest = decode(b"{}").expect("readable");
        let null: GetRecommendationsRequest =
            decode(br#"{"userContext":null,"limit":null,"categories":null,"later":[1]}"#).expect("readable");
        assert_eq!((&absent, &null), (&GetRecommendationsRequest::default(), &absent));
        let context: GetRecommendationsRequest =
            decode(br#"{"userContext":{"userId":1,"locale":null,"attributes":null}}"#).expect("readable");
        assert_eq!(context.user_context, Some(UserContext { user_id: 1, ..UserContext::default() }));
        let empty: UserContext = decode(br#"{"locale":""}"#).expect("readable");
        assert_eq!(empty.locale.as_deref(), Some(""));
    }

    #[test]
    fn an_int64_is_a_string_or_an_integer() {
        let read = |value: &str| decode::<ScoreCandidatesRequest>(format!(r#"{{"userId":{value}}}"#).as_bytes());
        for value in [r#""9007199254740993""#, "9007199254740993"] {
            assert_eq!(read(value).expect(value).user_id, Some(9_007_199_254_740_993));
        }
        assert_eq!(read(r#""-9223372036854775808""#).expect("readable").user_id, Some(i64::MIN));
        assert_eq!(read("null").expect("readable").user_id, None);
        for value in ["9223372036854775808", r#""9223372036854775808""#, "1.5", r#""""#, r#""x""#, "true", "[1]", "{}"]
        {
            assert!(read(value).is_err(), "{value}");
        }
    }

    #[test]
    fn a_message_is_an_object_at_every_depth() {
        for body in ["", "null", "[]", "1", "{}{}", r#"{"limit":1,"limit":2}"#, r#"{"userContext":[]}"#, "{\"a\":1,}"] {
            assert!(decode::<GetRecommendationsRequest>(body.as_bytes()).is_err(), "{body}");
        }
        assert!(decode::<GetRecommendationsRequest>(b"{\"categories\":[\"\xff\"]}").is_err());
        assert!(decode::<ScoreCandidatesRequest>(br#"{"candidates":[["1"]]}"#).is_err());
        assert!(decode::<ScoreCandidatesRequest>(br#"{"candidates":[null]}"#).is_err());
    }

    #[test]
    fn enums_go_by_name() {
        let read = |value: &str| decode::<Candidate>(format!(r#"{{"availability":{value}}}"#).as_bytes());
        assert_eq!(read(r#""AVAILABILITY_BACKORDER""#).expect("readable").availability, Availability::Backorder);
        assert!(read(r#""BACKORDER""#).is_err());
        assert!(read("2").is_err());
    }

    #[test]
    fn what_is_written_can_be_read() {
        let event = RecommendationServed {
            event_id: "e".to_owned(),
            product_ids: vec![i64::MAX, i64::MIN],
            channel: Channel::Grpc,
            attributes: BTreeMap::from([("device".to_owned(), String::new())]),
            ..RecommendationServed::default()
        };
        assert_eq!(decode::<RecommendationServed>(&encode(&event)).expect("readable"), event);
    }
}
