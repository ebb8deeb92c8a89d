//! Movements of balances: each that names a deposit or a withdrawal must be recorded and booked as one.
//!
//! A balance itself is not compared with what is recorded: trades, transfers and sweeps change it too, and no webhook
//! tells all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use fundhook_domain::{
    BalanceDetails, CLOCK_SKEW_MAX, Claim, ClaimEntry, ClaimKey, DecimalValue, DepositStatus, Details, Kind,
    LATEST_FACTS_MAX, Provider, Resource, ResourceId, Status, Timestamp, View, transaction_ids,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The member of a balance that has its movements [zerohash-balances].
const MOVEMENTS: &str = "movements";

/// How long after a movement was received the webhook about its deposit or withdrawal may still come, or a list tell it.
/// The grace of the lists comes first.
pub const MOVEMENT_SETTLES_WITHIN: Duration = Duration::from_secs(3600);

/// How many movements that were reported are remembered, so that each is reported once: 16 KB of the 400 KB of an item.
const REMEMBERED_MAX: usize = 256;

/// A movement of a balance that names the deposit or the withdrawal that caused it.
#[derive(Clone, Debug, PartialEq)]
pub struct Movement {
    /// The provider's id of the movement; the id of its cause if it has none.
    pub id: String,
    /// The deposit or withdrawal. A deposit may be named by the hash of its transaction in place of its id.
    pub cause: ResourceId,
    /// By how much the balance changed.
    pub change: Option<DecimalValue>,
    /// The asset's code.
    pub asset: Option<String>,
    /// The user.
    pub account: Option<String>,
    /// When it happened; when the balance was received if the provider gives no time.
    pub moved_at: Timestamp,
}

/// How a movement lacks what it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unrecorded {
    /// Nothing is recorded under the id, nor about the transaction.
    NotRecorded,
    /// A deposit is recorded, with a status in which no money has arrived.
    NotBooked(Status),
    /// It is recorded without a status.
    WithoutStatus,
}

/// What a balance told about movements.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToldMovements {
    /// The movements that name a deposit or a withdrawal.
    pub movements: Vec<Movement>,
    /// Whether there may have been others: a webhook was too large to be carried, or more were received than are kept.
    pub is_incomplete: bool,
}

/// How far movements were checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovementsMark {
    /// How often it was moved: what a conditional write compares.
    pub revision: u64,
    /// The movements that were received before this have been checked.
    pub checked_until: Timestamp,
    /// The check that was begun and not finished.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub begun: Option<BegunCheck>,
    /// The ids of the latest movements that were reported.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub reported: Vec<String>,
}

/// A check of the movements that were received in a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BegunCheck {
    /// The first instant after the window.
    pub until: Timestamp,
    /// The balance after which it continues; `None` to begin with the first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<String>,
}

impl MovementsMark {
    /// The mark of a stack that never checked movements. What was received before `from` is not checked: its deposits may be
    /// older than Fundhook's record.
    pub fn initial(from: Timestamp) -> Self {
        Self { revision: 0, checked_until: from, begun: None, reported: Vec::new() }
    }

    /// Whether a clock that was ahead stored it: it is further in the future than the allowed clock skew.
    pub fn is_ahead_of(&self, now: Timestamp) -> bool {
        self.checked_until > now.plus(CLOCK_SKEW_MAX)
    }

    /// The mark moved back to `until`, without the check that was begun.
    pub fn moved_back(self, until: Timestamp) -> Self {
        Self { checked_until: until, begun: None, ..self }
    }

    /// The check that is due: the one that was begun, or else a new one of what was received before `until`.
    pub fn due(&self, until: Timestamp) -> Option<BegunCheck> {
        self.begun.clone().or_else(|| (until > self.checked_until).then_some(BegunCheck { until, after: None }))
    }

    /// Records that the check has reached the balance `after`; `None` if it is finished.
    pub fn advance(&mut self, check: &BegunCheck, after: Option<String>) {
        match after {
            Some(after) => self.begun = Some(BegunCheck { until: check.until, after: Some(after) }),
            None => (self.begun, self.checked_until) = (None, check.until),
        }
        let forgotten = self.reported.len().saturating_sub(REMEMBERED_MAX);
        self.reported.drain(..forgotten);
    }
}

/// When the last webhook was received with a movement of this balance that names a deposit or a withdrawal; `None` if there
/// is none. The index of open resources has the balances by this time.
pub fn last_movement_received(resource: &Resource) -> Option<Timestamp> {
    let told = told_balances(resource).filter(|(_, balance)| {
        // What is left in the evidence may name one.
        left_in_evidence(balance) || rows(balance).any(|row| cause(row, resource.id()).is_some())
    });
    told.map(|(received_at, _)| received_at).max()
}

