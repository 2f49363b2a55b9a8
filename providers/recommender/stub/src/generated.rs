//! Shows the messages of the schema's generated code to serde, which that code knows nothing of.

use std::collections::HashMap;

use prost_types::Timestamp;
use recommender::schema::{
    Candidate, GetRecommendationsRequest, GetRecommendationsResponse, Money, Product, Recommendation,
    ScoreCandidatesRequest, ScoreCandidatesResponse, ScoredCandidate, UserContext,
};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// A value as its fields are named in the code.
pub struct Shown<T>(pub T);

/// The type of a field of generated code, or of a message.
pub trait Field {
    fn show<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

impl<T: Field> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.show(serializer)
    }
}

impl<T: Field> Field for &T {
    fn show<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).show(serializer)
    }
}

impl<T: Field> Field for Option<T> {
    fn show<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().map(Shown).serialize(serializer)
    }
}

impl<T: Field> Field for Vec<T> {
    fn show<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Shown))
    }
}

macro_rules! serialized_by_themselves {
    ($($type:ty),*) => {
        $(impl Field for $type {
            fn show<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.serialize(serializer)
            }
        })*
    };
}

serialized_by_themselves! { f64, i32, i64, String, HashMap<String, String> }

/// Does not compile when a field is missing.
macro_rules! messages {
    ($($message:ident { $($field:ident),* })*) => {
        $(impl Field for $message {
            fn show<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let Self { $($field),* } = self;
                let names = [$(stringify!($field)),*];
                let mut fields = serializer.serialize_struct(stringify!($message), names.len())?;
                $(fields.serialize_field(stringify!($field), &Shown($field))?;)*
                fields.end()
            }
        })*
    };
}

messages! {
    Candidate { product_id, category, price, discount, availability }
    GetRecommendationsRequest { user_context, limit, categories }
    GetRecommendationsResponse { request_id, recommendations, generated_at }
    Money { currency_code, units, nanos }
    Product { id, name, category, price, discount, availability }
    Recommendation { product, score, confidence, reason }
    ScoreCandidatesRequest { user_id, candidates }
    ScoreCandidatesResponse { model_version, scores }
    ScoredCandidate { product_id, score, confidence, explanation }
    Timestamp { seconds, nanos }
    UserContext { user_id, locale, attributes }
}
