//! The answers to the provider, and that only verified webhooks are queued.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_ports::fakes::Fail;
use fundhook_providers::connect::{JwtMode, SIGNATURE_HEADER, Settings, TIMESTAMP_HEADER};
use fundhook_providers::jose::TokenRejection;
use fundhook_providers::{Envelope, Rejection};
use http::HeaderValue;
use receiver::{Answer, BODY_BYTES_MAX, Receiver};
use serde_json::{Value, json};

use crate::support::provider::{RSA, RSA_NEXT, SIGNED_AT, TOLERANCE, at, headers, settings};
use crate::support::{BODY, KEYS, PATH, TestReceiver, World, request, signed};

/// A marker in the parts of a request, which must not appear in the answer.
const CANARY: &str = "canary-4711";

/// The response to a request that arrives when it is signed: status, headers and body.
async fn answer(receiver: &TestReceiver, request: ApiGatewayV2httpRequest) -> (u64, Value, Value) {
    let response = receiver.handle(request, at(SIGNED_AT)).await.into_response();
    let response = serde_json::to_value(response).expect("JSON");
    let body = serde_json::from_str(response["body"].as_str().expect("a text")).expect("a JSON body");
    (response["statusCode"].as_u64().expect("a status"), response["headers"].clone(), body)
}

/// Asserts that `request` is rejected with `status` and `code`, in the form of every rejection, and that nothing is queued.
async fn assert_rejected(
    what: &str,
    world: &World,
    receiver: &TestReceiver,
    request: ApiGatewayV2httpRequest,
    status: u64,
    code: &str,
) {
    let before = world.sent().len();
    let (answered, headers, body) = answer(receiver, request).await;
    assert_eq!((answered, &body["error"]), (status, &json!(code)), "{what}: {body}");
    let members: Vec<&String> = body.as_object().expect("an object").keys().collect();
    assert_eq!(members, ["error", "message"], "{what}");
    let message = body["message"].as_str().expect("a text");
    assert!(message.ends_with('.') && message.starts_with(char::is_uppercase), "{what}: {message:?} is a sentence");
    assert_eq!(headers["content-type"], "application/json", "{what}");
    assert_eq!(headers["retry-after"], if status == 503 { json!("5") } else { Value::Null }, "{what}");
    assert_eq!(headers["allow"], if status == 405 { json!("POST") } else { Value::Null }, "{what}");
    assert!(!format!("{headers}{body}").contains(CANARY), "{what}: the answer repeats the request: {body}");
    assert_eq!(world.sent().len(), before, "{what}: nothing is queued");
}

/// The headers of a valid request with `name` set to `value`.
fn with_header(name: &str, value: &str) -> Vec<(String, String)> {
    let mut sent = headers(&RSA, SIGNED_AT, BODY);
    sent.retain(|(known, _)| known != name);
    sent.push((name.to_owned(), value.to_owned()));
    sent
}

#[tokio::test]
async fn a_verified_webhook_is_queued_and_then_accepted() {
    let world = World::publishing(&RSA);
    let mut sent = headers(&RSA, SIGNED_AT, BODY);
    sent.push(("x-amzn-trace-id".to_owned(), "Root=1-68ef1382-0".to_owned()));
    let (status, headers, body) = answer(&world.receiver(), request(sent, BODY, &json!({}))).await;
    assert_eq!((status, body), (200, json!({ "status": "accepted" })));
    assert_eq!(headers["content-type"], "application/json");

    let [message] = <[String; 1]>::try_from(world.sent()).expect("one message");
    let envelope = Envelope::from_json(&message).expect("an envelope");
    assert_eq!(envelope.body().as_ref(), BODY);
    assert_eq!(envelope.received_at(), at(SIGNED_AT));
    assert_eq!(envelope.url(), crate::support::provider::URL);
    assert_eq!(envelope.attestation().key, RSA.set().keys()[0].thumbprint());
}

