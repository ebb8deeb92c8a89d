//! Statements with every detail, and events of every sort.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Duration;

use fundhook_domain::{
    AccountDetails, Amount, Backfill, BalanceDetails, Balances, Conversion, Credit, CreditConversion, CreditFee,
    CreditForm, DecidedBy, DepositStatus, Details, Event, Exchange, FeeBearer, FeeQuantity, Feed, Hold, HoldReason,
    Kind, Location, Network, NewFact, Provider, Purpose, Quantity, Resource, ResourceId, Session, Side, Source,
    Statement, Status, Tenant, Transaction, TransferDetails, Units, UnrecognizedDetails, Verdict, WebhookFamily,
    WithdrawalStatus, events_after, fold, unite,
};

use super::money::money;
use super::readings::restated_somehow;
use super::{
    at, backfilled, decided, duplicate_of, folded, in_other_bytes, json, latest, listed, members, quantity, recovery,
    resource, statement, statement_in, status as named, with,
};

/// The statement that the resource reached `status` at `seconds`, with every member that it can have.
pub(crate) fn whole(status: Status, seconds: u64) -> Statement {
    let details = match status {
        Status::Deposit(_) | Status::Withdrawal(_) | Status::Fee(_) | Status::Exchange(_) => {
            Details::Transfer(Box::new(transfer(status)))
        }
        Status::Recovery(status) => recovery::whole(status),
        Status::Participant(_) | Status::ExternalAccount(_) => Details::Account(Box::new(account())),
        Status::Balance => Details::Balance(Box::new(balance())),
        Status::Unrecognized => Details::Unrecognized(UnrecognizedDetails {
            reason: "the event \"x\" is not known".to_owned(),
            payload_type: Some("x".to_owned()),
            body_bytes: u64::MAX,
        }),
    };
    let mut statement = statement_in(&format!("the whole of {status} at {seconds}"), status, seconds);
    statement.content.details = details;
    statement
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn wei(value: &str) -> Option<Quantity> {
    Some(Quantity { value: value.parse().expect("a decimal"), units: Units::Wei })
}

// Each of these names every member, so that the compiler reports a new one.

fn transfer(status: Status) -> TransferDetails {
    let is_exchange = status.kind() == Kind::Exchange;
    TransferDetails {
        quantity: wei("119078888888888888887"),
        fee: wei("636300000378000").map(|quantity| FeeQuantity {
            quantity,
            asset: text("MATIC"),
            network: Some(Network::named("Polygon")),
        }),
        total: wei("119079525188889266887"),
        refunded: wei("1"),
        asset: text("ETH"),
        network: Some(Network::named("ETH")),
        transaction: Transaction {
            hash: text("0xc9d43618"),
            from: text("0xF00D"),
            to: text("0xe7F436F9"),
            block_number: text("914854"),
            confirmations: text("12"),
        },
        source: Source { source_type: text("CUSTODIAL"), integration: text("coinbase") },
        session: Session { id: text("16032e11"), metadata: Some(json(r#"{"order":1}"#)), created_at: Some(at(0)) },
        conversion: Conversion {
            rate: Some("2413.5".parse().expect("a decimal")),
            currency: text("USD"),
            notional: Some("287396.9".parse().expect("a decimal")),
        },
        account: text("CUST01"),
        sub_account: text("f7d20ca9"),
        balances: Balances { before: wei("0"), after: wei("119078888888888888887") },
        side: Some(Side::Debit),
        purpose: Some(Purpose::BankCredit),
        reference_id: text("order-1"),
        provider_status: text("settled"),
        status_reason: text("deposit above maximum threshold"),
        status_reason_code: text("above_maximum"),
        credit: (status == Status::Deposit(DepositStatus::Confirmed)).then(credit),
        hold: (status == Status::Deposit(DepositStatus::Held)).then(hold),
        exchange: if is_exchange { exchange() } else { Exchange::default() },
        family: Some(WebhookFamily::ZerohashPayments),
        names: if status.kind() == Kind::Withdrawal { names() } else { BTreeSet::new() },
        related: BTreeSet::from([resource(Kind::Fee)]),
        created_at: Some(at(0)),
        updated_at: Some(at(30)),
        provider_data: members(r#"{"raw_fee_bps":"20"}"#),
    }
}

/// The names of a payment that states two.
fn names() -> BTreeSet<ResourceId> {
    let own = resource(Kind::Withdrawal);
    let request = ResourceId::new(Kind::Withdrawal, own.feed().clone(), "b752503c").expect("a valid id");
    BTreeSet::from([own, request])
}

fn credit() -> Credit {
    let fee = |kind: &str, borne_by| CreditFee {
        kind: kind.to_owned(),
        value: "5".parse().expect("a decimal"),
        asset: "USD".to_owned(),
        borne_by,
    };
    let fees = vec![fee("deposit_fee", FeeBearer::Customer), fee("issuer_fee", FeeBearer::Platform)];
    let gross = money("287396.9", "USD");
    let conversion = CreditConversion {
        from: money("119.078888888888888887", "ETH"),
        to: gross.clone(),
        rate: "2413.5".parse().expect("a decimal"),
    };
    let credit = Credit::of(CreditForm::Converted, gross, fees, DecidedBy::Setting).expect("one asset");
    credit.converted_from(Some(conversion))
}

fn hold() -> Hold {
    Hold::from(HoldReason::ComplianceReview).at(Location::HoldingAccount).because("The provider reviews 119 ETH.")
}

fn exchange() -> Exchange {
    let of = |value, asset, network: &str| Amount::of(quantity(value), text(asset), Some(Network::named(network)));
    Exchange {
        sold: Some(of("1", "ETH", "ETH")),
        bought: Some(of("2413.5", "USDC", "BASE")),
        refunded: Some(of("1", "ETH", "ETH")),
        price: Some("2413.5".parse().expect("a decimal")),
    }
}

fn account() -> AccountDetails {
    AccountDetails {
        account: text("CUST01"),
        nickname: text("my wallet"),
        provider_status: text("approved"),
        status_reason: text("identity_verified"),
        updated_at: Some(at(30)),
        provider_data: members(r#"{"external_account_id":"2cc93b20"}"#),
    }
}

fn balance() -> BalanceDetails {
    BalanceDetails {
        quantity: Some(quantity("0.5")),
        asset: text("USDC"),
        network: Some(Network::named("BASE")),
        account: text("CUST01"),
        sub_account: text("available"),
        updated_at: Some(at(30)),
        provider_data: members(r#"{"movements":[{"change":"0.1"}]}"#),
    }
}

/// The same statement for the tenant `acme`, without a signed time.
fn of_a_tenant(statement: &Statement) -> Statement {
    let tenant: Tenant = "acme".parse().expect("a tenant");
    let feed = Feed::new(Provider::Striga, Some(tenant));
    let mut statement = statement.clone();
    statement.resource = ResourceId::new(statement.resource.kind(), feed, statement.resource.native()).expect("an id");
    statement.content.evidence.attestation.signed_at = None;
    statement.content.evidence.attestation.token_verified = true;
    statement
}

/// The event of the last of many statements.
fn last_of(statements: &[Statement]) -> Vec<Event> {
    let resource = folded(statements);
    events_after(&resource, resource.version() - 1)
}

/// Events of every sort, with as much and as little in them as possible.
pub(crate) fn every_sort() -> Vec<Event> {
    static EVENTS: LazyLock<Vec<Event>> = LazyLock::new(made);
    EVENTS.clone()
}

fn made() -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    for status in Status::ALL {
        let (sparse, whole) = (statement(status, 0), whole(status, 40));
        events.push(latest([&sparse]));
        events.push(latest([&whole]));
        if status != Status::Unrecognized {
            // An unrecognized webhook is named by its body, so there is no further statement about it.
            events.push(latest([&whole, &sparse]));
        }
        events.push(latest([&of_a_tenant(&whole)]));
        let others = Status::ALL.into_iter().filter(|other| other.kind() == status.kind() && *other != status);
        events.extend(others.map(|other| latest([&sparse, &statement(other, 50)])));
        events.push(latest([&whole, &restated_somehow(&whole)]));
    }
    // The same status with another amount is a conflict, once the status is final.
    for status in [
        (Kind::Deposit, "confirmed"),
        (Kind::Withdrawal, "confirmed"),
        (Kind::Fee, "charged"),
        (Kind::Exchange, "refunded"),
    ] {
        let of = |seconds| whole(named(status.0, status.1), seconds);
        let other = with(of(60), |details| details.quantity = wei("1"));
        events.push(latest([&of(40), &other]));
        events.extend(events_after(&decided(folded([&of(40), &other]), Verdict::Resolved), 2));
    }
    // A fee that arrives before its withdrawal.
    let mut fee = whole(named(Kind::Withdrawal, "initiated"), 0);
    fee.content.status = None;
    events.push(latest([&fee]));
    // Asset and network are separate members while the amount is unknown.
    for status in [
        (Kind::Deposit, "pending"),
        (Kind::Withdrawal, "initiated"),
        (Kind::Fee, "charged"),
        (Kind::Exchange, "pending"),
    ] {
        let announced =
            with(whole(named(status.0, status.1), 0), |details| (details.quantity, details.total) = (None, None));
        events.push(latest([&announced]));
    }
    // What a backfill read.
    for status in [
        (Kind::Deposit, "confirmed"),
        (Kind::Withdrawal, "confirmed"),
        (Kind::Recovery, "required"),
        (Kind::Unrecognized, "seen"),
    ] {
        let row = listed(&whole(named(status.0, status.1), 40));
        events.push(latest([&backfilled(&row, Backfill::Published)]));
    }
    let confirmed = whole(named(Kind::Deposit, "confirmed"), 40);
    let owner = ResourceId::new(Kind::Deposit, Provider::Zerohash, "fund-1").expect("an id");
    events.extend(events_after(&duplicate_of(&owner, [&confirmed]), 0));
    // One coin, reported as credited and as to be returned.
    events.extend(super::coins::to_be_returned_and_credited());
    // One coin that two families report as to be returned: the second report books nothing.
    events.extend(super::coins::returned_twice());
    // A deposit that may be another one, and one that a person rejected.
    events.extend(super::coins::similar());
    let confirmed = whole(named(Kind::Deposit, "confirmed"), 40);
    events.extend(events_after(&decided(folded([&confirmed]), Verdict::Rejected), 1));
    // A payment that was recorded under each of its names before a webhook stated both.
    let confirmed = NewFact::from(whole(named(Kind::Withdrawal, "confirmed"), 40));
    let recorded = names().into_iter().map(|id| {
        let alone = with(whole(named(Kind::Withdrawal, "submitted"), 0), |details| details.names.clear());
        fold(Resource::unknown(id), alone).into_resource()
    });
    let united = unite(recorded, std::slice::from_ref(&confirmed)).expect("an owner");
    events.extend(united.second_names.iter().flat_map(|name| events_after(name, 1)));
    for status in Status::ALL {
        let resource = folded([&whole(status, 40)]);
        if let Some(notice) = NewFact::overdue(&resource, Duration::from_secs(3600)) {
            events.extend(events_after(&fold(resource, notice).into_resource(), 1));
        }
    }
    events.push(latest([&listed(&whole(named(Kind::Deposit, "confirmed"), 40))]));
    // More than an event lists.
    events.extend(last_of(&recovery::many(101)));
    for status in [
        (Kind::Deposit, "pending"),
        (Kind::Withdrawal, "submitted"),
        (Kind::Fee, "charged"),
        (Kind::Exchange, "pending"),
    ] {
        let retold = (0..=100).map(|number: u32| {
            let retold = in_other_bytes(&format!("{number}"), &statement(named(status.0, status.1), 0));
            with(retold, |details| details.status_reason = Some(number.to_string()))
        });
        events.extend(last_of(&retold.collect::<Vec<_>>()));
    }
    // A payment of more than had arrived.
    let paid = recovery::paid("b752503c", WithdrawalStatus::Confirmed, Some("100"), 40);
    events.push(latest([&paid]));
    events.extend(events_after(&decided(folded([&paid]), Verdict::Resolved), 1));
    events
}
