use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::catalogue::Catalogue;
use crate::domain::{Availability, Money, Product, Score};
use crate::json::encoding::{enum_name, int64};
use crate::ranker::{Ranker, RankerError};
use crate::service::Recommender;

/// What the states set up so far change about the service.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scenario {
    /// Replaces the seed.
    products: Option<Vec<Product>>,
    ranker: Option<ScriptedRanker>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum StateError {
    Unknown(String),
    BadParams(String),
}

impl fmt::Display for StateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StateError::Unknown(name) => write!(formatter, "there is no provider state {name:?}"),
            StateError::BadParams(problem) => formatter.write_str(problem),
        }
    }
}

/// Stands in for the ranker.
#[derive(Debug, Clone, PartialEq)]
enum ScriptedRanker {
    Unavailable,
    Scoring(ScoreParams),
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ScoreParams {
    score: f64,
    #[serde(default)]
    confidence: Option<f64>,
    #[serde(default)]
    explanation: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProductParams {
    #[serde(deserialize_with = "int64::deserialize")]
    id: i64,
    #[serde(default = "default_name")]
    name: String,
    #[serde(default = "default_category")]
    category: String,
    #[serde(default)]
    discount: Option<f64>,
    #[serde(default = "default_availability", deserialize_with = "enum_name::deserialize")]
    availability: Availability,
}

impl Scenario {
    pub fn apply(&mut self, name: &str, params: serde_json::Value) -> Result<(), StateError> {
        match name {
            "" => {}
            "the catalogue is empty" => self.products = Some(Vec::new()),
            "the catalogue holds a product" => self.add(product(read(name, params)?)?),
            "the ranker scores every product" => self.ranker = Some(ScriptedRanker::Scoring(read(name, params)?)),
            "the ranker is unavailable" => self.ranker = Some(ScriptedRanker::Unavailable),
            unknown => return Err(StateError::Unknown(unknown.to_owned())),
        }
        Ok(())
    }

    pub fn recommender(&self, original: &Recommender) -> Recommender {
        let mut recommender = original.clone();
        if let Some(products) = &self.products {
            recommender.catalogue = Arc::new(Catalogue::new(products.clone()));
        }
        if let Some(ranker) = &self.ranker {
            let ranker = Arc::new(ranker.clone());
            recommender.http_ranker = ranker.clone();
            recommender.grpc_ranker = ranker;
        }
        recommender
    }

    /// An id names one product: setting up the same state twice is the same as once.
    fn add(&mut self, product: Product) {
        let products = self.products.get_or_insert_default();
        products.retain(|known| known.id != product.id);
        products.push(product);
    }
}

fn read<T: DeserializeOwned>(name: &str, params: serde_json::Value) -> Result<T, StateError> {
    serde_json::from_value(params).map_err(|error| StateError::BadParams(format!("params of {name:?}: {error}")))
}

fn product(params: ProductParams) -> Result<Product, StateError> {
    if params.id < 1 {
        return Err(StateError::BadParams(format!("id must be positive, not {}", params.id)));
    }
    if params.discount.is_some_and(|discount| !(0.0..=1.0).contains(&discount)) {
        return Err(StateError::BadParams("discount must be from 0 to 1".to_owned()));
    }
    Ok(Product {
        id: params.id,
        name: params.name,
        category: params.category,
        price: Money { currency_code: "EUR".to_owned(), units: 18, nanos: 900_000_000 },
        discount: params.discount,
        availability: params.availability,
        popularity: 0.5,
    })
}

fn default_name() -> String {
    "The Night Gardener".to_owned()
}

fn default_category() -> String {
    "books".to_owned()
}

fn default_availability() -> Availability {
    Availability::InStock
}

#[async_trait]
impl Ranker for ScriptedRanker {
    async fn score(&self, _user_id: Option<i64>, candidates: &[Product]) -> Result<Vec<Score>, RankerError> {
        let ScriptedRanker::Scoring(params) = self else {
            return Err(RankerError::Unavailable("so says the provider state".to_owned()));
        };
        let scores = candidates.iter().map(|candidate| Score {
            product_id: candidate.id,
            score: params.score,
            confidence: params.confidence,
            explanation: params.explanation.clone(),
        });
        Ok(scores.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn applied(states: &[(&str, Value)]) -> Scenario {
        let mut scenario = Scenario::default();
        for (name, params) in states {
            scenario.apply(name, params.clone()).expect(name);
        }
        scenario
    }

    fn ids(scenario: &Scenario) -> Option<Vec<i64>> {
        scenario.products.as_ref().map(|products| products.iter().map(|product| product.id).collect())
    }

    #[test]
    fn the_first_product_replaces_the_seed_and_more_are_added() {
        let product =
            |id: Value, discount: Value| ("the catalogue holds a product", json!({"id": id, "discount": discount}));
        let scenario = applied(&[product(json!("9007199254740993"), json!(null)), product(json!(2), json!(0.0))]);
        assert_eq!(ids(&scenario), Some(vec![9_007_199_254_740_993, 2]));
        let discounts: Vec<_> = scenario.products.iter().flatten().map(|product| product.discount).collect();
        assert_eq!(discounts, [None, Some(0.0)]);
        assert_eq!(ids(&applied(&[product(json!(2), json!(0.1)), product(json!(2), json!(0.2))])), Some(vec![2]));
        assert_eq!(ids(&applied(&[("the catalogue is empty", json!({}))])), Some(vec![]));
        assert_eq!(ids(&applied(&[("", json!(null))])), None);
    }

    #[test]
    fn the_ranker_says_what_the_state_says() {
        let params = json!({"score": 0.9, "confidence": null, "explanation": "20 % off"});
        let expected = ScoreParams { score: 0.9, confidence: None, explanation: Some("20 % off".to_owned()) };
        let scenario = applied(&[("the ranker scores every product", params)]);
        assert_eq!(scenario.ranker, Some(ScriptedRanker::Scoring(expected)));
        assert_eq!(applied(&[("the ranker is unavailable", json!({}))]).ranker, Some(ScriptedRanker::Unavailable));
    }

    #[test]
    fn unknown_states_and_bad_params_change_nothing() {
        let mut scenario = Scenario::default();
        assert_eq!(scenario.apply("no such state", json!({})), Err(StateError::Unknown("no such state".to_owned())));
        let bad = [
            json!({}),
            json!(null),
            json!({"id": "x"}),
            json!({"id": 0}),
            json!({"id": 1, "discount": 1.5}),
            json!({"id": 1, "availability": "IN_STOCK"}),
            json!({"id": 1, "discounts": 0.1}),
        ];
        for params in bad {
            let outcome = scenario.apply("the catalogue holds a product", params.clone());
            assert!(matches!(outcome, Err(StateError::BadParams(_))), "{params}");
        }
        assert_eq!(scenario, Scenario::default());
    }
}
