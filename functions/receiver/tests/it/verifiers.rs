//! Which feed a path belongs to, and that each feed is verified by its own scheme with its own secrets.

use std::sync::Arc;
use std::time::Duration;

use fundhook_domain::{EvidenceClass, Provider, Scheme};
use fundhook_providers::zerohash::{
    LEGACY_RSA_SIGNATURE_HEADER, LEGACY_SIGNATURE_HEADER, NOTIFICATION_ID_HEADER, PAYLOAD_TYPE_HEADER,
    RSA_SIGNATURE_HEADER, RsaPadding, SIGNATURE_HEADER, Settings, TIMESTAMP_HEADER, signed_message,
};
use fundhook_providers::{Envelope, striga};
use jsonwebtoken::Algorithm;
use receiver::{Answer, Verifier};
use serde_json::{Value, json};

use crate::support::provider::zerohash::{SIGNED_AT_MILLISECONDS, settings, shared};
use crate::support::provider::{RSA, RSA_NEXT, SIGNED_AT, TestKey, at};
use crate::support::vault::{by_striga, by_zerohash, named};
use crate::support::{BODY, KEYS, TestReceiver, World, request, signed};

/// The secret of `feed`.
fn secret_of(feed: &str) -> String {
    format!("the secret of {feed}, 0123456789abcdef")
}

/// The public half of [`RSA`].
const PUBLIC_PEM: &str = include_str!("../../../../shared/providers/tests/keys/test-key-rsa-2048.pub.pem");

/// A world with the secrets of the default organization and of two tenants, for zerohash and for Striga.
fn world() -> World {
    let world = World::publishing(&RSA);
    for (provider, vault) in [("zerohash", &world.zerohash), ("striga", &world.striga)] {
        let current = |feed: String| json!({ "current": secret_of(&feed) });
        vault.store(&json!({
            "default": current(provider.to_owned()),
            "acme": current(format!("{provider}/acme")),
            "bolt": current(format!("{provider}/bolt")),
        }));
    }
    world
}

