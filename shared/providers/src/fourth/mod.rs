//! An invented fourth provider: the code that a provider needs beside the shared parts.
//! `docs/providers/adding-a-provider.md` quotes this folder as its example.
//!
//! It exists only in tests. Its feed, signature scheme and webhook family are Striga's, because a test cannot add
//! variants to those enums.

mod normalise;
mod verify;
mod wire;

pub(crate) use normalise::drafts;
pub(crate) use verify::verify;

/// The header with the time of signing, a UNIX time in seconds.
pub(crate) const TIMESTAMP_HEADER: &str = "x-fourth-timestamp";
/// The header with the HMAC over timestamp and body, in hex.
pub(crate) const SIGNATURE_HEADER: &str = "x-fourth-signature";

mod tests {
    use std::time::Duration;

    use fundhook_domain::{Details, EvidenceClass, Feed, Provider, Status, Timestamp, TransferDetails};
    use secrecy::SecretString;
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::draft::{Draft, NotUnderstood, Received};
    use crate::wire::members;
    use crate::{Envelope, Headers, ReadingSettings, Rejection, Secrets, SharedSecret, Webhook};

    const SECRET: &str = "the secret of the fourth provider";
    const PREVIOUS_SECRET: &str = "the secret it had last year";
    const SIGNED_AT: &str = "1760484866";
    const TOLERANCE: Duration = Duration::from_secs(300);
    const BODY: &str = r#"{"kind":"money_in","ref":"m-1","sum":"1.5 ETH"}"#;

    fn feed() -> Feed {
        Feed::from(Provider::Striga)
    }

    fn at(digits: &str) -> Timestamp {
        Timestamp::from_unix_digits(digits).expect("an instant")
    }

    fn secrets(entry: &Value) -> Secrets {
        let mut all = Secrets::from_json(&json!({ "default": entry }).to_string()).expect("valid secrets");
        all.remove(&None).expect("the default organization")
    }

    /// The HMAC by `secret` over `timestamp` and `body`.
    fn signature(secret: &str, timestamp: &str, body: &str) -> String {
        let secret = SharedSecret::new(&SecretString::from(secret)).expect("long enough");
        secret.sign(format!("{timestamp}.{body}").as_bytes())
    }

    /// `body` with these values of the two headers.
    fn webhook(timestamp: &str, signature: &str, body: &str) -> Webhook {
        let headers: Headers = [(TIMESTAMP_HEADER, timestamp), (SIGNATURE_HEADER, signature)].into_iter().collect();
        Webhook { path: "/webhooks/fourth".to_owned(), headers, body: body.as_bytes().to_vec() }
    }

    fn signed(timestamp: &str, body: &str) -> Webhook {
        webhook(timestamp, &signature(SECRET, timestamp, body), body)
    }

    fn verified_at(webhook: Webhook, now: Timestamp) -> Result<Envelope, Rejection> {
        let entry = json!({ "current": SECRET, "previous": PREVIOUS_SECRET });
        let verified = verify(webhook, &feed(), TOLERANCE, &secrets(&entry), now);
        verified.map(|verified| Envelope::seal(verified, now, None)).map_err(|(_, rejection)| rejection)
    }

    /// What the webhook with `body` states.
    fn read(body: &str) -> Result<Vec<Draft>, NotUnderstood> {
        let envelope = verified_at(signed(SIGNED_AT, body), at(SIGNED_AT)).expect("the test secret signed it");
        let members = members(&envelope.body()).map_err(|reason| NotUnderstood { named: None, reason })?;
        let settings = &ReadingSettings::default();
        drafts(&Received { envelope: &envelope, payload_type: None, settings }, members)
    }

    /// The one statement of `body`, and its details.
    fn draft(body: &Value) -> (Draft, TransferDetails) {
        let mut drafts = read(&body.to_string()).expect("understood");
        assert_eq!(drafts.len(), 1);
        let draft = drafts.remove(0);
        let Details::Transfer(details) = &draft.details else { unreachable!("a transfer") };
        let details = details.as_ref().clone();
        (draft, details)
    }

