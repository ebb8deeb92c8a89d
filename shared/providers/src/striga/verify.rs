//! Striga signs the raw body with HMAC-SHA256, in hex [striga-webhooks]. No time is signed. A replay has no effect
//! because the same body is the same fact.

use fundhook_domain::{Attestation, EvidenceClass, Feed, Scheme};

use super::SIGNATURE_HEADER;
use crate::{Rejection, Secrets, VerifiedWebhook, Webhook};

/// Verifies that Striga signed `webhook`.
///
/// A webhook that does not verify is returned with the reason, so that it can be verified again with newer secrets.
pub fn verify(webhook: Webhook, feed: &Feed, secrets: &Secrets) -> Result<VerifiedWebhook, (Webhook, Rejection)> {
    match attest(&webhook, secrets) {
        Ok(attestation) => {
            let url = webhook.path.clone();
            Ok(VerifiedWebhook::attested(webhook, feed.clone(), url, &[SIGNATURE_HEADER], attestation))
        }
        Err(rejection) => Err((webhook, rejection)),
    }
}

fn attest(webhook: &Webhook, secrets: &Secrets) -> Result<Attestation, Rejection> {
    let signature = webhook.headers.required(SIGNATURE_HEADER)?;
    let tag = hex::decode(signature).map_err(|_| Rejection::HeaderMalformed {
        name: SIGNATURE_HEADER.to_owned(),
        expected: "an HMAC-SHA256 in hex",
    })?;
    if !secrets.has_shared() {
        return Err(Rejection::NoKeyForScheme { header: SIGNATURE_HEADER.to_owned() });
    }
    let secret = secrets.verifying(&webhook.body, &tag).ok_or(Rejection::SignatureUnverified)?;
    Ok(Attestation {
        scheme: Scheme::StrigaHmacSha256,
        class: EvidenceClass::SharedSecret,
        key: secret.name().to_owned(),
        signed_at: None,
        token_verified: false,
    })
}
