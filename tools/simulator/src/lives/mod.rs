//! What happens at the providers: the lives of deposits, withdrawals, users and balances, each as the webhooks that it causes.

mod connect;
mod striga;
mod zerohash;

use fundhook_domain::{Provider, Timestamp};
use serde_json::Value;

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
}

/// What a life is drawn from.
struct Draws {
    chance: Chance,
    /// How many users there are.
    users: u64,
}

/// One life.
#[derive(Default)]
pub(crate) struct Life {
    /// Its webhooks, in the order in which its provider sends them.
    pub(crate) told: Vec<Told>,
    /// What it is in the end, if every webhook about it arrived: a resource and its status.
    pub(crate) ends: Option<(String, &'static str)>,
}

impl Lives {
    pub(crate) fn of(plan: &Plan) -> Self {
        Self { seed: plan.seed, users: (plan.webhooks / WEBHOOKS_OF_USER).max(USERS_MIN) }
    }

    /// The life with this number, which begins at `begins`.
    pub(crate) fn draw(&self, number: u64, begins: Timestamp) -> Life {
        let draws = Draws { chance: Chance::of_part(self.seed, number), users: self.users };
        let draw: &fn(&Draws, Timestamp) -> Life = draws.chance.pick(&[
            connect::deposit,
            connect::deposit,
            connect::withdrawal,
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
        steps: &[(Timestamp, &'static str)],
        names: &[(&str, &'static str)],
        body: impl Fn(Timestamp, &str) -> Value,
    ) -> Self {
        let told = steps.iter().map(|(at, word)| Told { at: *at, provider, body: body(*at, word) }).collect();
        let name = |word: &'static str| names.iter().find(|(known, _)| *known == word).map_or(word, |(_, name)| *name);
        Self { told, ends: steps.last().map(|(_, word)| (resource, name(word))) }
    }
}

impl Draws {
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
fn walk(chance: &Chance, begins: Timestamp, ways: &[&[&'static str]]) -> Vec<(Timestamp, &'static str)> {
    let mut at = begins;
    let is_burst = chance.one_in(3);
    let mut steps = Vec::new();
    for word in *chance.pick(ways) {
        steps.push((at, *word));
        at = at.plus(if is_burst { chance.ms(1..30) } else { chance.seconds(5..1_800) });
    }
    steps
}
