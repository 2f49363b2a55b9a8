//! The SDK for service stubs in Rust, and what every stub in Rust shares.
//!
//! A participant registers the code by which it really reads and writes its messages:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Price {
//!     units: i64,
//!     discount: Option<f64>,
//! }
//!
//! fn main() -> ExitCode {
//!     let mut stub = counterfoil_stub::Stub::new("serde_json", "1");
//!     stub.json("shop.v1.Price", |payload| serde_json::from_slice::<Price>(payload), serde_json::to_vec);
//!     stub.run()
//! }
//! ```
//!
//! A decoder refuses a payload by an `Err`. What it returns is observed through `serde::Serialize`, see [`observe`].
//! `protos/counterfoil/stub/v1/stub.proto` describes the protocol.
//!
//! Pure: [`frames`], [`observation`], [`observe`], [`answers`]. Standard input and output: [`serving`].

pub mod answers;
pub mod frames;
pub mod observation;
mod observer;
mod sdk;
pub mod serving;

pub use observer::observe;
pub use sdk::Stub;

/// The messages of the protocol. Generated; `cargo run -p shop-codegen` writes them anew.
#[allow(clippy::all, clippy::pedantic)]
#[path = "gen/counterfoil.stub.v1.rs"]
#[rustfmt::skip]
pub mod protocol;