#[tokio::test]
async fn a_malformed_request_is_answered_400() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    let signature = RSA.signature(&SIGNED_AT.to_string(), crate::support::provider::URL, BODY);
    let without = |name: &str| headers(&RSA, SIGNED_AT, BODY).into_iter().filter(|(known, _)| known != name).collect();
    // The gateway joins the values of a repeated header with a comma.
    let twice = |value: &str| format!("{value},{value}");
    let cases = [
        ("no timestamp", without(TIMESTAMP_HEADER), "header_missing"),
        ("no signature", without(SIGNATURE_HEADER), "header_missing"),
        ("an empty timestamp", with_header(TIMESTAMP_HEADER, ""), "header_missing"),
        ("an empty signature", with_header(SIGNATURE_HEADER, ""), "header_missing"),
        ("no headers", Vec::new(), "header_missing"),
        ("an invalid timestamp", with_header(TIMESTAMP_HEADER, CANARY), "header_malformed"),
        ("a timestamp in milliseconds", with_header(TIMESTAMP_HEADER, "1760484866000"), "header_malformed"),
        ("a timestamp with a fraction", with_header(TIMESTAMP_HEADER, "1760484866.5"), "header_malformed"),
        ("two timestamps", with_header(TIMESTAMP_HEADER, &twice("1760484866")), "header_malformed"),
        ("an invalid signature", with_header(SIGNATURE_HEADER, &format!("{CANARY}!")), "header_malformed"),
        ("a signature in base64url", with_header(SIGNATURE_HEADER, "-_-_"), "header_malformed"),
        ("two signatures", with_header(SIGNATURE_HEADER, &twice(&signature)), "header_malformed"),
    ];
    for (what, headers, code) in cases {
        assert_rejected(what, &world, &receiver, request(headers, BODY, &json!({})), 400, code).await;
    }

    for name in [TIMESTAMP_HEADER, SIGNATURE_HEADER] {
        let mut repeated = signed(&RSA, SIGNED_AT);
        let value = repeated.headers[name].clone();
        repeated.headers.append(name, value);
        assert_rejected("a repeated header", &world, &receiver, repeated, 400, "header_repeated").await;

        let mut no_text = signed(&RSA, SIGNED_AT);
        no_text.headers.insert(name, HeaderValue::from_bytes(b"\xff\xfe").expect("a header"));
        assert_rejected("a header that is not text", &world, &receiver, no_text, 400, "header_malformed").await;
    }

    for encoded in [CANARY, "*", "====", "eyJ9 ", "ab\ncd"] {
        let request =
            request(headers(&RSA, SIGNED_AT, BODY), BODY, &json!({ "body": encoded, "isBase64Encoded": true }));
        assert_rejected(encoded, &world, &receiver, request, 400, "body_encoding").await;
    }
}

#[tokio::test]
async fn a_request_that_does_not_verify_is_answered_401() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    let tolerance = TOLERANCE.as_secs().cast_signed();
    let stale = SIGNED_AT - tolerance - 1;
    let future = SIGNED_AT + tolerance + 1;
    let sent_to_host = |host: &str| {
        let timestamp = SIGNED_AT.to_string();
        let signature = RSA.signature(&timestamp, &format!("https://{host}{PATH}"), BODY);
        [(TIMESTAMP_HEADER, timestamp), (SIGNATURE_HEADER, signature), ("host", host.to_owned())]
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec()
    };
    let cases = [
        ("by another key", signed(&RSA_NEXT, SIGNED_AT), "signature_unverified"),
        (
            "another body",
            request(headers(&RSA, SIGNED_AT, BODY), CANARY.as_bytes(), &json!({})),
            "signature_unverified",
        ),
        ("no body", request(headers(&RSA, SIGNED_AT, BODY), b"", &json!({ "body": null })), "signature_unverified"),
        ("signed for another host", request(sent_to_host("evil.example"), BODY, &json!({})), "signature_unverified"),
        ("stale", signed(&RSA, stale), "timestamp_too_old"),
        ("in the future", signed(&RSA, future), "timestamp_in_future"),
        ("an invalid token", request(with_header("authorization", CANARY), BODY, &json!({})), "token_refused"),
        (
            "an invalid bearer token",
            request(with_header("authorization", &format!("Bearer {CANARY}")), BODY, &json!({})),
            "token_refused",
        ),
    ];
    for (what, request, code) in cases {
        assert_rejected(what, &world, &receiver, request, 401, code).await;
    }

    let mut required = settings();
    required.jwt.mode = JwtMode::Required;
    let receiver = world.receiver_with(required, KEYS);
    assert_rejected("a missing token", &world, &receiver, signed(&RSA, SIGNED_AT), 401, "token_missing").await;
    let basic = request(with_header("authorization", &format!("Basic {CANARY}")), BODY, &json!({}));
    assert_rejected("Basic credentials", &world, &receiver, basic, 401, "token_missing").await;
}

