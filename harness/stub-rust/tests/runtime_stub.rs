//! The runtime stub, as a process.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use counterfoil_stub::frames::{DEFAULT_MAX_FRAME_BYTES, FrameSplitter, append_frame};
use counterfoil_stub::observation::{
    binary, boolean, enum_value, field, float, integer, list, map, message, null, text,
};
use counterfoil_stub::protocol::request::Payload;
use counterfoil_stub::protocol::response::Result as Outcome;
use counterfoil_stub::protocol::{
    Hello, LoadSchema, Observation, Request, Response, SchemaLoaded, TestCategory, WireFormat,
};
use prost::Message;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};

const STUB: &str = env!("CARGO_BIN_EXE_counterfoil-runtime-stub");

const KINDS: &str = r#"
    syntax = "proto3";
    package a;
    import "google/protobuf/struct.proto";
    import "google/protobuf/timestamp.proto";
    import "google/protobuf/wrappers.proto";
    enum Tier { TIER_UNSPECIFIED = 0; PREMIUM = 1; }
    message Kinds {
        bool flag = 1;
        int64 big = 2;
        float ratio = 3;
        double exact = 4;
        string name = 5;
        bytes blob = 6;
        Tier tier = 7;
        optional int32 chance = 8;
        google.protobuf.StringValue nick = 9;
        google.protobuf.Value any = 10;
        repeated int32 numbers = 11;
        map<int32, Kinds> by_number = 12;
        Kinds inner = 13;
        repeated Tier tiers = 14;
        google.protobuf.Timestamp at = 15;
        enum Mood { CALM = 0; }
        repeated Mood moods = 16;
    }
"#;

const OLD: &str = r#"
    syntax = "proto2";
    package a;
    import "kinds.proto";
    enum Closed { ZERO = 0; ONE = 1; }
    message Old {
        optional string name = 5;
        repeated group Part = 6 { optional Closed closed = 1; }
        extensions 1 to 4, 100 to max;
    }
    extend Old { optional Kinds more = 3; repeated int32 codes = 100; }
"#;

/// Files in memory.
struct Sources(BTreeMap<&'static str, String>);

impl FileResolver for Sources {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        let source = self.0.get(name).ok_or_else(|| protox::Error::file_not_found(name))?;
        File::from_source(name, source)
    }
}

