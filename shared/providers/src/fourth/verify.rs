//! The fourth provider signs `{timestamp}.{body}` with HMAC-SHA256, in hex. The timestamp is UNIX time in seconds.

use std::time::Duration;

use fundhook_domain::{Attestation, EvidenceClass, Feed, Scheme, Timestamp};

use super::{SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::window::check_window;
use crate::{Rejection, Secrets, VerifiedWebhook, Webhook};

/// Verifies that the fourth provider signed `webhook`, at most `tolerance` away from `now`.
///
/// A webhook that does not verify is returned with the reason, so that it can be verified again with newer secrets.
pub(crate) fn verify(
    webhook: Webhook,
    feed: &Feed,
    tolerance: Duration,
    secrets: &Secrets,
    now: Timestamp,
) -> Result<VerifiedWebhook, (Webhook, Rejection)> {
    match attest(&webhook, tolerance, secrets, now) {
        Ok(attestation) => {
            let path = webhook.path.clone();
            let kept = [TIMESTAMP_HEADER, SIGNATURE_HEADER];
            Ok(VerifiedWebhook::attested(webhook, feed.clone(), path, &kept, attestation))
        }
        Err(rejection) => Err((webhook, rejection)),
    }
}

fn attest(webhook: &Webhook, tolerance: Duration, secrets: &Secrets, now: Timestamp) -> Result<Attestation, Rejection> {
    let malformed = |name: &str, expected| Rejection::HeaderMalformed { name: name.to_owned(), expected };
    let timestamp = webhook.headers.required(TIMESTAMP_HEADER)?;
    let signature = webhook.headers.required(SIGNATURE_HEADER)?;
    let seconds = Some(timestamp).filter(|text| text.len() == 10);
    let signed_at = seconds.and_then(|text| Timestamp::from_unix_digits(text).ok());
    let signed_at = signed_at.ok_or_else(|| malformed(TIMESTAMP_HEADER, "UNIX time in seconds"))?;
    let tag = hex::decode(signature).map_err(|_| malformed(SIGNATURE_HEADER, "an HMAC-SHA256 in hex"))?;
    check_window(signed_at, now, tolerance)?;

    let message = [timestamp.as_bytes(), b".", webhook.body.as_slice()].concat();
    let secret = secrets.verifying(&message, &tag).ok_or(Rejection::SignatureUnverified)?;
    Ok(Attestation {
        // A scheme of its own in a real provider: a variant that a test cannot add.
        scheme: Scheme::StrigaHmacSha256,
        class: EvidenceClass::SharedSecret,
        key: secret.name().to_owned(),
        signed_at: Some(signed_at),
        token_verified: false,
    })
}
