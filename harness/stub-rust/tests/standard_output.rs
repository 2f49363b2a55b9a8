//! A participant whose code prints to standard output: no line gets between the frames. This file is the participant
//! too, because a test of cargo's own harness prints.

use std::env;
use std::io::Write;
use std::process::{Command, ExitCode, Stdio};

use counterfoil_stub::Stub;
use counterfoil_stub::frames::{FrameSplitter, append_frame};
use counterfoil_stub::protocol::request::Payload;
use counterfoil_stub::protocol::response::Result as Outcome;
use counterfoil_stub::protocol::{Request, Response, WireFormat};
use prost::Message;

const ROLE: &str = "STANDARD_OUTPUT_TEST_ROLE";

fn main() -> ExitCode {
    if env::var_os(ROLE).is_some() {
        return participant();
    }
    frames_are_all_there_is();
    an_end_inside_a_frame_is_one_line_and_exit_1();
    unknown_arguments_are_one_line_and_exit_2();
    println!("test result: ok. 3 passed; 0 failed");
    ExitCode::SUCCESS
}

fn participant() -> ExitCode {
    let mut stub = Stub::new("chatty", "1");
    stub.json(
        "a.Chat",
        |payload: &[u8]| {
            println!("reading {} bytes", payload.len());
            print!("no line end");
            serde_json::from_slice::<Vec<String>>(payload)
        },
        serde_json::to_vec,
    );
    stub.run()
}

fn run(arguments: &[&str], input: &[u8]) -> (Option<i32>, Vec<u8>, String) {
    let mut child = Command::new(env::current_exe().expect("this test"))
        .args(arguments)
        .env(ROLE, "participant")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    // Small enough for the pipe; the stub may be gone already.
    let _ = child.stdin.take().expect("piped").write_all(input);
    let output = child.wait_with_output().expect("it ends");
    (output.status.code(), output.stdout, String::from_utf8(output.stderr).expect("UTF-8"))
}

fn request(sequence: u64) -> Vec<u8> {
    let request = Request {
        message_type: "a.Chat".to_owned(),
        payload: Some(Payload::JsonPayload(r#"["a"]"#.to_owned())),
        requested_output_format: WireFormat::Json.into(),
        sequence,
        ..Request::default()
    };
    let mut frame = Vec::new();
    append_frame(&request, usize::MAX, &mut frame).expect("small");
    frame
}

fn frames_are_all_there_is() {
    let (code, output, errors) = run(&[], &[request(1), request(2)].concat());
    let mut frames = FrameSplitter::new(1000);
    frames.feed(&output);
    for sequence in [1, 2] {
        let frame = frames.next_frame().expect("small").expect("an answer");
        let response = Response::decode(frame).expect("a Response");
        assert_eq!(response.result, Some(Outcome::JsonPayload(r#"["a"]"#.to_owned())));
        assert_eq!(response.sequence, sequence);
    }
    assert!(!frames.inside_frame());
    assert_eq!(code, Some(0));
    assert!(errors.contains("reading 5 bytes"), "{errors}");
}

fn an_end_inside_a_frame_is_one_line_and_exit_1() {
    let (code, output, errors) = run(&["--max-frame-bytes", "1000"], &request(1)[..5]);
    assert_eq!((code, output.as_slice()), (Some(1), b"".as_slice()));
    assert_eq!(errors, "stub: the input ended in the middle of a frame\n");
}

fn unknown_arguments_are_one_line_and_exit_2() {
    for arguments in [["--help"].as_slice(), &["--max-frame-bytes"], &["--max-frame-bytes", "x"], &["--schema", "x"]] {
        let (code, _, errors) = run(arguments, b"");
        assert_eq!((code, errors.lines().count()), (Some(2), 1), "{errors}");
    }
}