fn image(sources: &[(&'static str, &str)], root: &str) -> prost_types::FileDescriptorSet {
    let mut resolver = ChainFileResolver::new();
    resolver.add(Sources(sources.iter().map(|(name, source)| (*name, (*source).to_owned())).collect()));
    resolver.add(GoogleFileResolver::new());
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_imports(true).open_file(root).expect("it compiles");
    compiler.file_descriptor_set()
}

fn whole_image() -> prost_types::FileDescriptorSet {
    image(&[("kinds.proto", KINDS), ("old.proto", OLD)], "old.proto")
}

fn converse(arguments: &[&str], requests: &[Request]) -> Vec<Response> {
    let mut input = Vec::new();
    for request in requests {
        append_frame(request, usize::MAX, &mut input).expect("small");
    }
    let mut child = Command::new(STUB)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the stub starts");
    let mut stdin = child.stdin.take().expect("piped");
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("the stub ends");
    writer.join().expect("no panic").expect("the stub reads all");
    assert_eq!(output.status.code(), Some(0));
    let mut frames = FrameSplitter::new(DEFAULT_MAX_FRAME_BYTES);
    frames.feed(&output.stdout);
    let mut responses = Vec::new();
    while let Some(frame) = frames.next_frame().expect("no answer is too large") {
        responses.push(Response::decode(frame).expect("a Response"));
    }
    assert_eq!(responses.len(), requests.len());
    responses
}

fn load(id: &str, image: &prost_types::FileDescriptorSet) -> Request {
    let schema = LoadSchema { id: id.to_owned(), file_descriptor_set: image.encode_to_vec() };
    Request { payload: Some(Payload::LoadSchema(schema)), ..Request::default() }
}

fn ask(message_type: &str, payload: Payload, output: WireFormat) -> Request {
    Request {
        message_type: message_type.to_owned(),
        payload: Some(payload),
        requested_output_format: output.into(),
        schema_id: "s".to_owned(),
        observe: true,
        ..Request::default()
    }
}

/// The answers of a stub that has loaded the schema.
fn answers(requests: Vec<Request>) -> Vec<Response> {
    let all: Vec<_> = [load("s", &whole_image())].into_iter().chain(requests).collect();
    converse(&[], &all).split_off(1)
}

fn answer(request: Request) -> Response {
    answers(vec![request]).remove(0)
}

fn fields<const N: usize>(fields: [(&str, Observation); N]) -> Observation {
    message(fields.map(|(name, value)| field(name, value)).into(), 0)
}

#[test]
fn every_kind_of_value_is_observed() {
    let json = r#"{"tiers":["PREMIUM",7],"inner":{"chance":0},"byNumber":{"10":{},"-2":{"flag":true}},"numbers":[1,-1],
        "any":{"a":null},"nick":"","chance":0,"tier":"PREMIUM","blob":"AP8=","name":"é","exact":"NaN","ratio":0.1,
        "big":"9007199254740993","flag":true}"#;
    let seen = answer(ask("a.Kinds", Payload::JsonPayload(json.to_owned()), WireFormat::Unspecified));
    let null_value = fields([("null_value", enum_value(0, "NULL_VALUE"))]);
    let struct_value = fields([("fields", map([(text("a"), null_value)]))]);
    let expected = fields([
        ("flag", boolean(true)),
        ("big", integer(9_007_199_254_740_993_i64)),
        ("ratio", float(f64::from(0.1_f32))),
        ("exact", float(f64::NAN)),
        ("name", text("é")),
        ("blob", binary(*b"\0\xff")),
        ("tier", enum_value(1, "PREMIUM")),
        ("chance", integer(0)),
        ("nick", fields([])),
        ("any", fields([("struct_value", struct_value)])),
        ("numbers", list(vec![integer(1), integer(-1)])),
        ("by_number", map([(integer(-2), fields([("flag", boolean(true))])), (integer(10), fields([]))])),
        ("inner", fields([("chance", integer(0))])),
        ("tiers", list(vec![enum_value(1, "PREMIUM"), enum_value(7, "")])),
    ]);
    assert_eq!(seen, Response { observation: Some(expected), ..Response::default() });
}

#[test]
fn what_is_not_set_is_not_listed() {
    for json in ["{}", r#"{"flag":false,"big":0,"exact":0,"name":"","tier":0,"numbers":[],"chance":null,"nick":null}"#]
    {
        let seen = answer(ask("a.Kinds", Payload::JsonPayload(json.to_owned()), WireFormat::Protobuf));
        assert_eq!(seen.observation, Some(fields([])), "{json}");
        assert_eq!(seen.result, Some(Outcome::ProtobufPayload(vec![])));
    }
}

#[test]
fn unknown_fields_are_counted_and_kept() {
    // A known field between an unknown varint and an unknown text.
    let payload = b"\xa0\x06\x07\x08\x01\xaa\x06\x02ab".to_vec();
    let seen = answer(ask("a.Kinds", Payload::ProtobufPayload(payload.clone()), WireFormat::Protobuf));
    assert_eq!(seen.observation, Some(message(vec![field("flag", boolean(true))], 8)));
    let Some(Outcome::ProtobufPayload(written)) = seen.result else { panic!("{:?}", seen.result) };
    assert_eq!(written.len(), payload.len());
}

#[test]
fn extensions_stand_among_the_fields() {
    let payload = Payload::ProtobufPayload(b"\xa0\x06\x07\x2a\x00\x1a\x02\x08\x01\x33\x08\x01\x34".to_vec());
    let seen = answer(ask("a.Old", payload, WireFormat::Json));
    let expected = fields([
        ("[a.more]", fields([("flag", boolean(true))])),
        ("name", text("")),
        ("part", list(vec![fields([("closed", enum_value(1, "ONE"))])])),
        ("[a.codes]", list(vec![integer(7)])),
    ]);
    assert_eq!(seen.observation, Some(expected));
    assert!(matches!(seen.result, Some(Outcome::JsonPayload(_))), "{:?}", seen.result);
}

#[test]
fn each_format_is_read_and_written() {
    let json = || Payload::JsonPayload(r#"{"flag":true}"#.to_owned());
    let raw = || Payload::RawJsonPayload(br#"{"flag":true}"#.to_vec());
    let protobuf = || Payload::ProtobufPayload(vec![8, 1]);
    let text = || Payload::TextPayload("flag: true".to_owned());
    let expected_json = || Outcome::JsonPayload(r#"{"flag":true}"#.to_owned());
    let cases = [
        (json(), WireFormat::Json, expected_json()),
        (protobuf(), WireFormat::Json, expected_json()),
        (raw(), WireFormat::Json, Outcome::RawJsonPayload(br#"{"flag":true}"#.to_vec())),
        (json(), WireFormat::Protobuf, Outcome::ProtobufPayload(vec![8, 1])),
        (raw(), WireFormat::Protobuf, Outcome::ProtobufPayload(vec![8, 1])),
        (protobuf(), WireFormat::Protobuf, Outcome::ProtobufPayload(vec![8, 1])),
        (text(), WireFormat::Protobuf, Outcome::ProtobufPayload(vec![8, 1])),
        (json(), WireFormat::TextFormat, Outcome::TextPayload("flag:true".to_owned())),
    ];
    let requests = cases.iter().map(|(payload, output, _)| ask("a.Kinds", payload.clone(), *output)).collect();
    let results = answers(requests).into_iter().map(|response| response.result.expect("a result"));
    assert_eq!(results.collect::<Vec<_>>(), cases.map(|(.., expected)| expected));
}

#[test]
fn payloads_are_refused() {
    let json = |text: &str| Payload::RawJsonPayload(text.as_bytes().to_vec());
    let deep = format!("{}{}", r#"{"inner":"#.repeat(2000), "}".repeat(2000));
    let refused = [
        Payload::ProtobufPayload(vec![8]),
        Payload::ProtobufPayload(b"\x2a\x01\xff".to_vec()),
        Payload::RawJsonPayload(b"{\"name\":\"\xff\"}".to_vec()),
        json(""),
        json("{}{}"),
        json("\u{feff}{}"),
        json(r#"{"later":1}"#),
        json(r#"{"name":"\ud800"}"#),
        json(&deep),
    ];
    let requests = refused.into_iter().map(|payload| ask("a.Kinds", payload, WireFormat::Protobuf)).collect();
    for response in answers(requests) {
        assert!(matches!(response.result, Some(Outcome::ParseError(_))), "{response:?}");
        assert_eq!(response.observation, None);
    }
}

#[test]
fn unknown_json_fields_can_be_ignored() {
    let mut request = ask("a.Kinds", Payload::JsonPayload(r#"{"later":1}"#.to_owned()), WireFormat::Json);
    request.test_category = TestCategory::JsonIgnoreUnknownParsingTest.into();
    assert_eq!(answer(request).result, Some(Outcome::JsonPayload("{}".to_owned())));
}

#[test]
fn a_value_that_json_cannot_carry_is_a_serialize_error() {
    let far_future = Payload::ProtobufPayload(b"\x7a\x07\x08\xff\xff\xff\xff\xff\x7f".to_vec());
    let response = answer(ask("a.Kinds", far_future, WireFormat::Json));
    assert!(matches!(response.result, Some(Outcome::SerializeError(_))), "{response:?}");
    let timestamp = fields([("seconds", integer(4_398_046_511_103_i64))]);
    assert_eq!(response.observation, Some(fields([("at", timestamp)])));
}

#[test]
fn files_of_a_schema_come_in_any_order_and_a_missing_one_is_named() {
    let mut reversed = whole_image();
    reversed.file.reverse();
    let mut incomplete = whole_image();
    incomplete.file.retain(|file| file.name() != "google/protobuf/wrappers.proto");
    let renamed = image(&[("kinds.proto", &KINDS.replace("Kinds", "Renamed"))], "kinds.proto");
    let payload = || Payload::ProtobufPayload(vec![]);
    let garbage = LoadSchema { id: "g".to_owned(), file_descriptor_set: vec![0xff] };
    let responses = converse(
        &[],
        &[
            load("s", &reversed),
            load("i", &incomplete),
            Request { payload: Some(Payload::LoadSchema(garbage)), ..Request::default() },
            ask("a.Old", payload(), WireFormat::Json),
            load("s", &renamed),
            ask("a.Old", payload(), WireFormat::Json),
            ask("a.Renamed", payload(), WireFormat::Json),
        ],
    );
    let results: Vec<_> = responses.into_iter().map(|response| response.result.expect("a result")).collect();
    assert!(matches!(results[0], Outcome::SchemaLoaded(SchemaLoaded { message_count }) if message_count > 10));
    let missing = "kinds.proto imports google/protobuf/wrappers.proto, which is missing";
    assert_eq!(results[1], Outcome::RuntimeError(missing.to_owned()));
    assert!(matches!(&results[2], Outcome::RuntimeError(reason) if reason.starts_with("no image: ")));
    assert_eq!(results[3], Outcome::JsonPayload("{}".to_owned()));
    assert!(matches!(results[4], Outcome::SchemaLoaded(_)));
    assert_eq!(results[5], Outcome::Skipped("the schema has no message \"a.Old\"".to_owned()));
    assert_eq!(results[6], Outcome::JsonPayload("{}".to_owned()));
}

/// Gives a file an edition, and features that are not the edition's own.
fn with_edition(image: &prost_types::FileDescriptorSet, name: &str, edition: i32, features: &[u8]) -> Request {
    #[derive(Clone, PartialEq, Message)]
    struct Editions {
        #[prost(bytes = "vec", repeated, tag = "1")]
        file: Vec<Vec<u8>>,
    }
    let file = image.file.iter().map(|file| {
        let mut bytes = file.encode_to_vec();
        if file.name() == name {
            // A singular field that occurs again takes the place of the earlier one, and a message is merged with it.
            prost::encoding::string::encode(12, &"editions".to_owned(), &mut bytes);
            prost::encoding::int32::encode(14, &edition, &mut bytes);
            let mut options = Vec::new();
            prost::encoding::bytes::encode(50, &features.to_vec(), &mut options);
            prost::encoding::bytes::encode(8, &options, &mut bytes);
        }
        bytes
    });
    let file_descriptor_set = Editions { file: file.collect() }.encode_to_vec();
    let schema = LoadSchema { id: "s".to_owned(), file_descriptor_set };
    Request { payload: Some(Payload::LoadSchema(schema)), ..Request::default() }
}

const EDITION_2023: i32 = 1000;
const EDITION_2024: i32 = 1001;
const IMPLICIT: &[u8] = b"\x08\x02";
const EXPANDED: &[u8] = b"\x18\x02";
const DELIMITED: &[u8] = b"\x28\x02";

#[test]
fn presence_and_encodings_are_what_the_features_say() {
    let json = || Payload::JsonPayload(r#"{"big":"0","numbers":[1,2],"inner":{}}"#.to_owned());
    let cases: [(i32, &[u8], &[u8]); 5] = [
        (EDITION_2023, b"", b"\x10\x00\x5a\x02\x01\x02\x6a\x00"),
        (EDITION_2024, b"", b"\x10\x00\x5a\x02\x01\x02\x6a\x00"),
        (EDITION_2023, IMPLICIT, b"\x5a\x02\x01\x02\x6a\x00"),
        (EDITION_2024, EXPANDED, b"\x10\x00\x58\x01\x58\x02\x6a\x00"),
        (EDITION_2023, DELIMITED, b"\x10\x00\x5a\x02\x01\x02\x6b\x6c"),
    ];
    for (edition, features, expected) in cases {
        let load = with_edition(&whole_image(), "kinds.proto", edition, features);
        let responses = converse(&[], &[load, ask("a.Kinds", json(), WireFormat::Protobuf)]);
        assert_eq!(responses[1].result, Some(Outcome::ProtobufPayload(expected.to_vec())), "{edition} {features:?}");
    }
}

#[test]
fn maps_are_never_delimited() {
    let json = Payload::JsonPayload(r#"{"byNumber":{"1":{"flag":true}}}"#.to_owned());
    let load = with_edition(&whole_image(), "kinds.proto", EDITION_2023, DELIMITED);
    let responses = converse(&[], &[load, ask("a.Kinds", json, WireFormat::Protobuf)]);
    let expected = b"\x62\x06\x08\x01\x12\x02\x08\x01".to_vec();
    assert_eq!(responses[1].result, Some(Outcome::ProtobufPayload(expected)));
}

/// Fields without presence ask for proto3, and enums that do not start at zero for proto2.
#[test]
fn an_enum_without_zero_stands_beside_fields_without_presence() {
    let mut set = whole_image();
    let kinds = set.file.iter_mut().find(|file| file.name() == "kinds.proto").expect("it is there");
    kinds.enum_type[0].value[0].number = Some(5);
    kinds.message_type[0].enum_type[0].value[0].number = Some(6);
    let json = r#"{"big":"0","tier":"PREMIUM","tiers":["TIER_UNSPECIFIED",1],"moods":["CALM",7]}"#;
    let kinds = ask("a.Kinds", Payload::JsonPayload(json.to_owned()), WireFormat::Json);
    let old = ask("a.Old", Payload::ProtobufPayload(b"\x1a\x02\x38\x01".to_vec()), WireFormat::Json);
    let responses = converse(&[], &[with_edition(&set, "kinds.proto", EDITION_2023, IMPLICIT), kinds, old]);
    let expected = r#"{"tier":"PREMIUM","tiers":["TIER_UNSPECIFIED","PREMIUM"],"moods":["CALM",7]}"#;
    assert_eq!(responses[1].result, Some(Outcome::JsonPayload(expected.to_owned())));
    let expected = r#"{"[a.more]":{"tier":"PREMIUM"}}"#;
    assert_eq!(responses[2].result, Some(Outcome::JsonPayload(expected.to_owned())));
}

#[test]
fn files_of_an_unknown_edition_are_left_out() {
    let other = ask("google.protobuf.StringValue", Payload::ProtobufPayload(vec![]), WireFormat::Json);
    let direct = ask("a.Kinds", Payload::ProtobufPayload(vec![]), WireFormat::Json);
    let through_import = ask("a.Old.Part", Payload::ProtobufPayload(vec![]), WireFormat::Json);
    let load = with_edition(&whole_image(), "kinds.proto", 1002, b"");
    let responses = converse(&[], &[load, direct, through_import, other]);
    assert!(matches!(responses[0].result, Some(Outcome::SchemaLoaded(_))));
    for response in &responses[1..3] {
        let Some(Outcome::Skipped(reason)) = &response.result else { panic!("{response:?}") };
        assert!(reason.ends_with("kinds.proto has edition number 1002; this stub reads 2023 and 2024"), "{reason}");
    }
    assert_eq!(responses[3].result, Some(Outcome::JsonPayload("\"\"".to_owned())));
}

#[test]
fn what_the_stub_does_not_do_is_skipped() {
    let ours = ask("a.Kinds", Payload::ProtobufPayload(vec![]), WireFormat::Json);
    let skipped = vec![
        Request { schema_id: String::new(), ..ours.clone() },
        Request { schema_id: "other".to_owned(), ..ours.clone() },
        Request { lane: "other".to_owned(), ..ours.clone() },
        Request { payload: Some(Payload::JspbPayload(String::new())), ..ours },
    ];
    for response in answers(skipped) {
        assert!(matches!(response.result, Some(Outcome::Skipped(_))), "{response:?}");
    }
}

/// A file that goes when it is done with.
struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn holding(name: &str, content: &[u8]) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
        std::fs::write(&path, content).expect("writable");
        TemporaryFile(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn images_of_the_command_line_are_what_the_stub_brings() {
    let kinds = image(&[("kinds.proto", KINDS)], "kinds.proto").encode_to_vec();
    let (kinds, both) =
        (TemporaryFile::holding("kinds", &kinds), TemporaryFile::holding("both", &whole_image().encode_to_vec()));
    let hello = Request { payload: Some(Payload::Hello(Hello { protocol_version: 1 })), ..Request::default() };
    let old = ask("a.Old", Payload::ProtobufPayload(vec![]), WireFormat::Json);
    let requests = [hello, Request { schema_id: String::new(), lane: "prost-reflect".to_owned(), ..old }];
    let responses = converse(&["--schema", kinds.path(), both.path(), "--max-frame-bytes", "9999"], &requests);
    let Some(Outcome::Description(description)) = &responses[0].result else { panic!("{:?}", responses[0]) };
    assert!(description.message_types.contains(&"a.Old".to_owned()));
    assert!(!description.message_types.iter().any(|name| name.ends_with("Entry")));
    assert_eq!((description.language.as_str(), description.runtime.as_str()), ("rust", "prost-reflect"));
    assert_eq!((description.loads_schemas, description.observes, description.protocol_version), (true, true, 1));
    assert_eq!(responses[1].result, Some(Outcome::JsonPayload("{}".to_owned())));
}

#[test]
fn an_unusable_command_line_is_one_line_and_exit_2() {
    let garbage = TemporaryFile::holding("garbage", b"\xff");
    for arguments in [vec!["--schema"], vec!["--schema", "no-such-file"], vec!["--schema", garbage.path()], vec!["x"]] {
        let output = Command::new(STUB).args(&arguments).stdin(Stdio::null()).output().expect("the stub starts");
        let errors = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!((output.status.code(), errors.lines().count()), (Some(2), 1), "{arguments:?}: {errors}");
    }
}

#[test]
fn null_is_a_value_only_where_json_has_a_value_for_it() {
    let json = r#"{"any":null,"inner":null}"#;
    let seen = answer(ask("a.Kinds", Payload::JsonPayload(json.to_owned()), WireFormat::Json));
    let null_value = fields([("null_value", enum_value(0, "NULL_VALUE"))]);
    assert_eq!(seen.observation, Some(fields([("any", null_value)])));
    assert_ne!(seen.observation, Some(fields([("any", null())])));
    assert_eq!(seen.result, Some(Outcome::JsonPayload(r#"{"any":null}"#.to_owned())));
}
