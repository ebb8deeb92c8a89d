//! Statements about one payment under its names.

use std::collections::BTreeSet;
use std::time::Duration;

use fundhook_domain::{
    Attestation, CorrelationId, Details, Evidence, EvidenceClass, EvidencePointer, FactId, Feed, Kind, NewFact,
    Provider, Quantity, Reading, ResourceId, Scheme, Statement, StatementContent, Status, Timestamp, TransferDetails,
    WebhookFamily, WithdrawalStatus,
};

/// The instant `seconds` after the start of the tests' time.
pub(crate) fn at(seconds: u64) -> Timestamp {
    "2025-10-07T19:44:50Z".parse::<Timestamp>().expect("RFC 3339").plus(Duration::from_secs(seconds))
}

pub(crate) fn withdrawal(feed: impl Into<Feed>, native: &str) -> ResourceId {
    ResourceId::new(Kind::Withdrawal, feed, native).expect("a valid id")
}

/// The payment under its own id.
pub(crate) fn payment() -> ResourceId {
    withdrawal(Provider::Zerohash, "payment")
}

/// The payment under its request's id.
pub(crate) fn request() -> ResourceId {
    withdrawal(Provider::Zerohash, "request")
}

/// Which ids a webhook states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    OnlyPayment,
    OnlyRequest,
    Both,
}

impl Shape {
    pub(crate) const ALL: [Self; 3] = [Self::OnlyPayment, Self::OnlyRequest, Self::Both];

    /// The resource that a webhook of this shape is about, and the names that it states.
    pub(crate) fn names(self) -> (ResourceId, BTreeSet<ResourceId>) {
        match self {
            Self::OnlyPayment => (payment(), BTreeSet::new()),
            Self::OnlyRequest => (request(), BTreeSet::new()),
            Self::Both => (payment(), BTreeSet::from([payment(), request()])),
        }
    }

    /// The payment reached `status`, as a webhook of this shape states it.
    pub(crate) fn says(self, status: WithdrawalStatus, seconds: u64) -> NewFact {
        let (resource, names) = self.names();
        said(resource, names, status, seconds)
    }
}

/// The statement that `resource`, which has these names too, reached `status`.
pub(crate) fn said(
    resource: ResourceId,
    names: BTreeSet<ResourceId>,
    status: WithdrawalStatus,
    seconds: u64,
) -> NewFact {
    let details = TransferDetails {
        quantity: "100".parse().ok().map(Quantity::major),
        asset: Some("USDC".to_owned()),
        account: Some("CUST01".to_owned()),
        family: Some(WebhookFamily::ZerohashPayments),
        names,
        ..Default::default()
    };
    statement(resource, Status::Withdrawal(status), Details::Transfer(Box::new(details)), seconds).into()
}

pub(crate) fn statement(resource: ResourceId, status: Status, details: Details, seconds: u64) -> Statement {
    let event_type = "payment_status_changed".to_owned();
    let id = FactId::of(&resource, &event_type, format!("{status} {seconds} {details:?}").as_bytes());
    let evidence = Evidence {
        received_at: at(seconds + 2),
        attestation: Attestation {
            scheme: Scheme::ZerohashRsaPssSha256,
            class: EvidenceClass::Asymmetric,
            key: "fXlqkMIEzdQ0gSZ8F5RkRhbTzjxnrkSVRlHuAVm3FyA".to_owned(),
            signed_at: Some(at(seconds + 1)),
            token_verified: false,
        },
        archived: EvidencePointer { object: format!("evidence/v1/2025/10/07/{id}.ndjson.gz"), line: 0 },
        correlation_id: CorrelationId::of([id.to_string().as_bytes()]),
        backfilled: None,
    };
    let reading = Reading { at: evidence.received_at, revision: 1, settings: String::new() };
    let (status, occurred_at) = (Some(status), at(seconds));
    Statement {
        resource,
        content: StatementContent { id, event_type, status, occurred_at, undated: false, details, evidence, reading },
    }
}