#[tokio::test]
async fn a_path_without_an_enabled_provider_is_answered_404() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    for path in [
        "/",
        "",
        "/other",
        "/connect",
        "/webhooks",
        "/webhooks/",
        "/webhooks//connect",
        "/webhooks/unknown",
        "/webhooks/Connect",
        "/webhooks/connect2",
        "/webhooks/connect%20",
        "/webhooks/zerohash",
        "/webhooks/canary-4711",
        "/Webhooks/connect",
        "/webhooksconnect",
        "/webhooks/other/connect",
    ] {
        for method in ["POST", "GET"] {
            let changes = json!({ "rawPath": path, "requestContext": { "http": { "method": method } } });
            let request = request(headers(&RSA, SIGNED_AT, BODY), BODY, &changes);
            assert_rejected(path, &world, &receiver, request, 404, "unknown_provider").await;
        }
    }
    let no_path = request(headers(&RSA, SIGNED_AT, BODY), BODY, &json!({ "rawPath": null }));
    assert_rejected("no path", &world, &receiver, no_path, 404, "unknown_provider").await;

    let off: TestReceiver = Receiver::new(world.queue.clone(), BTreeMap::new(), world.metrics.clone());
    assert_rejected("the provider is off", &world, &off, signed(&RSA, SIGNED_AT), 404, "unknown_provider").await;
}

#[tokio::test]
async fn a_path_may_have_a_suffix_and_the_prefix_of_a_stage() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    for path in [
        PATH,
        "/webhooks/connect/",
        "/webhooks/connect/anything/below",
        "/webhooks/connect/webhooks/unknown",
        "/prod/webhooks/connect",
    ] {
        let request = request(headers(&RSA, SIGNED_AT, BODY), BODY, &json!({ "rawPath": path }));
        assert_eq!(receiver.handle(request, at(SIGNED_AT)).await, Answer::Accepted, "{path}");
    }
}

#[tokio::test]
async fn a_method_other_than_post_is_answered_405() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "post", "CANARY"] {
        let request = request(
            headers(&RSA, SIGNED_AT, BODY),
            BODY,
            &json!({ "requestContext": { "http": { "method": method } } }),
        );
        assert_rejected(method, &world, &receiver, request, 405, "method_not_allowed").await;
    }
}

