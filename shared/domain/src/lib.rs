//! The pure core of Fundhook: what providers state about money, and what it adds up to.
//!
//! | module | subject |
//! |---|---|
//! | `identity` | the names of providers, feeds, webhook families, kinds, resources and facts |
//! | `money` | exact decimals and amounts |
//! | `credit` | what may be booked for a deposit, and why it may not |
//! | `coin` | which on-chain coin a deposit is, and which deposit is credited with it |
//! | `status` | the statuses of each kind of resource |
//! | `recovery` | unexpected deposits and the payments that return them |
//! | `resource` | statements, facts, and the view of a resource |
//! | `event` | CloudEvents about changes, and their JSON Schemas |
//!
//! A [`Statement`] is what a webhook says about one resource. [`fold`] records it as a [`Fact`]; that is the only way a
//! [`Resource`] changes. The [`View`] is computed from the *set* of facts, so neither the order nor the repetition of
//! webhooks changes it. [`events_after`] returns the CloudEvents about what was recorded.
//!
//! Nothing here reads a clock, the environment, the network or a random number. Time is an argument, and every function
//! is total: it returns a value for every input and does not panic.

#![warn(missing_docs)]

mod coin;
mod credit;
mod event;
mod identity;
mod json_fault;
mod merge;
mod money;
mod postings;
mod recovery;
mod resource;
mod schema;
mod status;
mod timestamp;

pub(crate) use coin::contradicts;
pub use coin::{
    Claim, ClaimEntry, ClaimKey, CoinId, CoinRelation, DueRelation, Fate, Network, SIMILAR_WITHIN, Sighting,
    SimilarDeposits, SimilarKey, Tag, ToldCoin, split_asset_code, transaction_ids,
};
pub use credit::{
    Credit, CreditConversion, CreditFee, CreditForm, DecidedBy, FeeBearer, Hold, HoldForce, HoldReason, Location,
    Money, Needs, NetCredit,
};
pub use event::{
    BalanceBody, Event, EventBody, EventData, RecoveryBody, RecoveryDeposit, RecoveryPayment, RecoveryRequest,
    TransferBody, attributes_schema, event_schema, event_types, events_after,
};
pub use identity::{
    CorrelationId, FactId, Feed, FeedError, Kind, ListId, ListKind, ListedAt, Provider, ResourceId, ResourceIdError,
    StatusRule, Tenant, TenantError, UnknownName, WebhookFamily, digest_hex,
};
pub use json_fault::json_fault;
pub use money::{Amount, DecimalError, DecimalValue, Outflow, Quantity, Units};
pub use postings::{Books, Direction, LedgerAccount, Posting};
pub use recovery::{PaymentStep, RecoveryDetails, RecoveryKey, RecoverySums, ReturnPayment, UnexpectedDeposit};
pub use resource::{
    AccountDetails, Attestation, Backfill, BalanceDetails, Balances, Beside, Change, Conflict, Conversion,
    CurrentStatus, Decision, DecisionSummary, Details, Evidence, EvidenceClass, EvidencePointer, Exchange, Fact,
    FactContent, FeeQuantity, HistoryEntry, LATEST_FACTS_MAX, Missing, NewFact, NewFactError, NotRecorded, Outcome,
    OverdueNotice, Purpose, Reading, Recording, Relation, Reported, Resource, Scheme, SecondName, Session,
    SeveralFamiliesCredit, Side, Source, Statement, StatementContent, Stored, Transaction, TransferDetails, United,
    UnrecognizedDetails, Verdict, Versioned, View, Write, beside, fold, unite,
};
pub use status::{
    DepositStatus, ExchangeStatus, ExternalAccountStatus, FeeStatus, ParticipantStatus, RecoveryStatus, Status,
    WithdrawalStatus,
};
pub use timestamp::{CLOCK_SKEW_MAX, Timestamp, TimestampError};
