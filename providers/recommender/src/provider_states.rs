//! Puts the service into the states that its consumers' contracts name. Served only when `PROVIDER_STATES=1`.

mod message;
mod routes;
mod scenario;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use self::routes::router;
use self::scenario::{Scenario, StateError};
use crate::service::{Recommender, SharedRecommender};

pub struct ProviderStates {
    /// The service as it was started.
    original: Recommender,
    shared: SharedRecommender,
    scenario: Mutex<Scenario>,
}

impl ProviderStates {
    #[must_use]
    pub fn new(shared: SharedRecommender) -> Self {
        let original = (*shared.current()).clone();
        ProviderStates { original, shared, scenario: Mutex::default() }
    }

    fn set_up(&self, name: &str, params: serde_json::Value) -> Result<(), StateError> {
        let mut scenario = self.scenario();
        let mut changed = scenario.clone();
        changed.apply(name, params)?;
        self.shared.replace(changed.recommender(&self.original));
        *scenario = changed;
        Ok(())
    }

    fn reset(&self) {
        let mut scenario = self.scenario();
        *scenario = Scenario::default();
        self.shared.replace(self.original.clone());
    }

    fn scenario(&self) -> MutexGuard<'_, Scenario> {
        self.scenario.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Channel, Query};
    use crate::service::tests::popular_only;
    use serde_json::{Value, json};

    async fn shown(shared: &SharedRecommender) -> usize {
        let query = Query::new(None, Some(50), vec![]).expect("valid");
        shared.current().recommend(&query, Channel::Http).await.recommendations.len()
    }

    #[tokio::test]
    async fn setups_add_up_and_a_teardown_resets() {
        let shared = SharedRecommender::new(popular_only());
        let states = ProviderStates::new(shared.clone());
        assert_eq!(shown(&shared).await, 11);
        states.set_up("the catalogue is empty", Value::Null).expect("known");
        assert_eq!(shown(&shared).await, 0);
        states.set_up("the catalogue holds a product", json!({"id": "1", "discount": null})).expect("known");
        states.set_up("the catalogue holds a product", json!({"id": "2", "discount": 0})).expect("known");
        assert!(states.set_up("the catalogue holds a product", json!({"id": "x"})).is_err());
        assert_eq!(shown(&shared).await, 2);
        states.reset();
        assert_eq!(shown(&shared).await, 11);
    }
}
