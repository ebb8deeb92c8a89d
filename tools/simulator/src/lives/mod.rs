//! What happens at the providers: the lives of deposits, withdrawals, users and balances, each as the webhooks that it causes.

mod coin;
mod connect;
mod striga;
mod zerohash;

use fundhook_domain::{ListKind, Provider, Timestamp};
use fundhook_ports::fakes::ApiRow;
use serde_json::{Value, json};

use crate::chance::Chance;
use crate::plan::Plan;
use crate::provider::Told;

/// How many webhooks there are for each user. Many, so that recoveries and balances have long histories.
const WEBHOOKS_OF_USER: u64 = 50;

/// The fewest users.
const USERS_MIN: u64 = 20;

/// Draws the lives. What one is does not depend on the others.
pub(crate) struct Lives {
    seed: u64,
    users: u64,
    pace: u32,
}

/// What a life is drawn from.
struct Draws {
    chance: Chance,
    /// How many users there are.
    users: u64,
    /// How many times faster than usual what happens follows upon each other.
    pace: u32,
}

/// One life.
#[derive(Default)]
pub(crate) struct Life {
    /// Its webhooks, in the order in which its provider sends them.
    pub(crate) told: Vec<Told>,
    /// What its provider lists about it.
    pub(crate) rows: Vec<Listing>,
    /// What it is in the end.
    pub(crate) ends: Option<End>,
    /// The deposits that are about one coin, if there are several.
    pub(crate) coin: Vec<String>,
}

/// A row that a provider lists from some time on, until a later one replaces it.
pub(crate) struct Listing {
    pub(crate) at: Timestamp,
    pub(crate) list: ListKind,
    pub(crate) row: ApiRow,
}

/// What a life is in the end, if every webhook about it arrived.
pub(crate) struct End {
    pub(crate) resource: String,
    pub(crate) status: &'static str,
    /// Whether a list tells it as well, so that it is known whether the webhooks arrived or not.
    pub(crate) is_listed: bool,
}

/// A coin that arrives.
#[derive(Clone)]
struct Coin {
    user: String,
    amount: String,
    /// Its transaction, in the provider's spelling.
    hash: String,
    /// The address to which it was sent.
    to: String,
}

/// When a life reaches a status, and the provider's word for it.
type Step = (Timestamp, &'static str);

impl Lives {
    pub(crate) fn of(plan: &Plan) -> Self {
        Self::paced(plan.seed, plan.webhooks, 1)
    }

    /// Lives that have about so many webhooks in all, and in which everything happens `pace` times faster than usual.
    pub(crate) fn paced(seed: u64, webhooks: u64, pace: u32) -> Self {
        Self { seed, users: (webhooks / WEBHOOKS_OF_USER).max(USERS_MIN), pace }
    }

    /// The life with this number, which begins at `begins`.
    pub(crate) fn draw(&self, number: u64, begins: Timestamp) -> Life {
        let draws = Draws { chance: Chance::of_part(self.seed, number), users: self.users, pace: self.pace };
        let draw: &fn(&Draws, Timestamp) -> Life = draws.chance.pick(&[
            connect::deposit,
            connect::deposit,
            connect::withdrawal,
            coin::deposit,
            zerohash::fund,
            zerohash::fund,
            zerohash::deposit,
            zerohash::deposit,
            zerohash::payment,
            zerohash::bank_payment,
            zerohash::participant,
            zerohash::external_account,
            zerohash::balance,
            striga::deposit,
            striga::withdrawal,
        ]);
        draw(&draws, begins)
    }
}

impl Life {
    /// The life of `resource`, which goes through these steps. The statuses have these names in `names`; others have the
    /// provider's.
    fn of(
        provider: Provider,
        resource: String,
        steps: &[Step],
        names: &[(&str, &'static str)],
        body: impl Fn(Timestamp, &str) -> Value,
    ) -> Self {
        let told = steps.iter().map(|(at, word)| Told { at: *at, provider, body: body(*at, word) }).collect();
        let name = |word: &'static str| names.iter().find(|(known, _)| *known == word).map_or(word, |(_, name)| *name);
        let end = |(_, word): &Step| End { resource, status: name(word), is_listed: false };
        Self { told, ends: steps.last().map(end), ..Self::default() }
    }

    /// The same life, which its provider lists with these rows: `row` is told the steps until then. A list is ordered by when
    /// lives begin.
    fn listed(mut self, list: ListKind, id: &str, steps: &[Step], row: impl Fn(&[Step]) -> Option<Value>) -> Self {
        for count in 1..=steps.len() {
            let listed = row(&steps[..count]);
            if let Some(end) = &mut self.ends {
                end.is_listed = listed.is_some();
            }
            let row = listed.map(|json| ApiRow { at: steps[0].0, id: id.to_owned(), json: json.to_string() });
            self.rows.extend(row.map(|row| Listing { at: steps[count - 1].0, list, row }));
        }
        self
    }
}

impl Draws {
    /// A coin for some user.
    fn coin(&self) -> Coin {
        let chance = &self.chance;
        let (user, amount, hash) = (self.user(), amount(chance), format!("0x{}", chance.hash()));
        Coin { user, amount, hash, to: format!("0x{}", &chance.hash()[..40]) }
    }

    /// The code of some user.
    fn user(&self) -> String {
        format!("CUST{:05}", self.chance.between(0..self.users))
    }
}

/// An amount with up to eight decimals.
fn amount(chance: &Chance) -> String {
    format!("{}.{:08}", chance.between(1..10_000), chance.between(1..100_000_000))
}

/// The times of the steps of a life, and one of its ways. Of some lives, the webhooks come all at once.
fn walk(draws: &Draws, begins: Timestamp, ways: &[&[&'static str]]) -> Vec<Step> {
    let chance = &draws.chance;
    let mut at = begins;
    let is_burst = chance.one_in(3);
    let mut steps = Vec::new();
    for word in *chance.pick(ways) {
        steps.push((at, *word));
        at = at.plus(if is_burst { chance.ms(1..30) } else { chance.seconds(5..1_800) / draws.pace });
    }
    steps
}

/// The newest of these steps.
fn newest(steps: &[Step]) -> Step {
    steps[steps.len() - 1]
}

/// The statuses of these steps, newest first. `member` names a status.
fn history(steps: &[Step], member: &str) -> Value {
    steps.iter().rev().map(|(at, word)| json!({ member: word, "timestamp": at })).collect()
}

fn milliseconds(at: Timestamp) -> i64 {
    at.unix_seconds() * 1000 + i64::from(at.since(at.whole_second()).subsec_millis())
}
