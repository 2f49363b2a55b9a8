use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode};
use axum::response::IntoResponse;
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::scenario::StateError;
use super::{ProviderStates, message};
use crate::http_door::{Body, HttpError, json_body};
use crate::json;

const METADATA_HEADER: HeaderName = HeaderName::from_static("pact-message-metadata");
const TOPIC: &str = "recommendation-served";

/// As Pact's verifier sends it before and after an interaction.
#[derive(Deserialize)]
struct StateChange {
    state: String,
    #[serde(default)]
    params: Value,
    #[serde(default)]
    action: Action,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    #[default]
    Setup,
    Teardown,
}

/// As Pact's verifier asks for a message.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageRequest {
    description: String,
    #[serde(default)]
    provider_states: Vec<NamedState>,
}

#[derive(Deserialize)]
struct NamedState {
    name: String,
    #[serde(default)]
    params: Value,
}

pub fn router(states: ProviderStates) -> Router {
    Router::new()
        .route("/_pact/provider-states", post(change_state))
        .route("/_pact/messages", post(emit_message))
        .with_state(Arc::new(states))
}

impl From<StateError> for HttpError {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Unknown(_) => HttpError::new(StatusCode::NOT_FOUND, "UNKNOWN_STATE", error.to_string()),
            StateError::BadParams(_) => HttpError::invalid_argument(error.to_string()),
        }
    }
}

async fn change_state(State(states): State<Arc<ProviderStates>>, body: Body) -> Result<impl IntoResponse, HttpError> {
    let change: StateChange = json::decode(&body?)?;
    match change.action {
        Action::Setup => states.set_up(&change.state, change.params)?,
        Action::Teardown => states.reset(),
    }
    Ok(json_body(&json!({})))
}

/// The request's own states count for this message only, on top of those that were set up.
async fn emit_message(State(states): State<Arc<ProviderStates>>, body: Body) -> Result<impl IntoResponse, HttpError> {
    let request: MessageRequest = json::decode(&body?)?;
    let Some((query, channel)) = message::cause(&request.description) else {
        let problem = format!("there is no message {:?}", request.description);
        return Err(HttpError::new(StatusCode::NOT_FOUND, "NOT_FOUND", problem));
    };
    let mut scenario = states.scenario().clone();
    for state in request.provider_states {
        scenario.apply(&state.name, state.params)?;
    }
    let event = message::emitted(scenario.recommender(&states.original), &query, channel).await;
    let event = event.ok_or_else(|| HttpError::invalid_argument("in this state there is nothing to recommend"))?;
    let metadata = json!({"contentType": "application/json", "topic": TOPIC}).to_string();
    Ok(([(METADATA_HEADER, STANDARD.encode(metadata))], json_body(&event)))
}
