//! Whether a listed deposit may already be credited under another id, decided one question at a time.
//!
//! [`next`] is pure: given a row and what is known so far, it returns either the next question or the verdict. The caller
//! asks the question, adds the answer to [`KnownAboutRow`] and calls it again. It never repeats an answered question, and
//! it asks about at most [`SIMILAR_DEPOSITS_MAX`] similar deposits, so the loop ends.

use std::collections::BTreeMap;

use fundhook_domain::{Claim, ClaimKey, Resource, ResourceId, Statement, Timestamp};

use crate::coin::{
    SAME_DEPOSIT_WITHIN, claim_of, has_coin_of, identifies_its_coin, is_identified_by_its_coin, may_be_the_same,
};
use crate::window::HOUR;

/// For how many similar deposits the provider is asked on behalf of one row. A row with more of them is ambiguous.
pub const SIMILAR_DEPOSITS_MAX: usize = 5;

/// Why a listed deposit may already be credited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ambiguity {
    /// It may be this recorded deposit.
    Resembles(ResourceId),
    /// No transaction hash identifies its coin, and the organization's other feed reports the same coins.
    CoinNotIdentified,
}

/// Which feeds of an organization report deposits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrganizationFeeds {
    /// One feed: each coin is reported once.
    One,
    /// Connect and zerohash: each coin is reported twice, and only its transaction hash shows that both are one.
    ConnectAndZerohash,
}

/// A row that would have a deposit credited if it were queued.
#[derive(Clone, Copy, Debug)]
pub struct ConfirmedRow<'a> {
    /// What the row says.
    pub statement: &'a Statement,
    /// What is recorded of the deposit that it is about, if anything is.
    pub recorded: Option<&'a Resource>,
    /// Which feeds its organization has.
    pub feeds: OrganizationFeeds,
}

/// What has to be known before a verdict is possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// What does the claim on this coin say?
    ClaimsOn(ClaimKey),
    /// Does the provider list this deposit under its own id?
    IsListed(ResourceId),
    /// Which deposits of the row's organization about this account were written since then?
    DepositsOf {
        /// The provider's or the platform's name for the user.
        account: String,
        /// The earliest write that matters.
        since: Timestamp,
    },
}

/// What to do with the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No recorded deposit can be the same coin: queue it.
    Queue,
    /// It may already be credited: it needs review.
    Ambiguous(Ambiguity),
}

/// The next step of the decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AmbiguityStep {
    /// Answer this first.
    Ask(Question),
    /// Decided.
    Verdict(Verdict),
}

/// The answers that were given about one row so far.
#[derive(Clone, Debug, Default)]
pub struct KnownAboutRow {
    claims: Option<Vec<Claim>>,
    account_deposits: Option<Vec<Resource>>,
    listed: BTreeMap<ResourceId, bool>,
}

impl KnownAboutRow {
    /// Adds the answer to [`Question::ClaimsOn`].
    pub fn add_claims(&mut self, claims: Vec<Claim>) {
        self.claims = Some(claims);
    }

    /// Adds the answer to [`Question::IsListed`].
    pub fn add_listed(&mut self, id: ResourceId, is_listed: bool) {
        self.listed.insert(id, is_listed);
    }

    /// Adds the answer to [`Question::DepositsOf`].
    pub fn add_account_deposits(&mut self, deposits: Vec<Resource>) {
        self.account_deposits = Some(deposits);
    }
}

/// Decides whether `row` may already be credited, or what to ask first.
pub fn next(row: ConfirmedRow<'_>, known: &KnownAboutRow) -> AmbiguityStep {
    let ConfirmedRow { statement, recorded, feeds } = row;
    let is_reported_twice = feeds == OrganizationFeeds::ConnectAndZerohash;
    if let Some(reported) = recorded.filter(|resource| is_reported_by_webhook(resource)) {
        // The id is right. The only danger is that the other feed's deposit has the same coin.
        let is_identified = identifies_its_coin(statement) || is_identified_by_its_coin(reported);
        return if is_reported_twice && !is_identified { ambiguous(Ambiguity::CoinNotIdentified) } else { queue() };
    }
    if is_reported_twice && !identifies_its_coin(statement) {
        return ambiguous(Ambiguity::CoinNotIdentified);
    }
    match claimed_by_same_feed(statement, known) {
        Some(step) => step,
        None => resembling_deposit(statement, known).unwrap_or_else(queue),
    }
}

/// The same feed may have reported the row's coin under another id. If the provider lists that id too, one transaction
/// has two deposits; if not, both may be one.
fn claimed_by_same_feed(row: &Statement, known: &KnownAboutRow) -> Option<AmbiguityStep> {
    let claim = claim_of(row)?;
    let Some(claims) = &known.claims else {
        return Some(AmbiguityStep::Ask(Question::ClaimsOn(claim)));
    };
    let of_its_coin = claims.iter().flat_map(Claim::entries).filter(|entry| has_coin_of(row, entry));
    of_its_coin
        .map(|entry| &entry.resource)
        .filter(|reported| reported.feed() == row.resource.feed() && **reported != row.resource)
        .find_map(|reported| unless_listed(reported, known))
}

/// A deposit of the same user and amount may be the row's. It is a different one if the provider lists it under its own id.
fn resembling_deposit(row: &Statement, known: &KnownAboutRow) -> Option<AmbiguityStep> {
    let account = row.content.details.account()?;
    let Some(deposits) = &known.account_deposits else {
        // The index has the time of writing by our clock, and the row the provider's date: an hour covers the difference.
        let since = row.content.occurred_at.minus(SAME_DEPOSIT_WITHIN).minus(HOUR);
        return Some(AmbiguityStep::Ask(Question::DepositsOf { account: account.to_owned(), since }));
    };
    let mut similar = deposits.iter().filter(|deposit| may_be_the_same(deposit, row)).map(Resource::id);
    let asked = similar.by_ref().take(SIMILAR_DEPOSITS_MAX).find_map(|id| unless_listed(id, known));
    asked.or_else(|| similar.next().map(|id| ambiguous(Ambiguity::Resembles(id.clone()))))
}

/// The step that `id` requires; `None` if the provider lists it under its own id, so that it is not the row's deposit.
fn unless_listed(id: &ResourceId, known: &KnownAboutRow) -> Option<AmbiguityStep> {
    match known.listed.get(id) {
        None => Some(AmbiguityStep::Ask(Question::IsListed(id.clone()))),
        Some(false) => Some(ambiguous(Ambiguity::Resembles(id.clone()))),
        Some(true) => None,
    }
}

/// Whether a webhook reported the resource. If only the list did, its id may differ from the one in the webhooks.
fn is_reported_by_webhook(resource: &Resource) -> bool {
    !resource.facts().iter().all(|fact| fact.content.evidence().is_from_api())
}

fn queue() -> AmbiguityStep {
    AmbiguityStep::Verdict(Verdict::Queue)
}

fn ambiguous(reason: Ambiguity) -> AmbiguityStep {
    AmbiguityStep::Verdict(Verdict::Ambiguous(reason))
}
