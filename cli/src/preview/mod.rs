//! What would come out? Webhooks in order, and the events that they would publish, without a stack.
//!
//! Webhooks take the deployed path from the envelope on: [`normalise`](fundhook_providers::normalise), the fold, the
//! claims on coins, and the events of each write. Only their signatures are not verified, and the table is a map in
//! memory.
//!
//! | module | subject |
//! |---|---|
//! | `input` | files and lines as webhooks and rows |
//! | `table` | the resources and claims, in memory |
//! | `report` | what each webhook publishes, as text |
//! | `money` | amounts, credits and holds of an event's JSON, as text |
//! | `owed` | what each user is owed in the end |
//! | `review` | what needs review in the end |

mod input;
mod money;
mod owed;
mod report;
mod review;
mod table;

pub use input::{Defaults, Input, InputError, Message, Place, parse_feed, read};
pub use report::{report, silences};
pub use review::review;

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{Event, EvidencePointer, Provider, SeveralFamiliesCredit, Tenant};
use fundhook_providers::{Crediting, CreditingFamily, ReadingSettings, normalise};
use serde_json::Value;
use table::{Recorded, Table};

use crate::ledger::Ledger;

/// The webhooks of a preview with what each publishes, and what is known of each resource in the end.
#[derive(Debug)]
pub struct Preview {
    /// The webhooks, in the order in which they were given.
    pub steps: Vec<Step>,
    latest: Vec<Latest>,
    ledger: Ledger,
}

/// One webhook or row, and what it does.
#[derive(Debug)]
pub struct Step {
    /// The webhook or row.
    pub input: Input,
    /// What each of its statements does. There is at least one.
    recorded: Vec<Recorded>,
}

/// A resource in the end.
#[derive(Debug)]
struct Latest {
    /// The `data` of its latest event.
    data: Value,
    /// Whether its coin is credited under another deposit.
    is_duplicate: bool,
}

impl Step {
    /// The events that it publishes.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.recorded.iter().flat_map(|recorded| &recorded.events)
    }
}

/// What would come out of `inputs`, in this order, read with these settings.
pub fn preview(inputs: Vec<Input>, settings: &ReadingSettings) -> Result<Preview, serde_json::Error> {
    let mut table = Table::remembering(several_families_credit(&inputs, &settings.crediting));
    let steps = inputs.into_iter().map(|input| {
        // The place of the input is the evidence: nothing is archived.
        let archived = EvidencePointer { object: input.place.file.clone(), line: input.place.line_from_zero() };
        let statements = normalise(&input.envelope(), archived, settings);
        let recorded = statements.into_iter().map(|statement| table.record(statement)).collect();
        Step { input, recorded }
    });
    let steps = steps.collect();
    Ok(Preview { steps, latest: table.latest()?, ledger: table.ledger() })
}

/// The organizations in which several webhook families credit, by the feeds of the webhooks.
fn several_families_credit(inputs: &[Input], crediting: &Crediting) -> SeveralFamiliesCredit {
    use CreditingFamily::{Connect, DepositStatus, Fund};
    let mut reported: BTreeMap<Option<Tenant>, BTreeSet<CreditingFamily>> = BTreeMap::new();
    for input in inputs {
        let families: &[CreditingFamily] = match input.feed.provider() {
            Provider::Connect => &[Connect],
            Provider::Zerohash => &[Fund, DepositStatus],
            Provider::Striga => &[],
        };
        reported.entry(input.feed.tenant().cloned()).or_default().extend(families);
    }
    let are_several = |(tenant, families): &(Option<Tenant>, BTreeSet<CreditingFamily>)| {
        families.iter().filter(|family| crediting.includes(tenant.as_ref(), **family)).count() > 1
    };
    SeveralFamiliesCredit::of(reported.into_iter().filter(are_several).map(|(tenant, _)| tenant))
}
