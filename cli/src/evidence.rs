//! Verifying what is recorded once more: from the archived request, and the key that its evidence names, retired or not.

use std::fmt;
use std::io::Read as _;

use aws_sdk_s3::error::DisplayErrorContext;
use flate2::read::GzDecoder;
use fundhook_adapters::{Aws, KeySetTable};
use fundhook_domain::{
    EvidenceClass, EvidencePointer, Fact, FactContent, ResourceId, Scheme, StatementContent, Timestamp,
};
use fundhook_ports::chain;
use fundhook_providers::connect::{self, JwtMode, JwtSettings, Settings, TOKEN_ISSUER};
use fundhook_providers::jose::TokenPolicy;
use fundhook_providers::{Envelope, KeySet, Webhook, normalise};

/// What became of verifying a fact once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The archived request says this, and the key that the evidence names signed it.
    Verified {
        /// When the provider published that key first, as far as was seen.
        first_seen: Timestamp,
        /// When it published it last.
        last_seen: Timestamp,
    },
    /// The archived request says this. Whether it was signed takes what the provider shared then to tell: its secret, or
    /// zerohash's public key, which is stored beside it.
    Shared,
    /// The archived row of the provider's list says this; nothing is signed.
    Listed,
    /// It is Fundhook's own notice that a further statement is overdue.
    Notice,
    /// It is not as it is recorded, for this reason.
    Refuted(String),
}

/// The archive and the history of keys of a stack.
pub struct Archive {
    s3: aws_sdk_s3::Client,
    bucket: String,
    keys: KeySetTable,
}

impl Archive {
    /// The archive in `bucket`, and the history of keys in `table`.
    pub fn new(aws: &Aws, bucket: &str, table: &str) -> Self {
        let config = aws_sdk_s3::config::Builder::from(aws.sdk_config()).force_path_style(true).build();
        let keys = KeySetTable::new(aws, table.to_owned());
        Self { s3: aws_sdk_s3::Client::from_conf(config), bucket: bucket.to_owned(), keys }
    }

    /// Verifies a fact of `resource` once more.
    pub async fn verify(&self, resource: &ResourceId, fact: &Fact) -> Verdict {
        match &fact.content {
            FactContent::Statement(statement) => {
                self.verified(resource, statement).await.unwrap_or_else(Verdict::Refuted)
            }
            FactContent::Overdue(_) => Verdict::Notice,
        }
    }

    async fn verified(&self, resource: &ResourceId, recorded: &StatementContent) -> Result<Verdict, String> {
        let envelope = self.envelope(&recorded.evidence.archived).await?;
        let said = normalise(&envelope, recorded.evidence.archived.clone());
        if !said.iter().any(|statement| statement.resource == *resource && statement.content.id == recorded.id) {
            return Err("the archived request does not say this".to_owned());
        }
        match recorded.evidence.attestation.class {
            EvidenceClass::Api => return Ok(Verdict::Listed),
            EvidenceClass::SharedSecret => return Ok(Verdict::Shared),
            EvidenceClass::Asymmetric => {}
        }
        if recorded.evidence.attestation.scheme != Scheme::ConnectRsaSha256 {
            // zerohash's public keys are stored with its secrets, and have no history.
            return Ok(Verdict::Shared);
        }
        let thumbprint = &recorded.evidence.attestation.key;
        let seen = self.keys.seen(envelope.feed(), thumbprint).await.map_err(|error| chain(&error))?;
        let seen = seen.ok_or_else(|| format!("the key {thumbprint} was never seen in the provider's key set"))?;
        let keys = KeySet::from_jwks(seen.jwks.as_bytes()).map_err(|error| chain(&error))?;
        let webhook = Webhook {
            path: envelope.url().to_owned(),
            headers: envelope.headers().iter().cloned().collect(),
            body: envelope.body().into_owned(),
        };
        let at = recorded.evidence.sent_at();
        let verified = connect::verify(webhook, envelope.feed(), &settings(envelope.url()), &keys, at);
        let verified = verified.map_err(|(_, rejection)| format!("the signature does not verify: {rejection}"))?;
        if verified.attestation().key != *thumbprint {
            return Err("another key than the one that is named verifies the signature".to_owned());
        }
        Ok(Verdict::Verified { first_seen: seen.first_seen, last_seen: seen.last_seen })
    }

    /// The archived request.
    async fn envelope(&self, pointer: &EvidencePointer) -> Result<Envelope, String> {
        let EvidencePointer { object, line } = pointer;
        let unread = |why: String| format!("{object} cannot be read: {why}");
        let got = self.s3.get_object().bucket(&self.bucket).key(object).send().await;
        let got = got.map_err(|error| unread(DisplayErrorContext(&error).to_string()))?;
        let compressed = got.body.collect().await.map_err(|error| unread(error.to_string()))?.into_bytes();
        let mut text = String::new();
        GzDecoder::new(&*compressed).read_to_string(&mut text).map_err(|error| unread(error.to_string()))?;
        let archived = usize::try_from(*line).ok().and_then(|line| text.lines().nth(line));
        let archived = archived.ok_or_else(|| unread(format!("it has no line {line}")))?;
        Envelope::from_json(archived).map_err(|error| unread(chain(&error)))
    }
}

/// How what was signed for `url` is verified: as it was, but for the token that came along.
fn settings(url: &str) -> Settings {
    let tolerance = std::time::Duration::from_secs(3600);
    let policy = TokenPolicy { issuer: TOKEN_ISSUER.to_owned(), organization_id: None, leeway: tolerance };
    let jwt = JwtSettings { mode: JwtMode::Off, header: String::new(), policy };
    Settings { webhook_urls: vec![url.to_owned()], tolerance, jwt }
}

impl Verdict {
    /// Whether it is as it is recorded.
    pub fn stands(&self) -> bool {
        match self {
            Self::Verified { .. } | Self::Shared | Self::Listed | Self::Notice => true,
            Self::Refuted(_) => false,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verified { first_seen, last_seen } => {
                write!(f, "the signature verifies, by a key that was published from {first_seen} to {last_seen} or longer")
            }
            Self::Shared => f.write_str(
                "the archived request says so; its signature takes what the provider shared then (`cargo fundhook verify --secrets`)",
            ),
            Self::Listed => f.write_str("the archived row of the provider's list says so; nothing is signed"),
            Self::Notice => f.write_str("Fundhook's own notice: no statement of the provider, and nothing to verify"),
            Self::Refuted(why) => f.write_str(why),
        }
    }
}