/// The movements of `resource`, a balance, that were received in `window`. One that was told twice is one.
pub fn movements_of(resource: &Resource, window: &Range<Timestamp>) -> ToldMovements {
    let mut told = ToldMovements::default();
    let mut known = BTreeSet::new();
    for (received_at, balance) in told_balances(resource).filter(|(at, _)| window.contains(at)) {
        told.is_incomplete |= left_in_evidence(balance);
        for row in rows(balance) {
            let Some(cause) = cause(row, resource.id()) else {
                continue;
            };
            let id = text(row, "movement_id", "movementId").unwrap_or_else(|| cause.to_string());
            let movement = Movement {
                change: text(row, "change", "change").and_then(|change| change.parse().ok()),
                asset: balance.asset.clone(),
                account: balance.account.clone(),
                moved_at: time(row, "movement_timestamp", "movementTimestamp").unwrap_or(received_at),
                id,
                cause,
            };
            if known.insert((movement.id.clone(), movement.cause.clone())) {
                told.movements.push(movement);
            }
        }
    }
    let is_full = resource.facts().len() >= LATEST_FACTS_MAX;
    let oldest = resource.facts().iter().map(|fact| fact.content.evidence().received_at).min();
    told.is_incomplete |= is_full && oldest.is_some_and(|oldest| oldest > window.start);
    told
}

/// The ids under which the cause of a movement may be recorded: a deposit in the organization's other feed too.
pub fn ids_of_cause(movement: &Movement) -> impl Iterator<Item = ResourceId> {
    let id = &movement.cause;
    let providers = [Provider::Connect, Provider::Zerohash].into_iter().filter(|_| id.kind() == Kind::Deposit);
    let in_feed = |provider| ResourceId::new(id.kind(), id.feed().of(provider), id.native()).ok();
    std::iter::once(id.clone()).chain(providers.filter_map(in_feed).filter(move |other| other != id))
}

/// The claims on the transaction that a movement names as its cause; none if it names no transaction.
pub fn claims_of_cause(movement: &Movement) -> BTreeSet<ClaimKey> {
    let transactions =
        if movement.cause.kind() == Kind::Deposit { transaction_ids(movement.cause.native()) } else { Vec::new() };
    transactions.iter().map(|transaction| ClaimKey::new(movement.cause.feed(), transaction)).collect()
}

/// What is recorded, indexed by what a movement names.
#[derive(Debug, Default)]
pub struct RecordedCauses<'a> {
    by_id: BTreeMap<&'a ResourceId, &'a Resource>,
    by_claim: BTreeMap<ClaimKey, BTreeSet<&'a ResourceId>>,
}

impl<'a> RecordedCauses<'a> {
    /// Indexes `resources`, and what `claims` say about transactions.
    pub fn of(resources: &'a [Resource], claims: &'a [Claim]) -> Self {
        let by_id: BTreeMap<_, _> = resources.iter().map(|resource| (resource.id(), resource)).collect();
        let mut by_claim: BTreeMap<ClaimKey, BTreeSet<&ResourceId>> = BTreeMap::new();
        for claim in claims {
            by_claim
                .entry(claim.key().clone())
                .or_default()
                .extend(claim.entries().map(|ClaimEntry { resource, .. }| resource));
        }
        for resource in resources.iter().filter(|resource| resource.id().kind() == Kind::Deposit) {
            let hash = resource.view().and_then(|view| view.details.transaction_hash().map(str::to_owned));
            for transaction in hash.iter().flat_map(|hash| transaction_ids(hash)) {
                let key = ClaimKey::new(resource.id().feed(), &transaction);
                by_claim.entry(key).or_default().insert(resource.id());
            }
        }
        Self { by_id, by_claim }
    }

    /// How the movement lacks its cause; `None` if that is recorded and booked.
    pub fn lacks(&self, movement: &Movement) -> Option<Unrecorded> {
        let ids: BTreeSet<ResourceId> = ids_of_cause(movement).collect();
        let keys = claims_of_cause(movement);
        let of_claims = keys.iter().filter_map(|key| self.by_claim.get(key)).flatten().copied();
        let named = ids.iter().chain(of_claims).filter_map(|id| self.by_id.get(id).copied());
        let views: Vec<(&ResourceId, Arc<View>)> = named
            .filter_map(|named| {
                let owner = named.second_name_of().and_then(|owner| self.by_id.get(owner).copied()).unwrap_or(named);
                Some((owner.id(), owner.view()?))
            })
            .collect();
        let found = views.iter().map(|(id, view)| lacks(id, view));
        found.min_by_key(|lacks| lacks.map_or(0, Unrecorded::gravity)).unwrap_or(Some(Unrecorded::NotRecorded))
    }
}