    fn status_of(draft: &Draft) -> &'static str {
        draft.status.map_or("none", Status::as_str)
    }

    #[test]
    fn a_signature_made_by_python_verifies() {
        let made = "be9b903d7ffd1762b1a22f8fce79c4ab68f132cec1b79413b402ad3f7dd55f69";
        let envelope = verified_at(webhook(SIGNED_AT, made, BODY), at(SIGNED_AT)).expect("verifies");
        let attestation = envelope.attestation();
        assert_eq!((attestation.class, attestation.signed_at), (EvidenceClass::SharedSecret, Some(at(SIGNED_AT))));
        assert_eq!((envelope.url(), envelope.feed()), ("/webhooks/fourth", &feed()));
        assert_eq!(envelope.header(SIGNATURE_HEADER), Some(made));
    }

    #[test]
    fn only_a_valid_signature_of_a_recent_time_is_accepted() {
        let good = signature(SECRET, SIGNED_AT, BODY);
        let malformed = |name: &str, expected| Rejection::HeaderMalformed { name: name.to_owned(), expected };
        let too_old = Rejection::TimestampTooOld { by: TOLERANCE + Duration::from_secs(1), allowed: TOLERANCE };
        let in_future = Rejection::TimestampInFuture { by: TOLERANCE + Duration::from_secs(1), allowed: TOLERANCE };
        for (what, webhook, now, expected) in [
            ("good", signed(SIGNED_AT, BODY), SIGNED_AT, None),
            ("in capital letters", webhook(SIGNED_AT, &good.to_uppercase(), BODY), SIGNED_AT, None),
            (
                "by the previous secret",
                webhook(SIGNED_AT, &signature(PREVIOUS_SECRET, SIGNED_AT, BODY), BODY),
                SIGNED_AT,
                None,
            ),
            ("at the last moment", signed(SIGNED_AT, BODY), "1760485166", None),
            ("a second later", signed(SIGNED_AT, BODY), "1760485167", Some(too_old)),
            ("at the first moment", signed(SIGNED_AT, BODY), "1760484566", None),
            ("a second earlier", signed(SIGNED_AT, BODY), "1760484565", Some(in_future)),
            (
                "by an unknown secret",
                webhook(SIGNED_AT, &"0".repeat(64), BODY),
                SIGNED_AT,
                Some(Rejection::SignatureUnverified),
            ),
            ("cut short", webhook(SIGNED_AT, &good[..32], BODY), SIGNED_AT, Some(Rejection::SignatureUnverified)),
            ("another body", webhook(SIGNED_AT, &good, "{}"), SIGNED_AT, Some(Rejection::SignatureUnverified)),
            ("another time", webhook("1760484867", &good, BODY), SIGNED_AT, Some(Rejection::SignatureUnverified)),
            (
                "not hex",
                webhook(SIGNED_AT, "good", BODY),
                SIGNED_AT,
                Some(malformed(SIGNATURE_HEADER, "an HMAC-SHA256 in hex")),
            ),
            (
                "milliseconds",
                signed("1760484866123", BODY),
                SIGNED_AT,
                Some(malformed(TIMESTAMP_HEADER, "UNIX time in seconds")),
            ),
            (
                "no timestamp",
                webhook("", &good, BODY),
                SIGNED_AT,
                Some(Rejection::HeaderMissing(TIMESTAMP_HEADER.to_owned())),
            ),
            (
                "no signature",
                webhook(SIGNED_AT, "", BODY),
                SIGNED_AT,
                Some(Rejection::HeaderMissing(SIGNATURE_HEADER.to_owned())),
            ),
        ] {
            assert_eq!(verified_at(webhook, at(now)).err(), expected, "{what}");
        }
    }

    #[test]
    fn a_webhook_is_normalised_and_nothing_is_dropped() {
        let body = json!({
            "kind": "money_in", "ref": "m-1", "sum": "1.5 ETH", "on": "ethereum", "tx": "0x1", "to": "0x2", "user": "u-1",
            "at": 1_760_484_860, "memo": "rent", "fee": { "sum": "0.01 ETH" },
        });
        let (draft, details) = draft(&body);
        assert_eq!(draft.resource.to_string(), "deposit#striga#m-1");
        assert_eq!((status_of(&draft), draft.event_type.as_str()), ("confirmed", "money_in"));
        assert_eq!(details.credit.expect("a confirmed deposit has a credit").net.value.to_string(), "1.5");
        assert_eq!(draft.occurred_at, Some(at("1760484860")));
        let quantity = details.quantity.expect("an amount");
        assert_eq!((quantity.value.to_string().as_str(), quantity.units.as_str()), ("1.5", "major"));
        assert_eq!((details.asset.as_deref(), details.account.as_deref()), (Some("ETH"), Some("u-1")));
        assert_eq!(details.network.expect("a network").slug(), "ethereum");
        assert_eq!(details.transaction.hash.as_deref(), Some("0x1"));
        let kept = json!({ "memo": "rent", "fee": { "sum": "0.01 ETH" } });
        assert_eq!(details.provider_data, kept.as_object().cloned().unwrap_or_else(Map::new));
    }

    #[test]
    fn each_kind_reports_its_status() {
        for (kind, resource, status) in [
            ("money_seen", "deposit#striga#m-1", "pending"),
            ("money_in", "deposit#striga#m-1", "confirmed"),
            ("money_out", "withdrawal#striga#m-1", "confirmed"),
        ] {
            let (draft, _) = draft(&json!({ "kind": kind, "ref": "m-1", "sum": "1.5 ETH", "user": "u-1" }));
            assert_eq!((draft.resource.to_string().as_str(), status_of(&draft)), (resource, status));
            assert_eq!(draft.occurred_at, None, "it has no time of its own");
        }
    }

    #[test]
    fn a_webhook_that_is_not_recognized_has_a_reason() {
        for (body, why) in [
            ("money in", "the body is not JSON"),
            ("{}", "no text member `kind`"),
            (r#"{"kind":"money_lost"}"#, "the kind \"money_lost\" is not supported"),
            (r#"{"kind":"money_in","sum":"1.5 ETH"}"#, "`ref` is missing"),
            (
                r#"{"kind":"money_in","ref":"m-1","ref":"m-2","sum":"1.5 ETH"}"#,
                "`ref` is missing, or not a plain string",
            ),
        ] {
            let reason = read(body).map(|_| ()).expect_err("not understood").reason;
            assert!(reason.contains(why), "{body}: {reason}");
        }
    }

    #[test]
    fn what_cannot_be_read_holds_a_deposit_if_it_is_money_and_is_noted_if_not() {
        let sum = "`sum` is not an amount of an asset, such as 1.5 ETH";
        for (rest, outcome, note) in [
            (r#""user":"u-1""#, "held: amount_missing", sum),
            (r#""user":"u-1","sum":"1.5""#, "held: amount_missing", sum),
            (r#""user":"u-1","sum":"much ETH""#, "held: amount_missing", sum),
            (r#""user":"u-1","sum":"1.5 ETH","sum":"2 ETH""#, "held: amount_missing", sum),
            (r#""user":"u-1","sum":"-1.5 ETH""#, "held: amount_not_positive", ""),
            (r#""user":["u-1"],"sum":"1.5 ETH""#, "held: account_unknown", "`user` is not a plain string"),
            (r#""sum":"1.5 ETH""#, "held: account_unknown", ""),
            (r#""user":"u-1","sum":"1.5 ETH","at":99"#, "confirmed", "`at`: 99 is not a UNIX time"),
        ] {
            let body = format!(r#"{{"kind":"money_in","ref":"m-1",{rest}}}"#);
            let draft = read(&body).expect("understood").remove(0);
            let Details::Transfer(details) = &draft.details else { unreachable!("a transfer") };
            let hold = details.hold.as_ref().map(|hold| format!(": {}", hold.reason)).unwrap_or_default();
            assert_eq!(status_of(&draft).to_owned() + &hold, outcome, "{rest}");
            let notes = json!(details.provider_data.get("fundhook").map(|own| &own["notes"])).to_string();
            assert!(notes.contains(note) && (note.is_empty() == (notes == "null")), "{rest}: {notes}");
        }
    }

    /// The page quotes this folder: each block of code that is marked with a file of this folder consists of lines of
    /// that file, in their order.
    #[test]
    fn the_page_about_adding_a_provider_quotes_this_folder_exactly() {
        let page = include_str!("../../../../docs/providers/adding-a-provider.md");
        let mut shown = 0;
        for (name, file) in [
            ("wire.rs", include_str!("wire.rs")),
            ("verify.rs", include_str!("verify.rs")),
            ("normalise.rs", include_str!("normalise.rs")),
        ] {
            let marked = format!("```rust fourth/{name}\n");
            for block in page.split(&marked).skip(1) {
                let (block, _) = block.split_once("```").expect("a block has an end");
                let mut lines = file.lines();
                // An ellipsis marks lines that the page omits.
                for line in block.lines().filter(|line| !line.trim().is_empty() && line.trim() != "// …") {
                    assert!(lines.any(|known| known == line), "{name} has no such line, or has it elsewhere: {line}");
                }
                shown += 1;
            }
        }
        assert!(shown >= 3, "{shown} blocks are shown");
    }
}
