//! The archive of raw webhooks.

use std::io::Read as _;

use flate2::read::GzDecoder;
use fundhook_domain::{EvidencePointer, Feed, Provider, Timestamp};
use fundhook_providers::connect::{self, JwtMode, JwtSettings, Settings, TOKEN_ISSUER};
use fundhook_providers::jose::TokenPolicy;
use fundhook_providers::zerohash::{self, RsaPadding};
use fundhook_providers::{Envelope, KeySet, Rejection, Secrets, VerifiedWebhook, Webhook, striga};

use crate::Platform;

impl Platform {
    /// The keys of all objects in the evidence bucket.
    async fn evidence_objects(&self) -> Vec<String> {
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

    /// All lines of the archive.
    pub async fn archive(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for object in self.evidence_objects().await {
            lines.extend(self.evidence_lines(&object).await);
        }
        lines
    }

    /// The archived webhook of a fact's evidence.
    pub async fn evidence(&self, pointer: &EvidencePointer) -> Envelope {
        let lines = self.evidence_lines(&pointer.object).await;
        let line = usize::try_from(pointer.line).ok().and_then(|line| lines.get(line));
        Envelope::from_json(line.expect("the object has that line")).expect("the line is an envelope")
    }

    /// The provider's current key set.
    pub async fn published_keys(&self) -> KeySet {
        let published = self.provider().key_set().await.expect("the provider answers");
        KeySet::from_jwks(published.to_string().as_bytes()).expect("the key set is valid")
    }

    /// Verifies an archived webhook again, only from the archive and the provider's published keys or shared secrets.
    pub async fn verify_again(&self, envelope: &Envelope) -> Result<VerifiedWebhook, Rejection> {
        self.verify(as_received(envelope), envelope.feed(), envelope.url(), envelope.received_at()).await
    }

    /// Verifies a webhook of `feed` received at `url` at `now`, with the provider's published keys or shared secrets.
    pub async fn verify(
        &self,
        webhook: Webhook,
        feed: &Feed,
        url: &str,
        now: Timestamp,
    ) -> Result<VerifiedWebhook, Rejection> {
        let verified = match feed.provider() {
            Provider::Connect => connect::verify(webhook, feed, &settings(url), &self.published_keys().await, now),
            Provider::Zerohash => {
                let tolerance = std::time::Duration::from_secs(300);
                let settings = zerohash::Settings { tolerance, rsa_padding: RsaPadding::default(), legacy: false };
                zerohash::verify(webhook, feed, &settings, &self.secrets(feed).await, now)
            }
            Provider::Striga => striga::verify(webhook, feed, &self.secrets(feed).await),
        };
        verified.map_err(|(_, rejection)| rejection)
    }

    /// The current secrets of `feed`.
    pub async fn secrets(&self, feed: &Feed) -> Secrets {
        let stored = self.provider().secrets(feed.provider(), std::slice::from_ref(feed)).await;
        let stored = stored.expect("the provider answers").to_string();
        let mut secrets = Secrets::from_json(&stored).expect("the secrets are valid");
        secrets.remove(&feed.tenant().cloned()).expect("the feed has secrets")
    }
}

/// Verifies an archived webhook of Connect again, only from the archive and a key set.
pub fn verify_again(envelope: &Envelope, keys: &KeySet) -> Result<VerifiedWebhook, Rejection> {
    let at = envelope.received_at();
    let verified = connect::verify(as_received(envelope), envelope.feed(), &settings(envelope.url()), keys, at);
    verified.map_err(|(_, rejection)| rejection)
}

fn as_received(envelope: &Envelope) -> Webhook {
    Webhook {
        path: envelope.url().to_owned(),
        headers: envelope.headers().iter().cloned().collect(),
        body: envelope.body().into_owned(),
    }
}

/// How the tests themselves verify what is signed for `url`.
fn settings(url: &str) -> Settings {
    let tolerance = std::time::Duration::from_secs(300);
    let policy = TokenPolicy { issuer: TOKEN_ISSUER.to_owned(), organization_id: None, leeway: tolerance };
    let jwt = JwtSettings { mode: JwtMode::Off, header: String::new(), policy };
    Settings { webhook_urls: vec![url.to_owned()], tolerance, jwt }
}
