//! What webhook families report about coins, recorded one after the other as the state updater records it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fundhook_domain::{
    Claim, CreditForm, DecidedBy, Event, FactId, Hold, HoldReason, Kind, Network, NewFact, Resource, ResourceId,
    Statement, Stored, View, WebhookFamily, events_after,
};

use super::books::assert_booked;
use super::money::money;
use super::recovery::announced;
use super::{deposit, quantity, status, with};

/// How a webhook family reports a deposit. Its statements are those of one coin, unless the test changes something.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report {
    pub(crate) feed: &'static str,
    pub(crate) family: WebhookFamily,
    pub(crate) native: &'static str,
    pub(crate) status: &'static str,
    pub(crate) hold: Option<HoldReason>,
    pub(crate) hash: Option<&'static str>,
    pub(crate) address: Option<&'static str>,
    pub(crate) asset: &'static str,
    pub(crate) network: Option<&'static str>,
    pub(crate) amount: &'static str,
    pub(crate) account: Option<&'static str>,
    /// The net credit, when it is not the amount in kind.
    pub(crate) credit: Option<(&'static str, &'static str)>,
    pub(crate) seconds: u64,
}

pub(crate) const HASH: &str = "0xcd9e98ae631cf7cfcf4d351374337a55096abd01d9637303aaef31d5c0766569";

pub(crate) const CONNECT: Report = Report {
    feed: "connect",
    family: WebhookFamily::ConnectDeposits,
    native: "1",
    status: "confirmed",
    hold: None,
    hash: Some(HASH),
    address: Some("0x34f53aea3ba8b60b0ed19106baf43a4f3f73f242"),
    asset: "USDC",
    network: Some("ethereum"),
    amount: "100",
    account: Some("CUST01"),
    credit: None,
    seconds: 40,
};
pub(crate) const FUND: Report =
    Report { feed: "zerohash", family: WebhookFamily::ZerohashFund, native: "fund-1", ..CONNECT };
pub(crate) const DEPOSIT: Report =
    Report { feed: "zerohash", family: WebhookFamily::ZerohashDepositStatus, native: "deposit-1", ..CONNECT };
/// zerohash's `DEPOSIT_FAILED` names no address.
pub(crate) const UNEXPECTED: Report = Report {
    feed: "zerohash",
    family: WebhookFamily::ZerohashDepositFailed,
    native: "failed-1",
    status: "unexpected",
    address: None,
    ..CONNECT
};

impl Report {
    pub(crate) fn id(self) -> ResourceId {
        let feed: fundhook_domain::Feed = self.feed.parse().expect("a feed");
        ResourceId::new(Kind::Deposit, feed, self.native).expect("an id")
    }

    pub(crate) fn statement(self) -> Statement {
        let mut statement = with(deposit(self.status, self.seconds), |details| {
            details.family = Some(self.family);
            details.transaction.hash = self.hash.map(str::to_owned);
            details.transaction.to = self.address.map(str::to_owned);
            details.asset = Some(self.asset.to_owned());
            details.network = self.network.map(Network::named);
            details.quantity = Some(quantity(self.amount));
            details.account = self.account.map(str::to_owned);
            let (value, asset) = self.credit.unwrap_or((self.amount, self.asset));
            let form = if self.credit.is_some() { CreditForm::Converted } else { CreditForm::InKind };
            let credit = fundhook_domain::Credit::of(form, money(value, asset), Vec::new(), DecidedBy::Numbers);
            details.credit = credit.filter(|_| self.status == "confirmed");
            details.hold = self.hold.filter(|_| self.status == "held").map(Hold::from);
            if self.status == "unexpected" {
                details.related = [recovery()].into();
            }
        });
        statement.content.status = Some(status(Kind::Deposit, self.status));
        statement.resource = self.id();
        let body = format!("{self:?}");
        statement.content.id = FactId::of(&statement.resource, &statement.content.event_type, body.as_bytes());
        statement
    }

    pub(crate) fn fact(self) -> NewFact {
        NewFact::from(self.statement())
    }
}

/// The recovery that asks for the unexpected coin.
pub(crate) fn recovery() -> ResourceId {
    ResourceId::new(Kind::Recovery, fundhook_domain::Provider::Zerohash, "recovery-1").expect("an id")
}

