//! Diagnoses the RSA signatures of zerohash's webhooks.

use fundhook_domain::{Provider, Timestamp};
use fundhook_providers::zerohash::{self, LEGACY_SIGNATURE_HEADER, RsaPadding, SIGNATURE_HEADER, Settings};
use fundhook_providers::{Rejection, Secrets, Webhook};

use super::SecretCause;
use super::bodies::other_bodies;

/// Why the RSA signature of `webhook` does not verify at `at`; `None` if it does, or if there is none or no key for it.
pub(super) fn rsa_cause(
    webhook: &Webhook,
    settings: &Settings,
    secrets: &Secrets,
    at: Timestamp,
) -> Option<SecretCause> {
    let is_hmac = |name: &str| [SIGNATURE_HEADER, LEGACY_SIGNATURE_HEADER].iter().any(|h| h.eq_ignore_ascii_case(name));
    let headers = webhook.headers.iter().filter(|(name, _)| !is_hmac(name)).collect();
    let by_key = Webhook { headers, ..webhook.clone() };
    let verified = |rsa_padding: RsaPadding, body: &[u8]| {
        let webhook = Webhook { body: body.to_vec(), ..by_key.clone() };
        let settings = Settings { rsa_padding, ..settings.clone() };
        zerohash::verify(webhook, &Provider::Zerohash.into(), &settings, secrets, at)
            .map_err(|(_, rejection)| rejection)
    };

    let configured = settings.rsa_padding;
    if verified(configured, &webhook.body).err() != Some(Rejection::SignatureUnverified) {
        return None;
    }
    if verified(configured.other(), &webhook.body).is_ok() {
        return Some(SecretCause::OtherPadding { configured });
    }
    let other_body = other_bodies(&webhook.body).into_iter().find(|(_, body)| verified(configured, body).is_ok());
    Some(other_body.map_or(SecretCause::WrongRsaKey, |(what, _)| SecretCause::OtherBody(what)))
}