#[tokio::test]
async fn the_largest_body_has_exactly_256_kib() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    assert_eq!(BODY_BYTES_MAX, 262_144);
    for fill in ["x", "\u{1}", "\""] {
        let longest = fill.repeat(BODY_BYTES_MAX);
        let too_long = format!("{longest}x");
        for (body, is_accepted) in [(&longest, true), (&too_long, false)] {
            let sent = headers(&RSA, SIGNED_AT, body.as_bytes());
            // Base64 makes the text a third longer; the limit applies to the decoded body.
            let encoded = json!({ "body": BASE64_STANDARD.encode(body), "isBase64Encoded": true });
            for (how, changes) in [("as text", json!({})), ("as base64", encoded)] {
                let request = request(sent.clone(), body.as_bytes(), &changes);
                if is_accepted {
                    assert_eq!(receiver.handle(request, at(SIGNED_AT)).await, Answer::Accepted, "{fill:?} {how}");
                    let envelope =
                        Envelope::from_json(&world.sent().pop().expect("it was queued")).expect("an envelope");
                    assert!(envelope.body() == body.as_bytes(), "{fill:?} {how}");
                } else {
                    assert_rejected(how, &world, &receiver, request, 413, "body_too_large").await;
                }
            }
        }
    }
    // The limit counts bytes, not characters.
    let body = "ü".repeat(BODY_BYTES_MAX / 2 + 1);
    let request = request(headers(&RSA, SIGNED_AT, body.as_bytes()), body.as_bytes(), &json!({}));
    assert_rejected("two bytes too many", &world, &receiver, request, 413, "body_too_large").await;
}

#[tokio::test]
async fn a_verified_webhook_is_accepted_whatever_its_content() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    for body in [
        "",
        "not JSON",
        "null",
        "{}",
        "event=connect.deposits.pending",
        "\u{0}",
        "{\"event\":\"of tomorrow\"}",
        "\u{feff}[]",
    ] {
        let request = request(headers(&RSA, SIGNED_AT, body.as_bytes()), body.as_bytes(), &json!({}));
        assert_eq!(receiver.handle(request, at(SIGNED_AT)).await, Answer::Accepted, "{body:?}");
        let envelope = Envelope::from_json(&world.sent().pop().expect("it was queued")).expect("an envelope");
        assert_eq!(envelope.body().as_ref(), body.as_bytes());
    }
    let no_body = request(headers(&RSA, SIGNED_AT, b""), b"", &json!({ "body": null }));
    assert_eq!(receiver.handle(no_body, at(SIGNED_AT)).await, Answer::Accepted, "the gateway omits an empty body");
}

#[tokio::test]
async fn a_base64_body_is_verified_as_the_decoded_bytes() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    for body in [BODY, b"\xff\x00\r\n\xfe", b""] {
        let encoded = BASE64_STANDARD.encode(body);
        let changes = json!({ "body": encoded, "isBase64Encoded": true });
        let as_sent = request(headers(&RSA, SIGNED_AT, body), b"", &changes);
        assert_eq!(receiver.handle(as_sent, at(SIGNED_AT)).await, Answer::Accepted);
        let envelope = Envelope::from_json(&world.sent().pop().expect("it was queued")).expect("an envelope");
        assert_eq!(envelope.body().as_ref(), body);

        if !body.is_empty() {
            let of_the_text = request(headers(&RSA, SIGNED_AT, encoded.as_bytes()), b"", &changes);
            assert_rejected("signed as text", &world, &receiver, of_the_text, 401, "signature_unverified").await;
        }
    }
}

#[tokio::test]
async fn a_webhook_that_cannot_be_verified_or_queued_now_is_answered_503() {
    let world = World::default();
    assert_rejected("no key set", &world, &world.receiver(), signed(&RSA, SIGNED_AT), 503, "no_key_set").await;

    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    world.queue.now().on_send = Fail::Always;
    assert_rejected("the queue is down", &world, &receiver, signed(&RSA, SIGNED_AT), 503, "queue_unreachable").await;
    world.queue.now().on_send = Fail::Never;
    assert_eq!(receiver.handle(signed(&RSA, SIGNED_AT), at(SIGNED_AT)).await, Answer::Accepted, "sent again");
    assert_eq!(world.sent().len(), 1);
}

