//! The events that the contracts name, made by the code that makes them in production.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::{Channel, Query, UserContext};
use crate::events::EventSink;
use crate::json::RecommendationServed;
use crate::service::Recommender;

const USER_ID: i64 = 9_007_199_254_741_993;

#[derive(Default)]
struct KeptEvents(Mutex<Vec<RecommendationServed>>);

impl EventSink for KeptEvents {
    fn emit(&self, event: RecommendationServed) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }
}

/// A request after which the service emits what `description` says. None: unknown.
pub fn cause(description: &str) -> Option<(Query, Channel)> {
    let signed_in = UserContext { user_id: USER_ID, ..UserContext::default() };
    let (user, channel) = match description {
        "a recommendation was served to a signed-in user" => (Some(signed_in), Channel::Http),
        "a recommendation was served to an anonymous visitor" => (None, Channel::Http),
        "a recommendation was served over gRPC" => (Some(signed_in), Channel::Grpc),
        "a recommendation was served with a locale and attributes" => {
            let attributes = BTreeMap::from([("device".to_owned(), "phone".to_owned())]);
            (Some(UserContext { locale: Some("de-DE".to_owned()), attributes, ..signed_in }), Channel::Http)
        }
        _ => return None,
    };
    Query::new(user, None, Vec::new()).ok().map(|query| (query, channel))
}

/// None when the recommender, in its present state, has nothing to recommend.
pub async fn emitted(recommender: Recommender, query: &Query, channel: Channel) -> Option<RecommendationServed> {
    let events = Arc::new(KeptEvents::default());
    Recommender { events: events.clone(), ..recommender }.recommend(query, channel).await;
    events.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::tests::popular_only;

    async fn message(description: &str) -> RecommendationServed {
        let (query, channel) = cause(description).expect("a known description");
        emitted(popular_only(), &query, channel).await.expect("the seed is not empty")
    }

    #[tokio::test]
    async fn each_description_has_its_event() {
        let event = message("a recommendation was served to a signed-in user").await;
        assert_eq!((event.user_id, event.channel, event.locale), (Some(USER_ID), Channel::Http, None));
        assert!(!event.product_ids.is_empty() && event.attributes.is_empty());
        assert_eq!(message("a recommendation was served to an anonymous visitor").await.user_id, None);
        assert_eq!(message("a recommendation was served over gRPC").await.channel, Channel::Grpc);
        let event = message("a recommendation was served with a locale and attributes").await;
        assert_eq!(event.locale.as_deref(), Some("de-DE"));
        assert_eq!(event.attributes.get("device").map(String::as_str), Some("phone"));
        assert!(cause("a recommendation was served").is_none());
    }
}
