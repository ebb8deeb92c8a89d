//! Statements to fold, and what folding them results in.

pub(crate) mod books;
pub(crate) mod coins;
pub(crate) mod deposits;
pub(crate) mod facts;
pub(crate) mod money;
pub(crate) mod orders;
pub(crate) mod readings;
pub(crate) mod recovery;
pub(crate) mod whole;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use fundhook_domain::{
    AccountDetails, Attestation, Backfill, ClaimKey, CoinRelation, CorrelationId, Decision, Details, Event, EventData,
    Evidence, EvidenceClass, EvidencePointer, FactContent, FactId, Kind, Network, NewFact, Provider, Quantity, Reading,
    Relation, Resource, ResourceId, Scheme, Statement, StatementContent, Status, Timestamp, Transaction,
    TransferDetails, UnrecognizedDetails, Verdict, View, events_after, fold,
};
use serde_json::{Map, Value};

/// The id of the one resource of `kind` that most tests are about.
pub(crate) fn resource(kind: Kind) -> ResourceId {
    ResourceId::new(kind, Provider::Connect, "c55481bf-626b-4410-8997-4cee83e1385f").expect("a UUID names a resource")
}

/// The instant `seconds` after the start of the tests' time.
pub(crate) fn at(seconds: u64) -> Timestamp {
    "2025-10-07T19:44:50Z".parse::<Timestamp>().expect("RFC 3339").plus(Duration::from_secs(seconds))
}

/// The status of `kind` called `name`.
pub(crate) fn status(kind: Kind, name: &str) -> Status {
    Status::named(kind, name).expect("a status of the kind")
}

/// The statement that the resource reached `status` at `seconds`, in a body called `bytes`.
pub(crate) fn statement_in(bytes: &str, status: Status, seconds: u64) -> Statement {
    let resource = resource(status.kind());
    let event_type = format!("connect.{}.{status}", status.kind());
    let id = FactId::of(&resource, &event_type, bytes.as_bytes());
    let evidence = Evidence {
        received_at: at(seconds + 2),
        attestation: Attestation {
            scheme: Scheme::ConnectRsaSha256,
            class: EvidenceClass::Asymmetric,
            key: "fXlqkMIEzdQ0gSZ8F5RkRhbTzjxnrkSVRlHuAVm3FyA".to_owned(),
            signed_at: Some(at(seconds + 1)),
            token_verified: false,
        },
        archived: EvidencePointer { object: format!("evidence/v1/2025/10/07/{bytes}.ndjson.gz"), line: 0 },
        correlation_id: CorrelationId::of([bytes.as_bytes()]),
        backfilled: None,
    };
    let (occurred_at, details) = (at(seconds), details_of(status));
    let reading = Reading { at: evidence.received_at, revision: 1, settings: String::new() };
    let status = Some(status);
    let content = StatementContent { id, event_type, status, occurred_at, undated: false, details, evidence, reading };
    Statement { resource, content }
}

/// The fewest details that a webhook with `status` states.
fn details_of(status: Status) -> Details {
    let provider_status = Some(status.to_string().to_uppercase());
    match status {
        Status::Deposit(status) => {
            let (credit, hold) = money::credit_or_hold(status);
            Details::Transfer(Box::new(TransferDetails { provider_status, credit, hold, ..Default::default() }))
        }
        Status::Withdrawal(_) | Status::Fee(_) | Status::Exchange(_) => {
            Details::Transfer(Box::new(TransferDetails { provider_status, ..Default::default() }))
        }
        Status::Participant(_) | Status::ExternalAccount(_) => {
            Details::Account(Box::new(AccountDetails { provider_status, ..Default::default() }))
        }
        Status::Recovery(status) => recovery::details_of(status),
        Status::Balance => Details::Balance(Box::default()),
        Status::Unrecognized => {
            let reason = "the body is not JSON".to_owned();
            Details::Unrecognized(UnrecognizedDetails { reason, payload_type: None, body_bytes: 8 })
        }
    }
}

/// The statement that the resource reached `status` at `seconds`.
pub(crate) fn statement(status: Status, seconds: u64) -> Statement {
    statement_in(&format!("{status}-{seconds}"), status, seconds)
}

/// The statement that a deposit reached the status called `name` at `seconds`.
pub(crate) fn deposit(name: &str, seconds: u64) -> Statement {
    statement(status(Kind::Deposit, name), seconds)
}

/// The statement that a withdrawal reached the status called `name` at `seconds`.
pub(crate) fn withdrawal(name: &str, seconds: u64) -> Statement {
    statement(status(Kind::Withdrawal, name), seconds)
}

