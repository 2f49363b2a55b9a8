//! What the service tells others after the fact.

mod delivery;

use uuid::Uuid;

pub use self::delivery::{Delivery, EventQueue};
use crate::domain::{Channel, Query, RecommendationList};
use crate::json::RecommendationServed;

/// Takes events without making the caller wait.
pub trait EventSink: Send + Sync {
    fn emit(&self, event: RecommendationServed);
}

/// For a service that was given no address for its events.
pub struct NoSink;

impl EventSink for NoSink {
    fn emit(&self, _event: RecommendationServed) {}
}

/// None when nothing was recommended: there is nothing to tell.
#[must_use]
pub fn recommendation_served(
    event_id: Uuid,
    list: &RecommendationList,
    query: &Query,
    channel: Channel,
) -> Option<RecommendationServed> {
    if list.recommendations.is_empty() {
        return None;
    }
    let user = query.user.clone().unwrap_or_default();
    Some(RecommendationServed {
        event_id: event_id.to_string(),
        request_id: list.request_id.clone(),
        user_id: query.user_id(),
        product_ids: list.recommendations.iter().map(|recommendation| recommendation.product.id).collect(),
        served_at: prost_types::Timestamp::from(list.generated_at).to_string(),
        channel,
        locale: user.locale,
        attributes: user.attributes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;
    use crate::domain::UserContext;
    use crate::recommendation::by_popularity;
    use std::time::{Duration, UNIX_EPOCH};

    fn served(user: Option<UserContext>, limit: usize) -> Option<String> {
        let query = Query::new(user, None, vec!["books".to_owned()]).expect("valid");
        let list = RecommendationList {
            request_id: "r-1".to_owned(),
            recommendations: by_popularity(Catalogue::seeded().candidates(&query), limit),
            generated_at: UNIX_EPOCH + Duration::from_millis(1_767_225_600_250),
        };
        let event = recommendation_served(Uuid::nil(), &list, &query, Channel::Http)?;
        Some(String::from_utf8(crate::json::encode(&event)).expect("UTF-8"))
    }

    #[test]
    fn an_anonymous_visitor_is_a_null() {
        let expected = concat!(
            r#"{"eventId":"00000000-0000-0000-0000-000000000000","requestId":"r-1","userId":null,"#,
            r#""productIds":["9007199254740993","9007199254740994"],"servedAt":"2026-01-01T00:00:00.250Z","#,
            r#""channel":"CHANNEL_HTTP","attributes":{}}"#
        );
        assert_eq!(served(None, 2).as_deref(), Some(expected));
    }

    #[test]
    fn the_user_context_is_passed_on() {
        let attributes = [("device".to_owned(), "phone".to_owned())].into();
        let user = UserContext { user_id: 7, locale: Some("de-DE".to_owned()), attributes };
        let event = served(Some(user), 1).expect("an event");
        assert!(event.contains(r#""userId":"7""#), "{event}");
        assert!(event.ends_with(r#""locale":"de-DE","attributes":{"device":"phone"}}"#), "{event}");
    }

    #[test]
    fn an_empty_response_is_no_event() {
        assert_eq!(served(None, 0), None);
    }
}
