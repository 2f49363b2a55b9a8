//! Serves a stub on standard input and output.

use std::ffi::OsString;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::answers::{Codecs, answer, failed};
use crate::frames::{DEFAULT_MAX_FRAME_BYTES, FrameSplitter, append_frame};

/// As much as a pipe holds.
const CHUNK_BYTES: usize = 64 * 1024;

/// What the command line asks of a stub.
#[derive(Debug, PartialEq, Eq)]
pub struct Arguments {
    pub max_frame_bytes: usize,
    /// The images whose messages the stub brings.
    pub schemas: Vec<PathBuf>,
}

impl Arguments {
    /// `--max-frame-bytes NUMBER`.
    ///
    /// # Errors
    /// Says in one line what is wrong.
    pub fn of_service_stub(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let (parsed, known) = (Self::of_runtime_stub(arguments)?, "--max-frame-bytes NUMBER");
        if parsed.schemas.is_empty() {
            Ok(parsed)
        } else {
            Err(format!("a service stub loads no schema; known: {known}"))
        }
    }

    /// `--max-frame-bytes NUMBER`, and `--schema IMAGE`, or several images.
    ///
    /// # Errors
    /// Says in one line what is wrong.
    pub fn of_runtime_stub(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut parsed = Arguments { max_frame_bytes: DEFAULT_MAX_FRAME_BYTES, schemas: Vec::new() };
        let mut arguments = arguments.into_iter().peekable();
        while let Some(argument) = arguments.next() {
            match argument.to_str() {
                Some("--max-frame-bytes") => {
                    let number = arguments.next().and_then(|number| number.to_str()?.parse().ok());
                    parsed.max_frame_bytes = number.ok_or("--max-frame-bytes needs a number")?;
                }
                Some("--schema") => {
                    parsed.schemas.push(arguments.next().ok_or("--schema needs the path of an image")?.into());
                    while let Some(path) = arguments.next_if(|next| !next.to_string_lossy().starts_with("--")) {
                        parsed.schemas.push(path.into());
                    }
                }
                _ => {
                    let known = "--schema IMAGE..., --max-frame-bytes NUMBER";
                    return Err(format!("unknown argument {}; known: {known}", argument.display()));
                }
            }
        }
        Ok(parsed)
    }
}

/// Says what is wrong with the command line.
#[must_use]
pub fn refuse_arguments(error: &str) -> ExitCode {
    complain(error);
    ExitCode::from(2)
}

/// Answers requests until standard input ends.
#[must_use]
pub fn serve_process(codecs: &mut dyn Codecs, max_frame_bytes: usize) -> ExitCode {
    let outcome = take_standard_output()
        .map_err(|error| format!("standard output: {error}"))
        .and_then(|output| serve(codecs, io::stdin().lock(), output, max_frame_bytes));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// One line on standard error.
pub fn complain(problem: impl Display) {
    // There is nowhere left to say that standard error is closed.
    let _ = writeln!(io::stderr(), "stub: {problem}");
}

/// What is printed by whatever code is in this process goes to standard error from now on, so that standard output
/// carries frames only.
fn take_standard_output() -> io::Result<File> {
    let output = io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok(File::from(output))
}

/// Answers the requests of a stream in their order. While complete requests are at hand, answers are collected; before
/// it waits for more, everything is written.
///
/// # Errors
/// Says in one line what ended the conversation other than the end of the input.
pub fn serve(
    codecs: &mut dyn Codecs,
    mut input: impl Read,
    mut output: impl Write,
    max_frame_bytes: usize,
) -> Result<(), String> {
    let mut frames = FrameSplitter::new(max_frame_bytes);
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match input.read(&mut chunk) {
            Ok(0) if frames.inside_frame() => return Err("the input ended in the middle of a frame".to_owned()),
            Ok(0) => return Ok(()),
            Ok(count) => frames.feed(&chunk[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(format!("standard input: {error}")),
        }
        answer_all(codecs, &mut frames, &mut output, max_frame_bytes)?;
    }
}

/// Answers every complete request.
fn answer_all(
    codecs: &mut dyn Codecs,
    frames: &mut FrameSplitter,
    output: &mut impl Write,
    max_frame_bytes: usize,
) -> Result<(), String> {
    let mut answers = Vec::with_capacity(CHUNK_BYTES);
    let end = loop {
        match frames.next_frame() {
            Ok(Some(frame)) => append_answer(codecs, frame, max_frame_bytes, &mut answers),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error.to_string()),
        }
        if answers.len() >= CHUNK_BYTES {
            write(output, &answers)?;
            answers.clear();
        }
    };
    write(output, &answers)?;
    end
}

fn append_answer(codecs: &mut dyn Codecs, frame: &[u8], max_frame_bytes: usize, answers: &mut Vec<u8>) {
    let response = answer(codecs, frame);
    if let Err(error) = append_frame(&response, max_frame_bytes, answers) {
        let instead = failed(response.sequence, format!("the answer: {error}"));
        append_frame(&instead, usize::MAX, answers).expect("a reason is short");
    }
}

fn write(output: &mut impl Write, answers: &[u8]) -> Result<(), String> {
    output.write_all(answers).and_then(|()| output.flush()).map_err(|error| format!("standard output: {error}"))
}