/// The same statement in a body called `bytes`: another fact, with its own evidence.
pub(crate) fn in_other_bytes(bytes: &str, statement: &Statement) -> Statement {
    let mut other = statement.clone();
    other.content.id = FactId::of(&statement.resource, &statement.content.event_type, bytes.as_bytes());
    other.content.evidence.archived.object = format!("evidence/v1/2025/10/07/{bytes}.ndjson.gz");
    other
}

/// `statement`, received at `seconds`.
pub(crate) fn received(seconds: u64, mut statement: Statement) -> Statement {
    statement.content.evidence.received_at = at(seconds);
    statement.content.reading.at = at(seconds);
    statement
}

/// `statement`, signed at `seconds`.
pub(crate) fn signed(seconds: u64, mut statement: Statement) -> Statement {
    statement.content.evidence.attestation.signed_at = Some(at(seconds));
    statement
}

/// The same statement as a row of the provider's list, read two hours later.
pub(crate) fn listed(statement: &Statement) -> Statement {
    let event_type = "connect.transactions".to_owned();
    let bytes = format!("the row of {}", statement.content.id);
    let id = FactId::of(&statement.resource, &event_type, bytes.as_bytes());
    let archived = EvidencePointer { object: format!("evidence/v1/2025/10/07/{id}.ndjson.gz"), line: 3 };
    let evidence = Evidence {
        received_at: statement.content.evidence.received_at.plus(Duration::from_secs(7200)),
        attestation: Attestation {
            scheme: Scheme::ConnectTransactionsApi,
            class: EvidenceClass::Api,
            key: "https://api.connect.xyz".to_owned(),
            signed_at: None,
            token_verified: false,
        },
        archived,
        correlation_id: CorrelationId::of([b"listed".as_slice()]),
        backfilled: None,
    };
    let reading = Reading { at: evidence.received_at, ..statement.content.reading.clone() };
    let content = StatementContent { id, event_type, evidence, reading, ..statement.content.clone() };
    Statement { resource: statement.resource.clone(), content }
}

/// The same row, read by a backfill that records and does not publish.
pub(crate) fn recorded_only(row: &Statement) -> Statement {
    backfilled(row, Backfill::RecordedOnly)
}

/// The same row, read by a backfill.
pub(crate) fn backfilled(row: &Statement, backfill: Backfill) -> Statement {
    let mut row = row.clone();
    row.content.evidence.backfilled = Some(backfill);
    row
}

/// `statement` with the details of its transfer changed by `change`.
pub(crate) fn with(mut statement: Statement, change: impl FnOnce(&mut TransferDetails)) -> Statement {
    assert!(matches!(statement.content.details, Details::Transfer(_)), "only transfers have these details");
    if let Details::Transfer(details) = &mut statement.content.details {
        change(details);
    }
    statement
}

