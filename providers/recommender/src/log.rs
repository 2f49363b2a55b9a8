use std::fmt::Display;
use std::io::Write;

/// One line on stderr. A reader that went away must not take the service with it, so a failed write is no failure.
pub fn note(message: impl Display) {
    let _ = writeln!(std::io::stderr(), "recommender: {message}");
}
