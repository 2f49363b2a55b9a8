use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use recommender::config::Config;
use recommender::server;
use tokio::signal::unix::{Signal, SignalKind, signal};

const FAILED: u8 = 1;
const MISCONFIGURED: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let config = match Config::from_variables(|name| std::env::var(name).ok()) {
        Ok(config) => config,
        Err(error) => return exit(MISCONFIGURED, error),
    };
    let (interrupted, terminated) = match signals() {
        Ok(signals) => signals,
        Err(error) => return exit(FAILED, error),
    };
    match server::run(config, either(interrupted, terminated)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit(FAILED, error),
    }
}

fn exit(code: u8, error: impl Display) -> ExitCode {
    let _ = writeln!(io::stderr(), "recommender: {error}");
    ExitCode::from(code)
}

fn signals() -> io::Result<(Signal, Signal)> {
    Ok((signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?))
}

async fn either(mut interrupted: Signal, mut terminated: Signal) {
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
    }
}