impl Unrecorded {
    fn gravity(self) -> u8 {
        match self {
            Self::NotBooked(_) => 1,
            Self::WithoutStatus => 2,
            Self::NotRecorded => 3,
        }
    }
}

impl fmt::Display for Unrecorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRecorded => f.write_str("is not recorded"),
            Self::NotBooked(status) => {
                write!(f, "is recorded as {}, so that nothing is booked", status.as_str())
            }
            Self::WithoutStatus => f.write_str("is recorded without a status"),
        }
    }
}

impl fmt::Display for Movement {
    /// `100.5 USDC`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.change {
            Some(change) => write!(f, "{change} {}", self.asset.as_deref().unwrap_or("of an asset that is not named")),
            None => write!(f, "an unknown amount of {}", self.asset.as_deref().unwrap_or("an asset that is not named")),
        }
    }
}

/// How a resource that is recorded lacks what a movement says. A deposit has moved a balance only when its money is in. A
/// withdrawal may move it at each of its steps, and [overdue](fundhook_domain::OverdueNotice) covers one that does not end.
fn lacks(id: &ResourceId, view: &View) -> Option<Unrecorded> {
    let counts_elsewhere = view.duplicate_of.is_some() || view.booked_by.is_some() || view.conflict.is_some();
    match view.status {
        _ if counts_elsewhere => None,
        None => Some(Unrecorded::WithoutStatus),
        Some(status) if settles_movement(status) || view.books(id).balances().next().is_some() => None,
        Some(status) => Some(Unrecorded::NotBooked(status)),
    }
}

/// Whether a deposit or a withdrawal with this status may have moved a balance.
pub fn settles_movement(status: Status) -> bool {
    match status {
        Status::Deposit(status) => match status {
            DepositStatus::Held | DepositStatus::Confirmed | DepositStatus::Unexpected | DepositStatus::Reversed => {
                true
            }
            DepositStatus::Pending | DepositStatus::Submitted | DepositStatus::Abandoned | DepositStatus::Failed => {
                false
            }
        },
        Status::Withdrawal(_)
        | Status::Fee(_)
        | Status::Exchange(_)
        | Status::Recovery(_)
        | Status::Participant(_)
        | Status::ExternalAccount(_)
        | Status::Balance
        | Status::Unrecognized => true,
    }
}

/// The webhooks about a balance: when each was received, and what it told.
fn told_balances(resource: &Resource) -> impl Iterator<Item = (Timestamp, &BalanceDetails)> {
    resource.facts().iter().filter_map(|fact| match &fact.statement()?.details {
        Details::Balance(balance) => Some((fact.content.evidence().received_at, &**balance)),
        Details::Transfer(_) | Details::Recovery(_) | Details::Account(_) | Details::Unrecognized(_) => None,
    })
}

/// Whether what else the webhook said was too large to be carried, and is in its evidence only.
fn left_in_evidence(balance: &BalanceDetails) -> bool {
    balance.provider_data.get("fundhook").is_some_and(|note| note.get("left_in_evidence").is_some())
}

fn rows(balance: &BalanceDetails) -> impl Iterator<Item = &Map<String, Value>> {
    let rows = balance.provider_data.get(MOVEMENTS).and_then(Value::as_array);
    rows.into_iter().flatten().filter_map(Value::as_object)
}

/// The deposit or withdrawal that a movement of `balance` names.
fn cause(row: &Map<String, Value>, balance: &ResourceId) -> Option<ResourceId> {
    let named = |kind, snake, camel| ResourceId::new(kind, balance.feed().clone(), &text(row, snake, camel)?).ok();
    named(Kind::Deposit, "deposit_reference_id", "depositReferenceId")
        .or_else(|| named(Kind::Withdrawal, "withdrawal_request_id", "withdrawalRequestId"))
}

/// The text of a member, which may be sent as a number and in either spelling; `None` if it is empty or no text.
fn text(row: &Map<String, Value>, snake: &str, camel: &str) -> Option<String> {
    let text = match row.get(snake).or_else(|| row.get(camel))? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// The time of a member, in any form that providers send; `None` if it is none, or zero.
fn time(row: &Map<String, Value>, snake: &str, camel: &str) -> Option<Timestamp> {
    let read = Timestamp::from_any_form(&text(row, snake, camel)?).ok()?;
    (!read.is_zero()).then_some(read)
}