/// A receiver of these feeds of zerohash and Striga, and of Connect.
fn receiver(world: &World, feeds: &[&'static str]) -> TestReceiver {
    receiver_with(world, feeds, settings())
}

fn receiver_with(world: &World, feeds: &[&'static str], settings: Settings) -> TestReceiver {
    let (zerohash, striga) = (world.secrets(Provider::Zerohash, KEYS), world.secrets(Provider::Striga, KEYS));
    let connect = Verifier::Connect(crate::support::provider::settings(), world.keys());
    let verifier = |feed: &&'static str| match feed.starts_with("zerohash") {
        true => (*feed, Verifier::Zerohash(settings.clone(), Arc::clone(&zerohash))),
        false => (*feed, Verifier::Striga(Arc::clone(&striga))),
    };
    world.receiver_of(feeds.iter().map(verifier).chain([("connect", connect)]))
}

/// The headers of a webhook that is signed with the secret of `feed`.
fn by(feed: &str, body: &[u8]) -> Vec<(String, String)> {
    let secret = secret_of(feed);
    match feed.starts_with("zerohash") {
        true => by_zerohash(&secret, SIGNED_AT_MILLISECONDS, body),
        false => by_striga(&secret, body),
    }
}

async fn answer(receiver: &TestReceiver, path: &str, headers: Vec<(String, String)>) -> Answer {
    receiver.handle(request(headers, BODY, &json!({ "rawPath": path })), at(SIGNED_AT)).await
}

/// The feed of the last queued envelope.
fn feed_of_last(world: &World) -> Option<String> {
    let sent = world.sent().pop()?;
    Some(Envelope::from_json(&sent).expect("an envelope").feed().to_string())
}

#[tokio::test]
async fn a_path_belongs_to_its_tenant_if_enabled_and_otherwise_to_its_provider() {
    let on = &["zerohash", "striga", "striga/acme"];
    for (path, feed) in [
        ("/webhooks/zerohash", "zerohash"),
        ("/webhooks/zerohash/", "zerohash"),
        ("/webhooks/zerohash/anything/below", "zerohash"),
        ("/prod/webhooks/zerohash", "zerohash"),
        // This tenant is not enabled for zerohash.
        ("/webhooks/zerohash/acme", "zerohash"),
        ("/webhooks/striga", "striga"),
        ("/webhooks/striga/tx", "striga"),
        ("/prod/webhooks/striga/tx/", "striga"),
        ("/webhooks/striga/acme", "striga/acme"),
        ("/webhooks/striga/acme/", "striga/acme"),
        ("/webhooks/striga/acme/tx", "striga/acme"),
        ("/prod/webhooks/striga/acme/tx", "striga/acme"),
        ("/webhooks/striga/bolt/tx", "striga"),
        ("/webhooks/striga/acme-2/tx", "striga"),
        ("/webhooks/striga/tx/acme", "striga"),
        ("/webhooks/striga//acme", "striga"),
        // None of these is the name of a tenant.
        ("/webhooks/striga/Acme/tx", "striga"),
        ("/webhooks/striga/acme%2Ftx", "striga"),
        ("/webhooks/striga/acme#tx", "striga"),
        ("/webhooks/striga/-acme/tx", "striga"),
    ] {
        let world = world();
        let receiver = receiver(&world, on);
        for signed_for in ["zerohash", "striga", "striga/acme", "striga/bolt"] {
            let answer = answer(&receiver, path, by(signed_for, BODY)).await;
            let expected = if signed_for == feed {
                200
            } else if signed_for[..6] == feed[..6] {
                401
            } else {
                400
            };
            assert_eq!(answer.status(), expected, "{path}, signed for {signed_for}: {answer:?}");
        }
        assert_eq!(feed_of_last(&world).as_deref(), Some(feed), "{path}");
        assert_eq!(world.sent().len(), 1, "{path}");
    }
}

#[tokio::test]
async fn an_organization_that_is_refused_is_seen_although_others_of_its_provider_are_accepted() {
    let world = world();
    let receiver = receiver(&world, &["striga", "striga/acme", "striga/bolt"]);
    let sent = async |feed: &str, signed_for: &str, seconds: i64| {
        let path = format!("/webhooks/{feed}/tx");
        let headers = if signed_for.is_empty() { Vec::new() } else { by(signed_for, BODY) };
        let request = request(headers, BODY, &json!({ "rawPath": path }));
        receiver.handle(request, at(SIGNED_AT + seconds)).await;
        let line = world.metrics.lines().pop().expect("a line");
        assert_eq!(line["feed"], feed, "the line names the organization");
        line.get("UnverifiedSeconds").and_then(Value::as_u64)
    };
    assert_eq!(sent("striga/acme", "striga/acme", 0).await, None, "accepted");
    assert_eq!(sent("striga/acme", "striga/bolt", 100).await, Some(0), "the first that is refused");
    for (feed, signed_for, seconds, expected, what) in [
        ("striga", "striga", 200, None, "another organization is accepted"),
        ("striga/acme", "striga", 1000, Some(900), "the time since the first"),
        ("striga/bolt", "striga", 1010, Some(0), "each organization has its own"),
        ("striga/acme", "", 1020, None, "without its header it may come from anyone"),
        ("striga/acme", "striga", 1500, Some(1400), "it counts on"),
        ("striga/acme", "striga/acme", 1600, None, "accepted again"),
        ("striga/acme", "striga", 1700, Some(0), "a first one again"),
        ("striga/bolt", "striga", 1700, Some(690), "the other one was not accepted"),
    ] {
        assert_eq!(sent(feed, signed_for, seconds).await, expected, "{what}");
    }
}

#[tokio::test]
async fn a_disabled_feed_is_answered_404_and_an_enabled_one_accepts_only_post() {
    let world = world();
    let (none, tenant_only) = (receiver(&world, &[]), receiver(&world, &["striga/acme"]));
    let all = receiver(&world, &["zerohash", "striga", "striga/acme"]);
    let unknown = (404, "unknown_provider");
    for (receiver, path, expected) in [
        (&none, "/webhooks/zerohash", unknown),
        (&none, "/webhooks/striga/tx", unknown),
        (&none, "/webhooks/striga/acme/tx", unknown),
        (&tenant_only, "/webhooks/striga/tx", unknown),
        (&tenant_only, "/webhooks/striga/bolt/tx", unknown),
        (&tenant_only, "/webhooks/zerohash/acme", unknown),
        (&all, "/webhooks/other", unknown),
        (&all, "/webhooks/acme/striga", unknown),
        (&all, "/webhooks/striga/tx", (200, "accepted")),
    ] {
        let answered = answer(receiver, path, by("striga", BODY)).await;
        assert_eq!((answered.status(), answered.code()), expected, "{path}");
        for method in ["GET", "PUT", "DELETE"] {
            let changes = json!({ "rawPath": path, "requestContext": { "http": { "method": method } } });
            let answered = receiver.handle(request(by("striga", BODY), BODY, &changes), at(SIGNED_AT)).await;
            let expected = if expected == unknown { unknown } else { (405, "method_not_allowed") };
            assert_eq!((answered.status(), answered.code()), expected, "{method} {path}");
        }
    }
    assert_eq!(
        (world.zerohash.reads(), world.striga.reads()),
        (0, 1),
        "only the secrets of the requested provider are read"
    );
}

#[tokio::test]
async fn each_organization_is_verified_only_with_its_own_secret() {
    for provider in ["zerohash", "striga"] {
        let world = world();
        let feeds: &[&'static str] = match provider {
            "zerohash" => &["zerohash", "zerohash/acme", "zerohash/bolt"],
            _ => &["striga", "striga/acme", "striga/bolt"],
        };
        let receiver = receiver(&world, feeds);
        for verifier in feeds {
            for signer in feeds {
                let before = world.sent().len();
                let answer = answer(&receiver, &format!("/webhooks/{verifier}"), by(signer, BODY)).await;
                let is_own = verifier == signer;
                let code = if is_own { "accepted" } else { "signature_unverified" };
                assert_eq!(answer.code(), code, "signed for {signer}, sent to {verifier}");
                assert_eq!(world.sent().len(), before + usize::from(is_own));
                if is_own {
                    assert_eq!(feed_of_last(&world).as_deref(), Some(*verifier));
                }
            }
        }
        let reads = world.zerohash.reads() + world.striga.reads();
        assert_eq!(reads, 2, "one for all organizations, and one after failed verifications");
    }
}

#[tokio::test]
async fn a_tenant_of_connect_has_its_own_urls_and_keys() {
    let (world, theirs) = (World::publishing(&RSA), World::publishing(&RSA_NEXT));
    let url = "https://fundhook.example/webhooks/connect/acme";
    let mut settings = crate::support::provider::settings();
    settings.webhook_urls = vec![url.to_owned()];
    let ours = Verifier::Connect(crate::support::provider::settings(), world.keys());
    let acme = Verifier::Connect(settings, theirs.keys());
    let receiver = world.receiver_of([("connect", ours), ("connect/acme", acme)]);
    let to_acme = |key: &TestKey, url: &str| {
        let signature = key.signature(&SIGNED_AT.to_string(), url, BODY);
        named(&[("timestamp", &SIGNED_AT.to_string()), ("signature", &signature)])
    };
    let path = "/webhooks/connect/acme";
    for (key, url, code) in [
        (&RSA_NEXT, url, "accepted"),
        (&RSA, url, "signature_unverified"),
        (&RSA_NEXT, crate::support::provider::URL, "signature_unverified"),
    ] {
        assert_eq!(answer(&receiver, path, to_acme(key, url)).await.code(), code);
    }
    assert_eq!(feed_of_last(&world).as_deref(), Some("connect/acme"));
    assert_eq!(receiver.handle(signed(&RSA, SIGNED_AT), at(SIGNED_AT)).await, Answer::Accepted);
    assert_eq!(feed_of_last(&world).as_deref(), Some("connect"));
}

#[tokio::test]
async fn an_envelope_names_its_feed_and_attestation_and_keeps_the_relevant_headers() {
    let world = world();
    let receiver = receiver(&world, &["zerohash/acme", "striga"]);
    let others = [("authorization", "canary-4711"), ("host", "fundhook.example"), ("x-amzn-trace-id", "Root=1-2-3")];
    let named_by = [(PAYLOAD_TYPE_HEADER, "deposit.status_changed"), (NOTIFICATION_ID_HEADER, "cc3e3a41")];
    for (feed, path, own, scheme) in [
        ("zerohash/acme", "/prod/webhooks/zerohash/acme/x", &named_by[..], Scheme::ZerohashHmacSha256),
        ("striga", "/webhooks/striga/tx", &[], Scheme::StrigaHmacSha256),
    ] {
        let signed = by(feed, BODY);
        let sent = [signed.clone(), named(own), named(&others)].concat();
        assert_eq!(answer(&receiver, path, sent).await, Answer::Accepted, "{feed}");

        let message = world.sent().pop().expect("it was queued");
        let envelope = Envelope::from_json(&message).expect("an envelope");
        assert_eq!((envelope.feed().to_string().as_str(), envelope.url()), (feed, path));
        assert_eq!((envelope.body().as_ref(), envelope.received_at()), (BODY, at(SIGNED_AT)));
        let attestation = envelope.attestation();
        assert_eq!((attestation.scheme, attestation.class), (scheme, EvidenceClass::SharedSecret));
        assert_eq!(attestation.key, shared(&secret_of(feed)).name());
        let signed_at = feed.starts_with("zerohash").then(|| "2025-10-14T23:34:26.123Z".to_owned());
        assert_eq!(attestation.signed_at.map(|at| at.to_string()), signed_at);

        let members: Value = serde_json::from_str(&message).expect("JSON");
        assert_eq!(members.get("trace"), None, "a sender may write anything into this header");
        let kept: Vec<(String, String)> = serde_json::from_value(members["headers"].clone()).expect("pairs");
        let mut expected = [signed, named(own)].concat();
        expected.sort_unstable();
        assert_eq!(
            {
                let mut kept = kept;
                kept.sort_unstable();
                kept
            },
            expected,
            "{feed}"
        );
        assert!(!message.contains("canary") && !message.contains(&secret_of(feed)), "{message}");
    }
}

/// zerohash's settings with a change.
fn with(change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = settings();
    change(&mut settings);
    settings
}

/// A signature with `key` in the current header, and its timestamp.
fn by_key(key: &TestKey, algorithm: Algorithm) -> Vec<(String, String)> {
    let signature = hex::encode(key.sign(algorithm, &signed_message(BODY, SIGNED_AT_MILLISECONDS)));
    named(&[(TIMESTAMP_HEADER, SIGNED_AT_MILLISECONDS), (RSA_SIGNATURE_HEADER, &signature)])
}

#[tokio::test]
async fn a_zerohash_webhook_is_accepted_only_with_valid_signatures() {
    let secret = secret_of("zerohash");
    let seconds = SIGNED_AT.to_string();
    let stale = ((SIGNED_AT - 301) * 1000).to_string();
    let future = ((SIGNED_AT + 301) * 1000).to_string();
    let hmac = |timestamp: &str| by_zerohash(&secret, timestamp, BODY);
    let other_body = by_zerohash(&secret, SIGNED_AT_MILLISECONDS, b"another body");
    let legacy = named(&[(LEGACY_SIGNATURE_HEADER, &shared(&secret).sign(BODY))]);
    let legacy_by_key = named(&[(LEGACY_RSA_SIGNATURE_HEADER, &hex::encode(RSA.sign(Algorithm::PS256, BODY)))]);
    let (pkcs1, pss) = (by_key(&RSA, Algorithm::RS256), by_key(&RSA, Algorithm::PS256));
    let good = hmac(SIGNED_AT_MILLISECONDS);
    let forged = by_zerohash("another secret 0123456789abcdef01", SIGNED_AT_MILLISECONDS, BODY);
    let malformed = named(&[(TIMESTAMP_HEADER, SIGNED_AT_MILLISECONDS), (SIGNATURE_HEADER, "not hex")]);
    let untimed = good.iter().filter(|(name, _)| name != TIMESTAMP_HEADER).cloned().collect::<Vec<_>>();
    let unsigned = good.iter().filter(|(name, _)| name != SIGNATURE_HEADER).cloned().collect::<Vec<_>>();
    let join = |one: &[(String, String)], other: &[(String, String)]| [one, other].concat();
    let key = json!({ "default": { "rsa_public_keys": [PUBLIC_PEM] } });
    let both = json!({ "default": { "current": secret, "rsa_public_keys": [PUBLIC_PEM] } });
    let hmac_alone = json!({ "default": { "current": secret } });
    let (as_is, as_pkcs1) = (settings(), with(|s| s.rsa_padding = RsaPadding::Pkcs1));
    let as_legacy = with(|s| s.legacy = true);

    for (what, headers, secrets, settings, status, code) in [
        ("an HMAC", good.clone(), &hmac_alone, &as_is, 200, "accepted"),
        ("a timestamp in seconds", hmac(&seconds), &hmac_alone, &as_is, 200, "accepted"),
        ("another secret", forged.clone(), &hmac_alone, &as_is, 401, "signature_unverified"),
        ("another body", other_body, &hmac_alone, &as_is, 401, "signature_unverified"),
        ("too old", hmac(&stale), &hmac_alone, &as_is, 401, "timestamp_too_old"),
        ("in the future", hmac(&future), &hmac_alone, &as_is, 401, "timestamp_in_future"),
        ("nothing", Vec::new(), &hmac_alone, &as_is, 400, "header_missing"),
        ("no timestamp", untimed, &hmac_alone, &as_is, 400, "header_missing"),
        ("no signature", unsigned, &hmac_alone, &as_is, 400, "header_missing"),
        ("not hex", malformed, &hmac_alone, &as_is, 400, "header_malformed"),
        ("not a time", hmac("yesterday"), &hmac_alone, &as_is, 400, "header_malformed"),
        ("RSA", pss.clone(), &key, &as_is, 200, "accepted"),
        ("RSA by another key", by_key(&RSA_NEXT, Algorithm::PS256), &key, &as_is, 401, "signature_unverified"),
        ("RSA with the other padding", pkcs1.clone(), &key, &as_is, 401, "signature_unverified"),
        ("RSA-PKCS1", pkcs1, &key, &as_pkcs1, 200, "accepted"),
        ("RSA without a key for it", pss.clone(), &hmac_alone, &as_is, 401, "no_key_for_scheme"),
        ("an HMAC without a secret for it", good.clone(), &key, &as_is, 401, "no_key_for_scheme"),
        ("both", join(&good, &pss[1..]), &both, &as_is, 200, "accepted"),
        ("both, the HMAC forged", join(&forged, &pss[1..]), &both, &as_is, 401, "signature_unverified"),
        ("legacy", legacy.clone(), &hmac_alone, &as_is, 401, "legacy_signature"),
        ("legacy, switched on", legacy.clone(), &hmac_alone, &as_legacy, 200, "accepted"),
        ("legacy RSA", legacy_by_key.clone(), &key, &as_is, 401, "legacy_signature"),
        ("legacy RSA, switched on", legacy_by_key, &key, &as_legacy, 200, "accepted"),
        ("legacy beside a forged one", join(&forged, &legacy), &hmac_alone, &as_legacy, 401, "signature_unverified"),
        ("legacy beside a stale one", join(&hmac(&stale), &legacy), &hmac_alone, &as_legacy, 401, "timestamp_too_old"),
    ] {
        let world = World::default();
        world.zerohash.store(secrets);
        let receiver = receiver_with(&world, &["zerohash"], settings.clone());
        let answered = answer(&receiver, "/webhooks/zerohash", headers).await;
        assert_eq!((answered.status(), answered.code()), (status, code), "{what}");
        assert_eq!(world.sent().len(), usize::from(status == 200), "{what}");
        // The secrets are read again only if newer ones could verify it.
        let reads = 1 + usize::from(matches!(code, "signature_unverified" | "no_key_for_scheme"));
        assert_eq!(world.zerohash.reads(), reads, "{what}");
    }
}

#[tokio::test]
async fn a_striga_webhook_is_accepted_only_with_a_valid_signature() {
    let secret = secret_of("striga");
    let good = by_striga(&secret, BODY);
    let header = |value: &str| named(&[(striga::SIGNATURE_HEADER, value)]);
    for (what, headers, status, code) in [
        ("an HMAC", good.clone(), 200, "accepted"),
        ("in capitals", header(&good[0].1.to_uppercase()), 200, "accepted"),
        ("another secret", by_striga("another secret 0123456789abcdef01", BODY), 401, "signature_unverified"),
        ("another body", by_striga(&secret, b"another body"), 401, "signature_unverified"),
        ("a part of it", header(&good[0].1[..32]), 401, "signature_unverified"),
        ("a tenant's", by_striga(&secret_of("striga/acme"), BODY), 401, "signature_unverified"),
        ("nothing", Vec::new(), 400, "header_missing"),
        ("an empty one", header(""), 400, "header_missing"),
        ("not hex", header("not hex"), 400, "header_malformed"),
        ("twice", header(&format!("{0},{0}", good[0].1)), 400, "header_malformed"),
    ] {
        let world = world();
        let receiver = receiver(&world, &["striga", "striga/acme"]);
        let answered = answer(&receiver, "/webhooks/striga/tx", headers).await;
        assert_eq!((answered.status(), answered.code()), (status, code), "{what}");
        assert_eq!(world.sent().len(), usize::from(status == 200), "{what}");
    }
}

#[tokio::test]
async fn a_key_that_is_added_later_is_found_by_the_first_webhook_that_needs_it() {
    let world = world();
    let receiver = receiver(&world, &["zerohash"]);
    let by_rsa = by_key(&RSA, Algorithm::PS256);
    assert_eq!(answer(&receiver, "/webhooks/zerohash", by_rsa.clone()).await.code(), "no_key_for_scheme");
    world.zerohash.store(&json!({ "default": { "rsa_public_keys": [PUBLIC_PEM] } }));
    let later = at(SIGNED_AT).plus(Duration::from_secs(60));
    let webhook = request(by_rsa, BODY, &json!({ "rawPath": "/webhooks/zerohash" }));
    assert_eq!(receiver.handle(webhook, later).await, Answer::Accepted);
    let envelope = Envelope::from_json(&world.sent()[0]).expect("an envelope");
    let attestation = envelope.attestation();
    assert_eq!((attestation.scheme, attestation.class), (Scheme::ZerohashRsaPssSha256, EvidenceClass::Asymmetric));
    assert_eq!(attestation.key, RSA.set().keys()[0].thumbprint());
}

#[tokio::test]
async fn a_flood_to_every_feed_of_a_provider_costs_one_read_in_each_cooldown() {
    let world = world();
    let receiver = receiver(&world, &["zerohash", "zerohash/acme", "zerohash/bolt"]);
    for millisecond in 0..10_000_u64 {
        let path = ["/webhooks/zerohash", "/webhooks/zerohash/acme", "/webhooks/zerohash/bolt/x"]
            [usize::try_from(millisecond % 3).expect("small")];
        let now = at(SIGNED_AT).plus(Duration::from_millis(millisecond));
        let timestamp = now.unix_seconds().to_string();
        let forged = named(&[(TIMESTAMP_HEADER, &timestamp), (SIGNATURE_HEADER, &"7f".repeat(32))]);
        let answered = receiver.handle(request(forged, BODY, &json!({ "rawPath": path })), now).await;
        assert_eq!(answered.code(), "signature_unverified");
    }
    assert_eq!(world.zerohash.reads(), 1 + 1, "one at the cold start, and one in the cooldown of 60 s");
    assert_eq!((world.sent().len(), world.striga.reads()), (0, 0));
    assert_eq!(answer(&receiver, "/webhooks/zerohash/acme", by("zerohash/acme", BODY)).await, Answer::Accepted);
}