/// The details of a complete deposit webhook.
pub(crate) fn whole_deposit(details: &mut TransferDetails) {
    details.quantity = Some(quantity("0.013"));
    details.asset = Some("BTC".to_owned());
    details.network = Some(Network::named("bitcoin"));
    details.transaction = Transaction {
        hash: Some("0xc9d43618".to_owned()),
        from: None,
        to: Some("0xe7F436F9".to_owned()),
        block_number: Some("914854".to_owned()),
        confirmations: None,
    };
    details.source.source_type = Some("CUSTODIAL".to_owned());
    details.source.integration = Some("coinbase".to_owned());
    details.session.id = Some("16032e11-f8a4-4b2d-8fad-d0614ac2b497".to_owned());
    details.session.metadata = Some(json(r#"{"order":119078888888888888887,"rate":0.10}"#));
    details.account = Some("abc123".to_owned());
    details.created_at = Some(at(0));
    details.updated_at = Some(at(30));
    details.provider_data = members(r#"{"deposit":{"transaction":{"value":"1"}}}"#);
}

/// A webhook that is not recognized.
pub(crate) fn unrecognized() -> Statement {
    let body = b"not JSON";
    let resource = ResourceId::unrecognized(Provider::Connect, body);
    let details = UnrecognizedDetails {
        reason: "the body is not JSON: expected ident at line 1 column 2".to_owned(),
        payload_type: Some("external_account_status_changed".to_owned()),
        body_bytes: body.len() as u64,
    };
    let content = StatementContent {
        id: FactId::of(&resource, "", body),
        event_type: String::new(),
        details: Details::Unrecognized(details),
        ..statement_in("not JSON", Status::Unrecognized, 0).content
    };
    Statement { resource, content }
}

/// `value` whole coins.
pub(crate) fn quantity(value: &str) -> Quantity {
    Quantity::major(value.parse().expect("a decimal"))
}

/// The JSON value in `text`, with its numbers as they are written.
pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// The members of the JSON object in `text`.
pub(crate) fn members(text: &str) -> Map<String, Value> {
    json(text).as_object().cloned().expect("an object")
}

/// The details of a view of a transfer.
pub(crate) fn transfer(view: &View) -> &TransferDetails {
    let transfer = if let Details::Transfer(details) = &view.details { Some(&**details) } else { None };
    transfer.expect("the view is of a transfer")
}

/// The resource after `statements` are folded in this order.
pub(crate) fn folded<'a>(statements: impl IntoIterator<Item = &'a Statement>) -> Resource {
    let mut statements = statements.into_iter().peekable();
    let id = statements.peek().expect("at least one statement").resource.clone();
    statements.fold(Resource::unknown(id), |resource, statement| fold(resource, statement.clone()).into_resource())
}

/// The resource after `statements`, as a duplicate of `owner`.
pub(crate) fn duplicate_of<'a>(owner: &ResourceId, statements: impl IntoIterator<Item = &'a Statement>) -> Resource {
    let mut statements = statements.into_iter().peekable();
    let first = statements.peek().expect("a statement");
    let related = fold(Resource::unknown(first.resource.clone()), relation(first, owner)).into_resource();
    statements.fold(related, |resource, statement| fold(resource, statement.clone()).into_resource())
}

/// The relation that makes the deposit of `statement` a duplicate of `owner`, to be recorded with a statement.
pub(crate) fn relation(statement: &Statement, owner: &ResourceId) -> FactContent {
    let (occurred_at, evidence) = (statement.content.occurred_at, statement.content.evidence.clone());
    let id = FactId::of(&statement.resource, "duplicate", owner.to_string().as_bytes());
    let content =
        CoinRelation::DuplicateOf { claim: ClaimKey::new(owner.feed(), "a transaction"), owner: Some(owner.clone()) };
    FactContent::Relation(Box::new(Relation { id, content, occurred_at, evidence, is_alone: false }))
}

/// The resource after a person who knew all of it decided.
pub(crate) fn decided(resource: Resource, verdict: Verdict) -> Resource {
    let fact = NewFact { resource: resource.id().clone(), content: decision(&resource, verdict, 1000) };
    fold(resource, fact).into_resource()
}

/// The decision at `seconds` of a person who knows all that is recorded about `resource`.
pub(crate) fn decision(resource: &Resource, verdict: Verdict, seconds: u64) -> FactContent {
    let settles = resource.facts().iter().map(|fact| fact.content.id().clone()).collect();
    let id = FactId::of(resource.id(), Decision::EVENT_TYPE, format!("{verdict:?} {seconds}").as_bytes());
    let evidence = resource.facts()[0].content.evidence().clone();
    let (by, reason) = ("alice".to_owned(), "checked with the provider".to_owned());
    FactContent::Decision(Box::new(Decision {
        id,
        verdict,
        settles,
        by,
        reason,
        decided_at: at(seconds),
        evidence,
        also: BTreeMap::new(),
    }))
}

/// The view after `statements` are folded in this order.
pub(crate) fn view<'a>(statements: impl IntoIterator<Item = &'a Statement>) -> View {
    Arc::unwrap_or_clone(folded(statements).view().expect("a resource with facts has a view"))
}

/// The events that `statements` publish, folded in this order.
pub(crate) fn events<'a>(statements: impl IntoIterator<Item = &'a Statement>) -> Vec<Event> {
    events_after(&folded(statements), 0)
}

/// The latest event that `statements` publish.
pub(crate) fn latest<'a>(statements: impl IntoIterator<Item = &'a Statement>) -> Event {
    events(statements).pop().expect("an event")
}

/// The types of `events`.
pub(crate) fn types(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.event_type.as_str()).collect()
}

/// What a set of facts results in, whatever their order: the view, the ids of the events, and the latest event's data.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FoldResult {
    pub(crate) view: Option<Arc<View>>,
    pub(crate) event_ids: BTreeSet<String>,
    /// `None` when the provider's list reported the resource too.
    pub(crate) latest: Option<EventData>,
}

impl FoldResult {
    /// The result of the facts of `resource`, which published `events`.
    pub(crate) fn after(resource: &Resource, events: &[Event]) -> Self {
        let view = resource.view();
        // What a row and a webhook add to each other publishes no event, so the latest event depends on their order.
        let listed = resource.facts().iter().any(|fact| fact.content.evidence().is_from_api());
        let latest = events.last().zip(view.as_ref()).filter(|_| !listed).map(|(event, view)| EventData {
            // The status before, what the last fact restates and books, and which of several equal statements is the
            // evidence, depend on the order.
            previous_status: None,
            late: false,
            restated: Vec::new(),
            postings: Vec::new(),
            evidence: view.evidence.clone(),
            ..event.data.clone()
        });
        Self { view, event_ids: events.iter().map(|event| event.id.clone()).collect(), latest }
    }
}
