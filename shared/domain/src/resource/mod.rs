//! Resources: the facts recorded about one deposit, withdrawal or other thing at a provider, and the view they add up
//! to.
//!
//! Guarantees:
//!
//! - [`fold`] is the only way a resource changes. It is pure and total.
//! - The [`View`] is a function of the *set* of facts: neither the order nor the repetition of webhooks changes it.
//! - A late fact never moves a status backwards.
//! - Every fact names the evidence for it.

mod account;
mod agreement;
mod beside;
mod coins;
mod decision;
mod details;
mod evidence;
mod fact;
mod fold;
mod message;
mod overdue;
mod precedence;
mod publishing;
mod recorded;
mod recording;
mod relation;
mod second_name;
mod state;
mod statement;
mod stored;
mod transfer;
mod view;

pub use account::{AccountDetails, BalanceDetails, UnrecognizedDetails};
pub use beside::{Beside, Reported, beside};
pub use decision::{Decision, DecisionSummary, Verdict};
pub use details::Details;
pub use evidence::{Attestation, Backfill, Evidence, EvidenceClass, EvidencePointer, Scheme};
pub use fact::{Fact, FactContent};
pub use fold::{Change, Outcome, fold};
pub(crate) use fold::{change, shown};
pub use message::{NewFact, NewFactError};
pub use overdue::OverdueNotice;
pub use recording::Recording;
pub use relation::Relation;
pub use second_name::{SecondName, United, unite};
pub use state::{CurrentStatus, LATEST_FACTS_MAX, Resource};
pub use statement::{Reading, Statement, StatementContent};
pub use stored::{Missing, NotRecorded, SeveralFamiliesCredit, Stored, Versioned, Write};
pub use transfer::{
    Balances, Conversion, Exchange, FeeQuantity, Purpose, Session, Side, Source, Transaction, TransferDetails,
};
pub use view::{Conflict, HistoryEntry, View};
