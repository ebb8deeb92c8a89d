//! Verifies recorded facts again, from the archived request and the key that the evidence names, even if it is retired.

use std::fmt;
use std::io::Read as _;

use aws_sdk_s3::error::DisplayErrorContext;
use flate2::read::GzDecoder;
use fundhook_adapters::{Aws, KeySetTable};
use fundhook_domain::{
    EvidenceClass, EvidencePointer, Fact, FactContent, FactId, ResourceId, Scheme, Statement, StatementContent,
    Timestamp,
};
use fundhook_ports::chain;
use fundhook_providers::connect::{self, JwtMode, JwtSettings, Settings, TOKEN_ISSUER};
use fundhook_providers::jose::TokenPolicy;
use fundhook_providers::{Envelope, KeySet, ReadingSettings, Webhook, normalise};

/// The result of verifying a fact again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactVerification {
    /// The archived request states the fact, and its signature verifies with the named key.
    Verified {
        /// When the key was first seen in the provider's key set.
        first_seen: Timestamp,
        /// When it was last seen there.
        last_seen: Timestamp,
    },
    /// The archived request states the fact. Verifying the signature needs the secret of that time, or zerohash's public
    /// key that is stored with it.
    NeedsSecret,
    /// The archived row of the provider's list states the fact. Rows are not signed.
    Listed,
    /// Fundhook's own notice that a statement is overdue, or its relation to another resource. The statement behind a
    /// relation is a fact of that resource.
    Notice,
    /// The evidence does not support the fact, for this reason.
    Refuted(String),
}

/// Where a stack keeps its archive and its history of keys.
#[derive(Clone, Copy, Debug)]
pub struct ArchiveLocation<'a> {
    pub bucket: &'a str,
    pub table: &'a str,
}

/// A stack's archive and history of keys.
pub struct Archive {
    s3: aws_sdk_s3::Client,
    bucket: String,
    keys: KeySetTable,
}

impl Archive {
    pub fn new(aws: &Aws, ArchiveLocation { bucket, table }: ArchiveLocation<'_>) -> Self {
        let config = aws_sdk_s3::config::Builder::from(aws.sdk_config()).force_path_style(true).build();
        let keys = KeySetTable::new(aws, table.to_owned());
        Self { s3: aws_sdk_s3::Client::from_conf(config), bucket: bucket.to_owned(), keys }
    }

    /// Verifies a fact of `resource` again.
    pub async fn verify(&self, resource: &ResourceId, fact: &Fact) -> FactVerification {
        match &fact.content {
            FactContent::Statement(statement) => {
                self.verified(resource, statement).await.unwrap_or_else(FactVerification::Refuted)
            }
            FactContent::Overdue(_)
            | FactContent::SecondName(_)
            | FactContent::Relation(_)
            | FactContent::Decision(_) => FactVerification::Notice,
        }
    }

    async fn verified(&self, resource: &ResourceId, recorded: &StatementContent) -> Result<FactVerification, String> {
        let envelope = self.envelope(&recorded.evidence.archived).await?;
        let statements = normalise(&envelope, recorded.evidence.archived.clone(), &ReadingSettings::default());
        // A resource that is named by a digest has another id here, without the key; its facts have none of their own.
        let states = |statement: &Statement| {
            let id = FactId::of(resource, &statement.content.event_type, &envelope.body());
            // A statement may name the resource by a second name, and its fact has that name's id.
            statement.resource.kind() == resource.kind() && (id == recorded.id || statement.content.id == recorded.id)
        };
        if !statements.iter().any(states) {
            return Err("the archived request does not state this fact".to_owned());
        }
        match recorded.evidence.attestation.class {
            EvidenceClass::Unverified => return Err("its evidence is of a preview: nothing was verified".to_owned()),
            EvidenceClass::Api => return Ok(FactVerification::Listed),
            EvidenceClass::Decision | EvidenceClass::Notice => return Ok(FactVerification::Notice),
            EvidenceClass::SharedSecret => return Ok(FactVerification::NeedsSecret),
            EvidenceClass::Asymmetric => {}
        }
        if recorded.evidence.attestation.scheme != Scheme::ConnectRsaSha256 {
            // zerohash's public keys are stored with its secrets and have no history.
            return Ok(FactVerification::NeedsSecret);
        }
        let thumbprint = &recorded.evidence.attestation.key;
        let seen = self.keys.seen(envelope.feed(), thumbprint).await.map_err(|error| chain(&error))?;
        let seen =
            seen.ok_or_else(|| format!("the key {thumbprint} is not in the history of the provider's key sets"))?;
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
            return Err("the signature verifies with another key than the named one".to_owned());
        }
        Ok(FactVerification::Verified { first_seen: seen.first_seen, last_seen: seen.last_seen })
    }

    /// The archived request.
    async fn envelope(&self, pointer: &EvidencePointer) -> Result<Envelope, String> {
        let EvidencePointer { object, line } = pointer;
        let unreadable = |why: String| format!("cannot read {object}: {why}");
        let got = self.s3.get_object().bucket(&self.bucket).key(object).send().await;
        let got = got.map_err(|error| unreadable(DisplayErrorContext(&error).to_string()))?;
        let compressed = got.body.collect().await.map_err(|error| unreadable(error.to_string()))?.into_bytes();
        let mut text = String::new();
        GzDecoder::new(&*compressed).read_to_string(&mut text).map_err(|error| unreadable(error.to_string()))?;
        let archived = usize::try_from(*line).ok().and_then(|line| text.lines().nth(line));
        let archived = archived.ok_or_else(|| unreadable(format!("no line {line}")))?;
        Envelope::from_json(archived).map_err(|error| unreadable(chain(&error)))
    }
}

/// The settings for a webhook signed for `url`. Its token is not verified again.
fn settings(url: &str) -> Settings {
    let tolerance = std::time::Duration::from_secs(3600);
    let policy = TokenPolicy { issuer: TOKEN_ISSUER.to_owned(), organization_id: None, leeway: tolerance };
    let jwt = JwtSettings { mode: JwtMode::Off, header: String::new(), policy };
    Settings { webhook_urls: vec![url.to_owned()], tolerance, jwt }
}

impl FactVerification {
    /// Whether the evidence supports the fact.
    pub fn holds(&self) -> bool {
        match self {
            Self::Verified { .. } | Self::NeedsSecret | Self::Listed | Self::Notice => true,
            Self::Refuted(_) => false,
        }
    }
}

impl fmt::Display for FactVerification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verified { first_seen, last_seen } => {
                write!(f, "the signature verifies with a key that was published at least from {first_seen} to {last_seen}")
            }
            Self::NeedsSecret => f.write_str(
                "the archived request states it; to verify the signature, use `cargo fundhook verify --secrets` with the secret of that time",
            ),
            Self::Listed => f.write_str("the archived row of the provider's list states it; rows are not signed"),
            Self::Notice => f.write_str("Fundhook's own notice; there is no signature to verify"),
            Self::Refuted(why) => f.write_str(why),
        }
    }
}
