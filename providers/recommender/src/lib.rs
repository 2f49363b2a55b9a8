//! The recommender: picks products for a customer, in the order in which the ranker scores them.
//!
//! Pure: [`domain`], [`catalogue`], [`recommendation`], [`json`], [`config`]. Everything else talks to the outside.

pub mod catalogue;
pub mod config;
pub mod domain;
pub mod events;
pub mod grpc_door;
pub mod http_client;
pub mod http_door;
pub mod json;
mod log;
pub mod provider_states;
pub mod ranker;
pub mod recommendation;
pub mod server;
pub mod service;

/// Generated from the shop's schema; `cargo run -p shop-codegen` writes it anew.
#[allow(clippy::all, clippy::pedantic)]
#[path = "gen/shop.v1.rs"]
#[rustfmt::skip]
pub mod schema;
