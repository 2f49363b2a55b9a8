//! What the recommender needs of the ranker over HTTP, asked through the client that production uses.
//!
//! One interaction for each state of each optional field: Pact has no optional matcher, on purpose.

use std::env;
use std::path::PathBuf;

use pact_consumer::prelude::*;
use recommender::domain::{Availability, Money, Product, Score};
use recommender::ranker::{HttpRanker, Ranker, RankerError};
use serde_json::{Value, json};

const USER: i64 = 9_007_199_254_741_993;
const BOOK: i64 = 9_007_199_254_740_993;
const POT: i64 = 9_007_199_254_741_000;

/// One exchange: what the client is asked, and what goes over the wire.
struct Exchange {
    description: &'static str,
    states: Vec<(&'static str, Value)>,
    user_id: Option<i64>,
    candidates: Vec<Product>,
    request: JsonPattern,
    status: u16,
    response: JsonPattern,
}

impl Exchange {
    async fn run(self) -> Result<Vec<Score>, RankerError> {
        let mut pact = PactBuilder::new_v4("recommender", "ranker");
        pact.with_output_dir(pact_dir());
        let Exchange { description, states, user_id, candidates, request, status, response } = self;
        pact.interaction(description, "", |mut interaction| {
            for (name, params) in &states {
                interaction.given_with_params(*name, params);
            }
            interaction.request.post().path("/v1/scores").content_type("application/json").json_body(request);
            interaction.response.status(status).content_type("application/json").json_body(response);
            interaction
        });
        let server = pact.start_mock_server(None, None);
        let address = server.url().as_str().parse().expect("the mock server has a URL");
        HttpRanker::new(&address).score(user_id, &candidates).await
    }
}

fn pact_dir() -> PathBuf {
    // Cargo runs tests in the folder of their package.
    env::var_os("PACT_DIR").map_or_else(|| PathBuf::from("../../contracts/pacts"), PathBuf::from)
}

fn book(discount: Option<f64>) -> Product {
    Product {
        id: BOOK,
        name: "The Night Gardener".to_owned(),
        category: "books".to_owned(),
        price: Money { currency_code: "EUR".to_owned(), units: 18, nanos: 900_000_000 },
        discount,
        availability: Availability::InStock,
        popularity: 0.91,
    }
}

fn pot() -> Product {
    Product {
        id: POT,
        name: "Terracotta Pot 20 cm".to_owned(),
        category: "garden".to_owned(),
        availability: Availability::Backorder,
        ..book(None)
    }
}

fn book_candidate(discount: Value) -> JsonPattern {
    json_pattern!({
        "productId": BOOK.to_string(),
        "category": "books",
        "price": { "currencyCode": "EUR", "units": "18", "nanos": 900_000_000 },
        "discount": discount,
        "availability": "AVAILABILITY_IN_STOCK",
    })
}

fn pot_candidate() -> JsonPattern {
    json_pattern!({
        "productId": POT.to_string(),
        "category": "garden",
        "price": { "currencyCode": "EUR", "units": "18", "nanos": 900_000_000 },
        "discount": Value::Null,
        "availability": "AVAILABILITY_BACKORDER",
    })
}

fn asked_for(user_id: i64, candidates: Vec<JsonPattern>) -> JsonPattern {
    json_pattern!({ "userId": user_id.to_string(), "candidates": candidates })
}

fn scored(product_id: i64, confidence: impl Into<JsonPattern>, explanation: impl Into<JsonPattern>) -> JsonPattern {
    let (confidence, explanation) = (confidence.into(), explanation.into());
    json_pattern!({
        "productId": product_id.to_string(),
        "score": like!(0.75),
        "confidence": confidence,
        "explanation": explanation,
    })
}

fn scores(scores: Vec<JsonPattern>) -> JsonPattern {
    json_pattern!({ "modelVersion": like!("linear-1"), "scores": scores })
}

fn refusal(code: &str) -> JsonPattern {
    json_pattern!({ "error": { "code": code, "message": like!("candidates must not be empty") } })
}

/// Likes books, and lower prices; garden things are all the same to them.
fn a_profile_is_known() -> (&'static str, Value) {
    let params = json!({
        "userId": USER.to_string(), "priceSensitivity": 0.8, "categoryAffinity": { "books": 0.9 }
    });
    ("a profile is known", params)
}

fn no_profile_is_known() -> (&'static str, Value) {
    ("no profile is known", json!({ "userId": USER.to_string() }))
}

fn score(product_id: i64, confidence: Option<f64>, explanation: Option<&str>) -> Score {
    Score { product_id, score: 0.75, confidence, explanation: explanation.map(str::to_owned) }
}

fn null() -> JsonPattern {
    JsonPattern::null()
}

/// What a customer with a profile gets for the book at one discount.
async fn score_of_the_book(description: &'static str, discount: Option<f64>) -> Result<Vec<Score>, RankerError> {
    let exchange = Exchange {
        description,
        states: vec![a_profile_is_known()],
        user_id: Some(USER),
        candidates: vec![book(discount)],
        request: asked_for(USER, vec![book_candidate(json!(discount))]),
        status: 200,
        response: scores(vec![scored(BOOK, like!(0.6), like!("Because you like books"))]),
    };
    exchange.run().await
}

#[tokio::test]
async fn a_score_for_a_product_with_a_discount() {
    let scores = score_of_the_book("a score for a product with a discount", Some(0.25)).await;
    assert_eq!(scores, Ok(vec![score(BOOK, Some(0.6), Some("Because you like books"))]));
}

#[tokio::test]
async fn a_score_for_a_product_with_a_discount_of_zero() {
    let scores = score_of_the_book("a score for a product with a discount of zero", Some(0.0)).await;
    assert_eq!(scores, Ok(vec![score(BOOK, Some(0.6), Some("Because you like books"))]));
}

#[tokio::test]
async fn a_score_for_a_product_without_a_discount() {
    let scores = score_of_the_book("a score for a product without a discount", None).await;
    assert_eq!(scores, Ok(vec![score(BOOK, Some(0.6), Some("Because you like books"))]));
}

#[tokio::test]
async fn a_score_with_a_confidence_and_without_an_explanation() {
    let exchange = Exchange {
        description: "a score with a confidence and without an explanation",
        states: vec![a_profile_is_known()],
        user_id: Some(USER),
        candidates: vec![pot()],
        request: asked_for(USER, vec![pot_candidate()]),
        status: 200,
        response: scores(vec![scored(POT, like!(0.6), null())]),
    };
    assert_eq!(exchange.run().await, Ok(vec![score(POT, Some(0.6), None)]));
}

#[tokio::test]
async fn a_score_without_a_confidence() {
    let exchange = Exchange {
        description: "a score without a confidence",
        states: vec![no_profile_is_known()],
        user_id: Some(USER),
        candidates: vec![pot()],
        request: asked_for(USER, vec![pot_candidate()]),
        status: 200,
        response: scores(vec![scored(POT, null(), null())]),
    };
    assert_eq!(exchange.run().await, Ok(vec![score(POT, None, None)]));
}

#[tokio::test]
async fn a_score_for_an_anonymous_visitor() {
    let exchange = Exchange {
        description: "a score for an anonymous visitor",
        states: vec![],
        user_id: None,
        candidates: vec![pot()],
        request: json_pattern!({ "candidates": vec![pot_candidate()] }),
        status: 200,
        response: scores(vec![scored(POT, null(), null())]),
    };
    assert_eq!(exchange.run().await, Ok(vec![score(POT, None, None)]));
}

#[tokio::test]
async fn a_score_while_the_storefront_is_unavailable() {
    let exchange = Exchange {
        description: "a score while the storefront is unavailable",
        states: vec![("the storefront is unavailable", json!({}))],
        user_id: Some(USER),
        candidates: vec![pot()],
        request: asked_for(USER, vec![pot_candidate()]),
        status: 200,
        response: scores(vec![scored(POT, null(), null())]),
    };
    assert_eq!(exchange.run().await, Ok(vec![score(POT, None, None)]));
}

#[tokio::test]
async fn scores_in_the_order_of_the_candidates() {
    let exchange = Exchange {
        description: "scores in the order of the candidates",
        states: vec![a_profile_is_known()],
        user_id: Some(USER),
        candidates: vec![pot(), book(Some(0.25))],
        request: asked_for(USER, vec![pot_candidate(), book_candidate(json!(0.25))]),
        status: 200,
        response: scores(vec![
            scored(POT, like!(0.6), null()),
            scored(BOOK, like!(0.6), like!("Because you like books")),
        ]),
    };
    let expected = vec![score(POT, Some(0.6), None), score(BOOK, Some(0.6), Some("Because you like books"))];
    assert_eq!(exchange.run().await, Ok(expected));
}

#[tokio::test]
async fn a_score_for_a_product_that_was_lately_shown() {
    let shown = json!({ "userId": USER.to_string(), "productIds": [BOOK.to_string()] });
    let exchange = Exchange {
        description: "a score for a product that was lately shown",
        states: vec![a_profile_is_known(), ("the user was lately shown", shown)],
        user_id: Some(USER),
        candidates: vec![book(Some(0.25))],
        request: asked_for(USER, vec![book_candidate(json!(0.25))]),
        status: 200,
        response: scores(vec![scored(BOOK, like!(0.6), like!("Because you like books"))]),
    };
    assert_eq!(exchange.run().await, Ok(vec![score(BOOK, Some(0.6), Some("Because you like books"))]));
}

#[tokio::test]
async fn discontinued_candidates_are_left_out() {
    let discontinued = Product { availability: Availability::Discontinued, ..pot() };
    let candidate = json_pattern!({
        "productId": POT.to_string(),
        "category": "garden",
        "price": { "currencyCode": "EUR", "units": "18", "nanos": 900_000_000 },
        "discount": Value::Null,
        "availability": "AVAILABILITY_DISCONTINUED",
    });
    let exchange = Exchange {
        description: "no score for a discontinued product",
        states: vec![no_profile_is_known()],
        user_id: Some(USER),
        candidates: vec![discontinued],
        request: asked_for(USER, vec![candidate]),
        status: 200,
        response: scores(vec![]),
    };
    assert_eq!(exchange.run().await, Ok(vec![]));
}

#[tokio::test]
async fn a_request_without_candidates_is_refused() {
    let exchange = Exchange {
        description: "a request without candidates",
        states: vec![],
        user_id: None,
        candidates: vec![],
        request: json_pattern!({ "candidates": Vec::<JsonPattern>::new() }),
        status: 400,
        response: refusal("INVALID_ARGUMENT"),
    };
    let refused = "INVALID_ARGUMENT: candidates must not be empty".to_owned();
    assert_eq!(exchange.run().await, Err(RankerError::Refused(refused)));
}