#[tokio::test]
async fn no_answer_repeats_any_part_of_the_request() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    let everywhere = [
        TIMESTAMP_HEADER,
        SIGNATURE_HEADER,
        "client-id",
        "authorization",
        "x-zh-hook-payload-type",
        "host",
        "x-canary-4711",
    ];
    for (timestamp, signature, status, code) in [
        (CANARY.to_owned(), CANARY.to_owned(), 400, "header_malformed"),
        (SIGNED_AT.to_string(), CANARY.to_owned(), 400, "header_malformed"),
        (SIGNED_AT.to_string(), BASE64_STANDARD.encode(CANARY), 401, "signature_unverified"),
        ((SIGNED_AT - 1000).to_string(), BASE64_STANDARD.encode(CANARY), 401, "timestamp_too_old"),
    ] {
        let mut sent: Vec<(String, String)> = everywhere.map(|name| (name.to_owned(), CANARY.to_owned())).to_vec();
        (sent[0].1, sent[1].1) = (timestamp, signature);
        let changes =
            json!({ "rawPath": "/webhooks/connect/canary-4711", "rawQueryString": "canary-4711=canary-4711" });
        let request = request(sent, CANARY.as_bytes(), &changes);
        assert_rejected(code, &world, &receiver, request, status, code).await;
    }
}

#[test]
fn every_answer_has_a_stable_status_and_code() {
    let header = || "signature".to_owned();
    let second = Duration::from_secs(1);
    let table = [
        (Answer::Accepted, 200, "accepted"),
        (Answer::BodyEncoding, 400, "body_encoding"),
        (Answer::Rejected(Rejection::HeaderMissing(header())), 400, "header_missing"),
        (Answer::Rejected(Rejection::HeaderRepeated(header())), 400, "header_repeated"),
        (Answer::Rejected(Rejection::HeaderMalformed { name: header(), expected: "another" }), 400, "header_malformed"),
        (Answer::Rejected(Rejection::TimestampTooOld { by: second, allowed: second }), 401, "timestamp_too_old"),
        (Answer::Rejected(Rejection::TimestampInFuture { by: second, allowed: second }), 401, "timestamp_in_future"),
        (Answer::Rejected(Rejection::SignatureUnverified), 401, "signature_unverified"),
        (Answer::Rejected(Rejection::NoKeyForScheme { header: header() }), 401, "no_key_for_scheme"),
        (Answer::Rejected(Rejection::LegacySignature), 401, "legacy_signature"),
        (Answer::Rejected(Rejection::TokenMissing(header())), 401, "token_missing"),
        (Answer::Rejected(Rejection::NotAToken { header: header(), scheme: "Basic" }), 401, "token_missing"),
        (Answer::Rejected(Rejection::Token(TokenRejection::Expired)), 401, "token_refused"),
        (Answer::UnknownProvider, 404, "unknown_provider"),
        (Answer::MethodNotAllowed, 405, "method_not_allowed"),
        (Answer::TooLarge, 413, "body_too_large"),
        (Answer::NoUsableKeys, 503, "no_key_set"),
        (Answer::KeysUnread, 503, "keys_unread"),
        (Answer::QueueUnreachable, 503, "queue_unreachable"),
    ];
    for (answer, status, code) in table {
        assert_eq!((answer.status(), answer.code()), (status, code));
    }
}

#[tokio::test]
async fn a_webhook_signed_for_any_registered_url_is_accepted() {
    let world = World::publishing(&RSA);
    let (deposits, withdrawals) =
        ("https://fundhook.example/webhooks/connect/d", "https://fundhook.example/webhooks/connect/w");
    let settings = Settings { webhook_urls: vec![deposits.to_owned(), withdrawals.to_owned()], ..settings() };
    let receiver = world.receiver_with(settings, KEYS);
    let timestamp = SIGNED_AT.to_string();
    for url in [deposits, withdrawals] {
        let signature = RSA.signature(&timestamp, url, BODY);
        let sent = [(TIMESTAMP_HEADER, &timestamp), (SIGNATURE_HEADER, &signature)];
        let sent = sent.map(|(name, value)| (name.to_owned(), value.clone())).to_vec();
        assert_eq!(receiver.handle(request(sent, BODY, &json!({})), at(SIGNED_AT)).await, Answer::Accepted, "{url}");
    }
    assert_rejected("signed for another URL", &world, &receiver, signed(&RSA, SIGNED_AT), 401, "signature_unverified")
        .await;
}

