//! The runtime stub for prost-reflect: it takes any schema at run time.
//!
//!     counterfoil-runtime-stub [--schema IMAGE...] [--max-frame-bytes NUMBER]

mod codec;
mod dynamic_observation;
mod editions;
mod moved_enums;
mod schemas;

use std::process::ExitCode;

use counterfoil_stub::serving::{self, Arguments};

use crate::codec::RuntimeStub;

fn main() -> ExitCode {
    let arguments = match Arguments::of_runtime_stub(std::env::args_os().skip(1)) {
        Ok(arguments) => arguments,
        Err(error) => return serving::refuse_arguments(&error),
    };
    match RuntimeStub::bringing(&arguments.schemas) {
        Ok(mut stub) => serving::serve_process(&mut stub, arguments.max_frame_bytes),
        Err(error) => serving::refuse_arguments(&error),
    }
}
