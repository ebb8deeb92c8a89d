//! The archive of raw webhooks.

use std::io::Read as _;

use flate2::read::GzDecoder;
use fundhook_domain::EvidencePointer;
use fundhook_providers::connect::{
    JwtMode, JwtSettings, SIGNATURE_HEADER, Settings, TIMESTAMP_HEADER, TOKEN_ISSUER, verify,
};
use fundhook_providers::jose::TokenPolicy;
use fundhook_providers::{Envelope, KeySet, Rejection, VerifiedWebhook, Webhook};

use crate::Platform;

impl Platform {
    /// The keys of all objects in the evidence bucket.
    pub async fn evidence_objects(&self) -> Vec<String> {
        let list = self.clients().s3.list_objects_v2().bucket(self.output("EvidenceBucketName"));
        let objects = list.send().await.expect("the bucket answers").contents.unwrap_or_default();
        objects.into_iter().filter_map(|object| object.key).collect()
    }

    /// The lines of one object of the archive.
    pub async fn evidence_lines(&self, object: &str) -> Vec<String> {
        let get = self.clients().s3.get_object().bucket(self.output("EvidenceBucketName")).key(object);
        let found = get.send().await.map_err(|error| format!("{object}: {error:?}")).expect("the evidence exists");
        let compressed = found.body.collect().await.expect("it can be read").into_bytes();
        let mut text = String::new();
        GzDecoder::new(&*compressed).read_to_string(&mut text).expect("it is compressed text");
        text.lines().map(str::to_owned).collect()
    }

    /// The archived webhook that a fact names.
    pub async fn evidence(&self, pointer: &EvidencePointer) -> Envelope {
        let lines = self.evidence_lines(&pointer.object).await;
        let line = usize::try_from(pointer.line).ok().and_then(|line| lines.get(line));
        Envelope::from_json(line.expect("the object has that line")).expect("the line is an envelope")
    }

    /// The provider's key set as it publishes it now.
    pub async fn published_keys(&self) -> KeySet {
        let published = self.provider().key_set().await.expect("the provider answers");
        KeySet::from_jwks(published.to_string().as_bytes()).expect("the key set is fit")
    }
}

/// Verifies an archived webhook once more, from nothing but what is archived and the provider's keys.
pub fn verify_again(envelope: &Envelope, keys: &KeySet) -> Result<VerifiedWebhook, Rejection> {
    let kept = [TIMESTAMP_HEADER, SIGNATURE_HEADER].map(|name| (name, envelope.header(name).unwrap_or_default()));
    let webhook = Webhook { headers: kept.into_iter().collect(), body: envelope.body().into_owned() };
    verify(webhook, &settings(envelope.url()), keys, envelope.received_at()).map_err(|(_, rejection)| rejection)
}

/// How the tests themselves verify what is signed for `url`.
pub fn settings(url: &str) -> Settings {
    let tolerance = std::time::Duration::from_secs(300);
    let policy = TokenPolicy { issuer: TOKEN_ISSUER.to_owned(), organization_id: None, leeway: tolerance };
    let jwt = JwtSettings { mode: JwtMode::Off, header: String::new(), policy };
    Settings { webhook_urls: vec![url.to_owned()], tolerance, jwt }
}