#[tokio::test]
async fn each_request_is_one_line_with_its_metrics_and_an_accepted_one_has_the_id_of_its_webhook() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    assert_eq!(receiver.handle(signed(&RSA, SIGNED_AT), at(SIGNED_AT)).await, Answer::Accepted);
    receiver.handle(signed(&RSA, SIGNED_AT - 1000), at(SIGNED_AT)).await;
    receiver.handle(request(Vec::new(), BODY, &json!({})), at(SIGNED_AT)).await;
    receiver.handle(request(Vec::new(), BODY, &json!({ "rawPath": "/webhooks/bank" })), at(SIGNED_AT)).await;
    let [accepted, stale, bare, unknown] = world.metrics.lines().try_into().expect("one line each");

    let queued = Envelope::from_json(&world.sent()[0]).expect("an envelope");
    assert_eq!(accepted["correlation_id"], queued.correlation_id().to_string());
    assert_eq!((&accepted["AcceptedWebhooks"], &accepted["UnverifiedShare"]), (&json!(1), &json!(0)));
    assert_eq!(accepted["message"], "webhook to /webhooks/connect accepted");
    assert_eq!((&accepted["level"], &accepted["status"]), (&json!("INFO"), &json!(200)));
    assert_eq!(accepted["timestamp"], at(SIGNED_AT).to_string());

    let dimensions = |line: &Value| line["_aws"]["CloudWatchMetrics"][0]["Dimensions"].clone();
    assert_eq!(dimensions(&accepted), json!([["stack", "provider"]]));
    for (refused, reason, counts_as_unverified) in
        [(&stale, "timestamp_too_old", true), (&bare, "header_missing", false)]
    {
        assert_eq!((&refused["RefusedWebhooks"], &refused["reason"]), (&json!(1), &json!(reason)));
        // A request without the headers of a webhook says nothing about a secret.
        assert_eq!(refused["UnverifiedShare"] == json!(1), counts_as_unverified, "{reason}");
        assert_eq!(dimensions(refused), json!([["stack", "provider"], ["stack", "provider", "reason"]]));
        assert_eq!(refused.get("correlation_id"), None);
    }
    assert_eq!((&unknown["RefusedWebhooks"], &unknown["reason"]), (&json!(1), &json!("unknown_provider")));
    assert_eq!(dimensions(&unknown), json!([["stack", "reason"]]));
    assert_eq!((&unknown["path"], &unknown["status"]), (&json!("/webhooks/bank"), &json!(404)));
}

#[tokio::test]
async fn the_trace_of_the_invocation_goes_on_with_the_message_and_not_the_one_that_a_sender_wrote() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    let mut webhook = signed(&RSA, SIGNED_AT);
    webhook.headers.insert("x-amzn-trace-id", HeaderValue::from_static("Root=forged"));
    let trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1";
    let mut context = lambda_runtime::Context::default();
    context.xray_trace_id = Some(trace.to_owned());
    let invocation = lambda_runtime::LambdaEvent::new(webhook.clone(), context);
    assert_eq!(receiver.handle(invocation, at(SIGNED_AT)).await, Answer::Accepted);
    assert_eq!(receiver.handle(webhook, at(SIGNED_AT)).await, Answer::Accepted);
    assert_eq!(world.queue.now().traces, [trace]);
    let kept = |envelope: &String| serde_json::from_str::<Value>(envelope).expect("JSON").get("trace").cloned();
    assert_eq!(world.sent().iter().map(kept).collect::<Vec<_>>(), [Some(json!(trace)), None]);
}
