//! The stub around the code by which the recommender reads and writes its messages: over HTTP and for events as JSON,
//! over gRPC as protobuf.
//!
//!     recommender-stub [--max-frame-bytes NUMBER]

mod generated;

use std::convert::Infallible;
use std::process::ExitCode;

use counterfoil_stub::Stub;
use prost::Message;
use recommender::{json, schema};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::generated::{Field, Shown};

fn main() -> ExitCode {
    stub().run()
}

fn stub() -> Stub {
    let mut stub = Stub::new("recommender", env!("CARGO_PKG_VERSION"));
    http::<json::GetRecommendationsRequest>(&mut stub, "shop.v1.GetRecommendationsRequest");
    http::<json::GetRecommendationsResponse>(&mut stub, "shop.v1.GetRecommendationsResponse");
    http::<json::ScoreCandidatesRequest>(&mut stub, "shop.v1.ScoreCandidatesRequest");
    http::<json::ScoreCandidatesResponse>(&mut stub, "shop.v1.ScoreCandidatesResponse");
    http::<json::RecommendationServed>(&mut stub, "shop.v1.RecommendationServed");
    http::<json::ErrorBody>(&mut stub, "error");
    grpc::<schema::GetRecommendationsRequest>(&mut stub, "shop.v1.GetRecommendationsRequest");
    grpc::<schema::GetRecommendationsResponse>(&mut stub, "shop.v1.GetRecommendationsResponse");
    grpc::<schema::ScoreCandidatesRequest>(&mut stub, "shop.v1.ScoreCandidatesRequest");
    grpc::<schema::ScoreCandidatesResponse>(&mut stub, "shop.v1.ScoreCandidatesResponse");
    stub
}

fn http<T: Serialize + DeserializeOwned + 'static>(stub: &mut Stub, message: &str) {
    stub.json(message, json::decode::<T>, |value: &T| Ok::<_, Infallible>(json::encode(value)));
}

fn grpc<T: Message + Default + Field + 'static>(stub: &mut Stub, message: &str) {
    let decode = |payload: &[u8]| T::decode(payload).map(Shown);
    stub.protobuf(message, decode, |Shown(value)| Ok::<_, Infallible>(value.encode_to_vec()));
}

#[cfg(test)]
mod tests {
    use super::stub;
    use counterfoil_stub::answers::answer;
    use counterfoil_stub::observation::{absent, field, float, integer, list, map, message, null, text};
    use counterfoil_stub::protocol::request::Payload;
    use counterfoil_stub::protocol::response::Result as Outcome;
    use counterfoil_stub::protocol::{Observation, Request, Response, WireFormat};
    use prost::Message;
    use recommender::schema;

    fn ask(message_type: &str, payload: Payload, output: WireFormat) -> Response {
        let message_type = format!("shop.v1.{message_type}");
        let payload = Some(payload);
        let request = Request {
            message_type,
            payload,
            requested_output_format: output.into(),
            observe: true,
            ..Request::default()
        };
        answer(&mut stub(), &request.encode_to_vec())
    }

    fn json(message_type: &str, text: &str) -> Response {
        ask(message_type, Payload::JsonPayload(text.to_owned()), WireFormat::Json)
    }

    fn fields<const N: usize>(fields: [(&str, Observation); N]) -> Observation {
        message(fields.map(|(name, value)| field(name, value)).into(), 0)
    }

    #[test]
    fn json_is_seen_as_the_http_door_sees_it() {
        let seen = json("ScoreCandidatesResponse", r#"{"scores":[{"productId":9007199254740993,"confidence":0}]}"#);
        let score = [
            ("productId", text("9007199254740993")),
            ("score", float(0.0)),
            ("confidence", float(0.0)),
            ("explanation", absent()),
        ];
        let expected = fields([("modelVersion", text("")), ("scores", list(vec![fields(score)]))]);
        assert_eq!(seen.observation, Some(expected));
        let written = r#"{"modelVersion":"","scores":[{"productId":"9007199254740993","score":0.0,"confidence":0.0}]}"#;
        assert_eq!(seen.result, Some(Outcome::JsonPayload(written.to_owned())));
    }

    #[test]
    fn null_absent_and_empty_are_told_apart_where_the_code_does() {
        let locale = |context: &str| {
            let response = json("RecommendationServed", context).observation.expect("decoded");
            let Some(counterfoil_stub::protocol::observation::Seen::Message(event)) = response.seen else {
                panic!("an event is a struct")
            };
            let field = |name: &str| event.fields.iter().find(|field| field.name == name).expect(name).value.clone();
            (field("userId"), field("locale"))
        };
        assert_eq!(locale("{}"), (Some(null()), Some(absent())));
        assert_eq!(locale(r#"{"userId":null,"locale":null}"#), (Some(null()), Some(absent())));
        assert_eq!(locale(r#"{"userId":"0","locale":""}"#), (Some(text("0")), Some(text(""))));
    }

    #[test]
    fn what_the_http_door_refuses_is_refused() {
        for refused in ["", "null", "[]", r#"{"scores":[null]}"#, r#"{"scores":[{"score":"NaN"}]}"#] {
            let answer = json("ScoreCandidatesResponse", refused);
            assert!(matches!(answer.result, Some(Outcome::ParseError(_))), "{refused}");
            assert_eq!(answer.observation, None);
        }
        let answer = ask("ScoreCandidatesRequest", Payload::RawJsonPayload(vec![b'"', 0xff, b'"']), WireFormat::Json);
        assert!(matches!(answer.result, Some(Outcome::ParseError(_))));
    }

    #[test]
    fn protobuf_is_seen_as_the_grpc_door_sees_it() {
        let user_context = Some(schema::UserContext {
            user_id: i64::MIN,
            locale: Some(String::new()),
            attributes: [("b", "2"), ("a", "1")].map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        });
        let request = schema::GetRecommendationsRequest { user_context, limit: Some(0), categories: vec![] };
        let payload = Payload::ProtobufPayload(request.encode_to_vec());
        let seen = ask("GetRecommendationsRequest", payload, WireFormat::Protobuf);
        let attributes = map([(text("a"), text("1")), (text("b"), text("2"))]);
        let context = [("user_id", integer(i64::MIN)), ("locale", text("")), ("attributes", attributes)];
        let expected = [("user_context", fields(context)), ("limit", integer(0)), ("categories", list(vec![]))];
        assert_eq!(seen.observation, Some(fields(expected)));
        let Some(Outcome::ProtobufPayload(written)) = seen.result else { panic!("{:?}", seen.result) };
        assert_eq!(schema::GetRecommendationsRequest::decode(written.as_slice()), Ok(request));
    }

    #[test]
    fn generated_code_has_null_for_an_absent_field() {
        let payload = Payload::ProtobufPayload(vec![]);
        let seen = ask("GetRecommendationsResponse", payload, WireFormat::Unspecified);
        let expected = [("request_id", text("")), ("recommendations", list(vec![])), ("generated_at", null())];
        assert_eq!((seen.result, seen.observation), (None, Some(fields(expected))));
    }

    #[test]
    fn what_the_recommender_does_not_do_is_skipped() {
        let event = ask("RecommendationServed", Payload::ProtobufPayload(vec![]), WireFormat::Protobuf);
        let profile = json("UserProfile", "{}");
        let translated = ask("ScoreCandidatesRequest", Payload::JsonPayload("{}".to_owned()), WireFormat::Protobuf);
        for skipped in [event, profile, translated] {
            assert!(matches!(skipped.result, Some(Outcome::Skipped(_))), "{skipped:?}");
        }
    }
}
