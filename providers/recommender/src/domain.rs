//! What is recommended to whom. Knows no encoding: the doors translate.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::SystemTime;

pub use crate::schema::{Availability, Channel, Money};

const DEFAULT_LIMIT: usize = 10;
const MAX_LIMIT: usize = 50;
const MAX_ENTRIES: usize = 64;
const MAX_TEXT_BYTES: usize = 256;

#[derive(Debug, Clone, PartialEq)]
pub struct Product {
    pub id: i64,
    pub name: String,
    pub category: String,
    pub price: Money,
    /// The part of the price that is taken off. None is not 0: see the schema.
    pub discount: Option<f64>,
    pub availability: Availability,
    /// From 0 to 1; the score of last resort.
    pub popularity: f64,
}

/// What the ranker says of one product.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    pub product_id: i64,
    pub score: f64,
    pub confidence: Option<f64>,
    pub explanation: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    pub product: Product,
    pub score: f64,
    pub confidence: Option<f64>,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RecommendationList {
    pub request_id: String,
    pub recommendations: Vec<Recommendation>,
    pub generated_at: SystemTime,
}

/// Who asks, as the request says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserContext {
    pub user_id: i64,
    pub locale: Option<String>,
    pub attributes: BTreeMap<String, String>,
}

/// A request that was found valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// None for a visitor who is not signed in.
    pub user: Option<UserContext>,
    /// From 1 to 50.
    pub limit: usize,
    /// Empty: all of them.
    pub categories: BTreeSet<String>,
}

impl Query {
    /// # Errors
    /// Names the first field that is out of its bounds.
    pub fn new(
        user: Option<UserContext>,
        limit: Option<i32>,
        categories: Vec<String>,
    ) -> Result<Self, InvalidArgument> {
        if let Some(user) = &user {
            check_user(user)?;
        }
        check_count("categories", categories.len())?;
        categories.iter().try_for_each(|category| check_text("categories", category))?;
        Ok(Query { user, limit: checked_limit(limit)?, categories: categories.into_iter().collect() })
    }

    #[must_use]
    pub fn user_id(&self) -> Option<i64> {
        self.user.as_ref().map(|user| user.user_id)
    }
}

/// A request that makes no sense; its text is meant for the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidArgument(String);

impl fmt::Display for InvalidArgument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for InvalidArgument {}

fn checked_limit(limit: Option<i32>) -> Result<usize, InvalidArgument> {
    let Some(limit) = limit else { return Ok(DEFAULT_LIMIT) };
    match usize::try_from(limit) {
        Ok(count @ 1..=MAX_LIMIT) => Ok(count),
        _ => Err(InvalidArgument(format!("limit must be from 1 to {MAX_LIMIT}, not {limit}"))),
    }
}

fn check_user(user: &UserContext) -> Result<(), InvalidArgument> {
    if user.user_id < 1 {
        return Err(InvalidArgument(format!("userContext.userId must be positive, not {}", user.user_id)));
    }
    if let Some(locale) = &user.locale {
        check_text("userContext.locale", locale)?;
    }
    check_count("userContext.attributes", user.attributes.len())?;
    for (name, value) in &user.attributes {
        check_text("userContext.attributes", name)?;
        check_text("userContext.attributes", value)?;
    }
    Ok(())
}

fn check_count(field: &str, count: usize) -> Result<(), InvalidArgument> {
    if count > MAX_ENTRIES {
        return Err(InvalidArgument(format!("{field} holds at most {MAX_ENTRIES} entries, not {count}")));
    }
    Ok(())
}

fn check_text(field: &str, text: &str) -> Result<(), InvalidArgument> {
    let size_bytes = text.len();
    if size_bytes > MAX_TEXT_BYTES {
        return Err(InvalidArgument(format!(
            "{field} holds texts of at most {MAX_TEXT_BYTES} bytes, not {size_bytes}"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(user_id: i64) -> UserContext {
        UserContext { user_id, ..UserContext::default() }
    }

    #[test]
    fn limit_defaults_to_ten_and_keeps_to_its_bounds() {
        let limit = |limit| Query::new(None, limit, vec![]).map(|query| query.limit);
        assert_eq!(limit(None), Ok(10));
        assert_eq!(limit(Some(1)), Ok(1));
        assert_eq!(limit(Some(50)), Ok(50));
        for refused in [0, 51, -1, i32::MIN, i32::MAX] {
            let error = limit(Some(refused)).expect_err("out of bounds").to_string();
            assert_eq!(error, format!("limit must be from 1 to 50, not {refused}"));
        }
    }

    #[test]
    fn a_user_needs_a_positive_id() {
        assert_eq!(Query::new(Some(user(i64::MAX)), None, vec![]).expect("valid").user_id(), Some(i64::MAX));
        assert_eq!(Query::new(None, None, vec![]).expect("valid").user_id(), None);
        assert!(Query::new(Some(user(0)), None, vec![]).is_err());
        assert!(Query::new(Some(user(-1)), None, vec![]).is_err());
    }

    #[test]
    fn texts_and_counts_are_bounded() {
        let long = "x".repeat(MAX_TEXT_BYTES + 1);
        assert!(Query::new(None, None, vec![long.clone()]).is_err());
        assert!(Query::new(None, None, vec![String::new(); MAX_ENTRIES + 1]).is_err());
        assert!(Query::new(Some(UserContext { locale: Some(long.clone()), ..user(1) }), None, vec![]).is_err());
        let attributes = BTreeMap::from([(long, String::new())]);
        assert!(Query::new(Some(UserContext { attributes, ..user(1) }), None, vec![]).is_err());
        let attributes = (0..=MAX_ENTRIES).map(|n| (n.to_string(), String::new())).collect();
        assert!(Query::new(Some(UserContext { attributes, ..user(1) }), None, vec![]).is_err());
    }
}