/// The recovery's statement about the unexpected deposit.
pub(crate) fn to_return() -> NewFact {
    let mut statement = announced(WebhookFamily::ZerohashDepositFailed, "failed-1", HASH, "100", 40);
    statement.resource = recovery();
    NewFact::from(statement)
}

/// What is stored, and what was published.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) stored: Stored,
    pub(crate) published: Vec<Event>,
}

impl World {
    /// After these reports were recorded, one after the other.
    pub(crate) fn after(reports: &[Report]) -> Self {
        Self::of(&reports.iter().map(|report| report.statement()).collect::<Vec<_>>())
    }

    /// After these statements were recorded, one after the other.
    pub(crate) fn of<'a>(statements: impl IntoIterator<Item = &'a Statement>) -> Self {
        let mut world = Self::default();
        statements.into_iter().for_each(|statement| world.record(&[NewFact::from(statement.clone())]));
        world
    }

    /// Records facts about one thing in one write.
    pub(crate) fn record(&mut self, facts: &[NewFact]) {
        let write = self.stored.record(facts).expect("an owner");
        for written in write.into_iter().flat_map(|write| write.resources) {
            self.published.extend(events_after(&written.item, written.read_version));
        }
    }

    pub(crate) fn resource(&self, id: &ResourceId) -> Resource {
        self.stored.resource(id).cloned().unwrap_or_else(|| Resource::unknown(id.clone()))
    }

    pub(crate) fn view(&self, report: Report) -> View {
        Arc::unwrap_or_clone(self.resource(&report.id()).view().expect("a view"))
    }

    pub(crate) fn only_claim(&self) -> &Claim {
        let claims: Vec<&Claim> = self.stored.claims().filter(|claim| claim.version() > 0).collect();
        let [claim] = claims[..] else { unreachable!("one transaction: {claims:?}") };
        claim
    }

    /// The types of the events that were published about `id`, without the common prefix.
    pub(crate) fn types(&self, id: &ResourceId) -> Vec<String> {
        let of_it = self.published.iter().filter(|event| event.data.resource == *id);
        of_it.map(|event| event.event_type.rsplit('.').next().unwrap_or_default().to_owned()).collect()
    }

    /// What is credited, by resource.
    pub(crate) fn credited(&self) -> BTreeMap<ResourceId, String> {
        let credit = |resource: &Resource| {
            let view = resource.view().filter(|view| view.is_credited())?;
            let net = &view.details.credit()?.net;
            Some((resource.id().clone(), format!("{} {}", net.value, net.asset)))
        };
        self.stored.resources().filter_map(credit).collect()
    }

    pub(crate) fn event_ids(&self) -> BTreeSet<String> {
        self.published.iter().map(|event| event.id.clone()).collect()
    }

    /// Asserts that what was published is what the stored facts say, each event once and numbered without gaps.
    pub(crate) fn assert_consistent(&self) {
        for resource in self.stored.resources() {
            let of_it = self.published.iter().filter(|event| event.data.resource == *resource.id());
            let published: Vec<&Event> = of_it.collect();
            let again = events_after(resource, 0);
            assert_eq!(published, again.iter().collect::<Vec<_>>(), "{} published again", resource.id());
            assert!(again.iter().map(|event| event.sequence).eq(1..=resource.sequence()), "{}", resource.id());
            assert_booked(resource, &again);
        }
    }
}

/// The events of a coin that is reported as credited and as to be returned.
pub(crate) fn to_be_returned_and_credited() -> Vec<Event> {
    let mut world = World::after(&[UNEXPECTED]);
    world.record(&[to_return()]);
    world.record(&[DEPOSIT.fact()]);
    world.published
}

/// The events of a coin that two families report as to be returned.
pub(crate) fn returned_twice() -> Vec<Event> {
    World::after(&[UNEXPECTED, Report { status: "unexpected", ..DEPOSIT }]).published
}

/// The events of two deposits that may be one coin.
pub(crate) fn similar() -> Vec<Event> {
    let stored = Stored::remembering(fundhook_domain::SeveralFamiliesCredit::of([None]));
    let mut world = World { stored, ..World::default() };
    [DEPOSIT, Report { hash: None, ..FUND }].iter().for_each(|report| world.record(&[report.fact()]));
    world.published
}
