//! Evidence for a fact: who signed the request, when, and where its raw bytes are archived.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CorrelationId, ListKind, Timestamp};

/// How strong a piece of evidence is, from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceClass {
    /// Not verified. Only a preview has such evidence, and it is not in the schemas. It cannot be read back from JSON,
    /// so no queue, archive or table brings it to a deployed function.
    #[serde(skip_deserializing)]
    #[schemars(skip)]
    Unverified,
    /// A notice of Fundhook's own. Only its archived envelope has this class: the evidence of the fact is that for the status
    /// which has lasted too long.
    #[schemars(skip)]
    Notice,
    /// What a person decided. The provider did not state it.
    Decision,
    /// Read from the provider's API over TLS, without a signature.
    Api,
    /// Authenticated with a secret that provider and platform share.
    SharedSecret,
    /// Signed with a key that only the provider holds.
    Asymmetric,
}

/// How a request was authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// RSASSA-PKCS1-v1_5 with SHA-256 over `{timestamp}POST{url}{body}` (zerohash Connect).
    ConnectRsaSha256,
    /// HMAC with SHA-256 over `{body}{timestamp}` (zerohash).
    ZerohashHmacSha256,
    /// RSASSA-PKCS1-v1_5 with SHA-256 over `{body}{timestamp}` (zerohash).
    ZerohashRsaSha256,
    /// RSASSA-PSS with SHA-256 over `{body}{timestamp}` (zerohash).
    ZerohashRsaPssSha256,
    /// HMAC with SHA-256 over the body alone (zerohash's legacy header): does not prove when it was sent.
    ZerohashLegacyHmacSha256,
    /// RSASSA-PKCS1-v1_5 with SHA-256 over the body alone (zerohash's legacy header): does not prove when it was sent.
    ZerohashLegacyRsaSha256,
    /// RSASSA-PSS with SHA-256 over the body alone (zerohash's legacy header): does not prove when it was sent.
    ZerohashLegacyRsaPssSha256,
    /// HMAC with SHA-256 over the body (Striga): does not prove when it was sent.
    StrigaHmacSha256,
    /// No signature: a row of Connect's `GET /transactions`, read over TLS with the organization's access token.
    ConnectTransactionsApi,
    /// No signature: a row of zerohash's `GET /fund/transactions`, read over TLS with the organization's API key.
    ZerohashFundTransactionsApi,
    /// No signature: a row of zerohash's `GET /deposits/crypto`, read over TLS with the organization's API key.
    ZerohashDepositsApi,
    /// No signature: a row of zerohash's `GET /payments`, read over TLS with the organization's API key.
    ZerohashPaymentsApi,
    /// No signature: a row of zerohash's `GET /payments/status`, read over TLS with the organization's API key.
    ZerohashBankPaymentsApi,
    /// No signature: a row of zerohash's `GET /participants`, read over TLS with the organization's API key.
    ZerohashParticipantsApi,
    /// No signature: a row of zerohash's `GET /payments/external_accounts`, read over TLS with the organization's API key.
    ZerohashExternalAccountsApi,
    /// No signature: a row of zerohash's `GET /accounts`, read over TLS with the organization's API key.
    ZerohashAccountsApi,
    /// No signature: a decision, sent by a person who may invoke the reconciler.
    FundhookDecision,
    /// No signature: a notice that a resource is overdue, sent by the reconciler. See [`EvidenceClass::Notice`].
    #[schemars(skip)]
    FundhookNotice,
    /// Not authenticated: only a preview has such evidence, and its key is `none`. See [`EvidenceClass::Unverified`].
    #[serde(skip_deserializing)]
    #[schemars(skip)]
    Unverified,
}

impl Scheme {
    /// The scheme of a list's rows.
    pub fn of_list(list: ListKind) -> Self {
        match list {
            ListKind::ConnectTransactions => Self::ConnectTransactionsApi,
            ListKind::FundTransactions => Self::ZerohashFundTransactionsApi,
            ListKind::Deposits => Self::ZerohashDepositsApi,
            ListKind::Payments => Self::ZerohashPaymentsApi,
            ListKind::BankPayments => Self::ZerohashBankPaymentsApi,
            ListKind::Participants => Self::ZerohashParticipantsApi,
            ListKind::ExternalAccounts => Self::ZerohashExternalAccountsApi,
            ListKind::Accounts => Self::ZerohashAccountsApi,
        }
    }

    /// The list whose rows have this scheme.
    pub fn list(self) -> Option<ListKind> {
        ListKind::ALL.into_iter().find(|list| Self::of_list(*list) == self)
    }
}

/// The result of verifying a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attestation {
    /// How the request was signed.
    pub scheme: Scheme,
    /// How strong that evidence is.
    pub class: EvidenceClass,
    /// The key that verified the signature. For a public key, its RFC 7638 thumbprint (SHA-256, base64url); for a
    /// shared secret, a name that does not reveal it; for a row that was read from an API, the API's origin; for a decision,
    /// who decided.
    pub key: String,
    /// When the sender signed the request; missing when the signature covers no time.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signed_at: Option<Timestamp>,
    /// Whether the request carried a JWT that verified too.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub token_verified: bool,
}

/// Where a request is archived: an object in the evidence bucket, and a line in it, counted from 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EvidencePointer {
    /// The object's key.
    pub object: String,
    /// The line of the decompressed NDJSON.
    pub line: u32,
}

/// What a backfill does with the rows that it reads. Rows of a regular run, and webhooks, have no such mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Backfill {
    /// Their events are published, as those of any row.
    Published,
    /// They are recorded, and publish nothing about a resource of which subscribers know nothing: they are a part of its
    /// opening balance.
    RecordedOnly,
}

impl Evidence {
    /// Whether the statement only adds to the opening balance of a resource that has published no event.
    pub fn is_recorded_only(&self) -> bool {
        self.backfilled == Some(Backfill::RecordedOnly)
    }

    /// Whether the statement was read from the provider's API rather than sent by the provider.
    pub fn is_from_api(&self) -> bool {
        self.attestation.class == EvidenceClass::Api
    }

    /// Whether the provider sent the statement in a webhook that was verified.
    pub fn is_from_webhook(&self) -> bool {
        match self.attestation.class {
            EvidenceClass::SharedSecret | EvidenceClass::Asymmetric => true,
            EvidenceClass::Unverified | EvidenceClass::Notice | EvidenceClass::Decision | EvidenceClass::Api => false,
        }
    }

    /// When the webhook was sent: the signed time, or the time of receipt when none is signed.
    pub fn sent_at(&self) -> Timestamp {
        self.attestation.signed_at.unwrap_or(self.received_at)
    }
}

/// The evidence for one fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// When Fundhook received the request.
    pub received_at: Timestamp,
    /// The result of verifying it.
    pub attestation: Attestation,
    /// Where its raw bytes are archived.
    pub archived: EvidencePointer,
    /// The id of the request, which is also in every log line about it.
    pub correlation_id: CorrelationId,
    /// That a backfill of a past period read it from the provider's list; missing for everything else.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub backfilled: Option<Backfill>,
}
