//! What withdrawals, fees and exchanges book.

use std::collections::BTreeSet;

use fundhook_domain::{
    Amount, Details, FactId, FeeQuantity, Kind, NewFact, Provider, Purpose, Resource, ResourceId, Side, Statement,
    Stored, TransferDetails, events_after,
};

use crate::support::books::lines;
use crate::support::money::in_its_asset;
use crate::support::{events, folded, quantity, resource, statement, status, with, withdrawal};

fn booked<'a>(statements: impl IntoIterator<Item = &'a Statement>) -> Vec<Vec<String>> {
    events(statements).iter().map(|event| lines(&event.data.postings)).collect()
}

/// What is booked in the end.
fn in_the_end(statements: &[Statement]) -> Vec<String> {
    let resource = folded(statements);
    lines(&resource.view().expect("a view").books(resource.id()).postings())
}

/// The statements, each in bytes of its own.
fn one_after_another(mut statements: Vec<Statement>) -> Vec<Statement> {
    for (number, Statement { resource, content }) in statements.iter_mut().enumerate() {
        content.id = FactId::of(resource, &content.event_type, number.to_string().as_bytes());
    }
    statements
}

/// A withdrawal of 100 USDC in this status.
fn of_100(name: &str, seconds: u64) -> Statement {
    with(withdrawal(name, seconds), |details| {
        details.quantity = Some(quantity("100"));
        details.asset = Some("USDC".to_owned());
        details.account = Some("CUST01".to_owned());
    })
}

#[test]
fn money_that_leaves_is_in_transit_until_it_has_arrived_or_comes_back() {
    let statements = ["initiated", "broadcast", "confirmed"].map(|name| of_100(name, 0));
    assert_eq!(
        booked(&statements),
        [
            vec!["credit in_transit:connect 100 USDC", "debit customer:CUST01 100 USDC"],
            vec![],
            vec!["credit provider:connect 100 USDC", "debit in_transit:connect 100 USDC"],
        ]
    );
    for name in ["failed", "abandoned"] {
        let statements = [of_100("initiated", 0), of_100(name, 10)];
        let expected = ["debit in_transit:connect 100 USDC", "credit customer:CUST01 100 USDC"];
        assert_eq!(booked(&statements)[1], expected, "{name}");
    }
    let returned = [of_100("confirmed", 0), of_100("returned", 10)];
    assert_eq!(booked(&returned)[1], ["debit provider:connect 100 USDC", "credit customer:CUST01 100 USDC"]);
}

#[test]
fn a_conflict_keeps_the_money_from_the_customer() {
    let statements = [of_100("confirmed", 0), of_100("failed", 10)];
    assert_eq!(in_the_end(&statements), ["debit customer:CUST01 100 USDC", "credit held:connect 100 USDC"]);
}

#[test]
fn the_networks_fee_is_a_part_of_the_total_or_a_resource_of_its_own() {
    let fee = ResourceId::new(Kind::Fee, Provider::Connect, "1:network").expect("an id");
    let with_fee = |change: fn(&mut TransferDetails)| with(of_100("confirmed", 0), change);
    let of_total = with_fee(|details| {
        (details.quantity, details.total) = (None, Some(quantity("100")));
        details.fee = Some(in_its_asset(quantity(".001")));
    });
    let of_sum = with_fee(|details| {
        details.quantity = Some(quantity("99.999"));
        details.fee = Some(in_its_asset(quantity(".001")));
    });
    for statement in [of_total, of_sum] {
        assert_eq!(
            in_the_end(&[statement]),
            ["credit provider:connect 99.999 USDC", "debit customer:CUST01 100 USDC", "credit fees:connect 0.001 USDC"]
        );
    }
    let asked = with_fee(|details| {
        (details.quantity, details.total) = (Some(quantity("197.25")), Some(quantity("200")));
    });
    assert_eq!(
        in_the_end(&[asked]),
        ["credit provider:connect 197.25 USDC", "debit customer:CUST01 200 USDC", "credit fees:connect 2.75 USDC"]
    );
    let in_gas = with_fee(|details| {
        details.fee = Some(FeeQuantity { quantity: quantity(".001"), asset: Some("ETH".to_owned()), network: None });
    });
    assert_eq!(
        in_the_end(&[in_gas]),
        [
            "debit customer:CUST01 0.001 ETH",
            "credit fees:connect 0.001 ETH",
            "credit provider:connect 100 USDC",
            "debit customer:CUST01 100 USDC",
        ]
    );
    let booked_elsewhere = with(of_100("confirmed", 0), |details| {
        details.fee = Some(in_its_asset(quantity(".001")));
        details.related = BTreeSet::from([fee]);
    });
    assert_eq!(in_the_end(&[booked_elsewhere]), ["credit provider:connect 100 USDC", "debit customer:CUST01 100 USDC"]);
}

#[test]
fn what_the_provider_did_not_give_back_is_held() {
    let failed = |refunded: &str| {
        let refunded = quantity(refunded);
        [of_100("initiated", 0), with(of_100("failed", 10), |details| details.refunded = Some(refunded))]
    };
    assert_eq!(in_the_end(&failed("100")), [""; 0]);
    assert_eq!(in_the_end(&failed("101")), [""; 0], "no more is given back than was taken");
    assert_eq!(in_the_end(&failed("98")), ["debit customer:CUST01 2 USDC", "credit held:connect 2 USDC"]);
}

#[test]
fn a_payment_books_by_its_purpose() {
    let of = |purpose, name: &str| in_the_end(&[with(of_100(name, 0), |details| details.purpose = purpose)]);
    for (purpose, under_way, confirmed) in [
        (
            Some(Purpose::Return),
            vec!["credit in_transit:connect 100 USDC", "debit returns:connect 100 USDC"],
            vec!["credit provider:connect 100 USDC", "debit returns:connect 100 USDC"],
        ),
        (
            Some(Purpose::BankCredit),
            vec!["credit in_transit:connect 100 USDC", "debit customer:CUST01 100 USDC"],
            vec!["credit provider:connect 100 USDC", "debit customer:CUST01 100 USDC"],
        ),
        (Some(Purpose::BankDebit), vec![], vec!["debit provider:connect 100 USDC", "credit customer:CUST01 100 USDC"]),
        (Some(Purpose::BankTransfer), vec![], vec![]),
    ] {
        assert_eq!(of(purpose, "submitted"), under_way, "{purpose:?}");
        assert_eq!(of(purpose, "confirmed"), confirmed, "{purpose:?}");
    }
    let pulled = ["confirmed", "returned"]
        .map(|name| with(of_100(name, 0), |details| details.purpose = Some(Purpose::BankDebit)));
    assert_eq!(in_the_end(&pulled), [""; 0], "the bank took it back");
    let nobodys = with(of_100("confirmed", 0), |details| details.account = None);
    assert_eq!(in_the_end(&[nobodys]), ["credit provider:connect 100 USDC", "debit held:connect 100 USDC"]);
}

#[test]
fn what_one_webhook_leaves_open_another_one_says() {
    let of = |name, purpose| with(of_100(name, 0), |details| details.purpose = Some(purpose));
    let statements = [of("submitted", Purpose::BankDebit), of("confirmed", Purpose::BankTransfer)];
    for order in [[0, 1], [1, 0]] {
        let booked = in_the_end(&order.map(|at| statements[at].clone()));
        assert_eq!(booked, ["debit provider:connect 100 USDC", "credit customer:CUST01 100 USDC"]);
    }
}

#[test]
fn a_second_name_gives_back_what_it_booked() {
    fn id(native: &str) -> ResourceId {
        ResourceId::new(Kind::Withdrawal, Provider::Zerohash, native).expect("an id")
    }
    let of = |native, name: &str, names: &[&str]| {
        let mut statement = with(of_100(name, 0), |details| {
            details.names = names.iter().map(|native| id(native)).collect();
        });
        statement.resource = id(native);
        NewFact::from(statement)
    };
    let mut stored = Stored::default();
    let mut published = Vec::new();
    for fact in [
        of("request", "submitted", &[]),
        of("payment", "broadcast", &[]),
        of("payment", "confirmed", &["payment", "request"]),
    ] {
        for written in stored.record(&[fact]).expect("an owner").into_iter().flat_map(|write| write.resources) {
            published.extend(events_after(&written.item, written.read_version));
        }
    }
    let request = published.iter().rfind(|event| event.data.resource == id("request")).expect("an event");
    assert_eq!(request.event_type, "fundhook.withdrawal.duplicate");
    assert_eq!(
        lines(&request.data.postings),
        ["debit in_transit:zerohash 100 USDC", "credit customer:CUST01 100 USDC"]
    );
    for native in ["request", "payment"] {
        let resource: &Resource = stored.resource(&id(native)).expect("it is stored");
        let of_it = published.iter().filter(|event| event.data.resource == id(native));
        crate::support::books::assert_booked(resource, of_it);
    }
}

/// A fee of 1 POL in this status.
fn fee(name: &str, change: impl FnOnce(&mut TransferDetails)) -> Statement {
    with(statement(status(Kind::Fee, name), 0), |details| {
        details.quantity = Some(quantity("1"));
        details.asset = Some("POL".to_owned());
        details.account = Some("CUST01".to_owned());
        change(details);
    })
}

#[test]
fn a_fee_is_taken_from_the_customer_and_its_refund_gives_it_back() {
    let charged = fee("charged", |details| details.side = Some(Side::Debit));
    let refunded = |value: &'static str| {
        fee("refunded", |details| {
            (details.quantity, details.refunded) = (None, Some(quantity(value)));
            details.side = Some(Side::Credit);
        })
    };
    let booked_fee = ["debit customer:CUST01 1 POL", "credit fees:connect 1 POL"];
    assert_eq!(booked(&[charged.clone(), refunded("1")])[0], booked_fee);
    assert_eq!(in_the_end(&[charged.clone(), refunded("1")]), [""; 0]);
    assert_eq!(
        in_the_end(&[charged, refunded("0.75")]),
        ["debit customer:CUST01 0.25 POL", "credit fees:connect 0.25 POL"],
        "a part is given back"
    );
    assert_eq!(in_the_end(&[refunded("1")]), [""; 0], "nothing is given back that was not taken");
    let received = fee("charged", |details| details.side = Some(Side::Credit));
    assert_eq!(in_the_end(&[received]), [""; 0], "the account that pays books the fee");
}

#[test]
fn an_exchange_gives_nothing_before_both_sides_are_known() {
    let amount = |value, asset: &str| Some(Amount::of(quantity(value), Some(asset.to_owned()), None));
    let exchange = |name: &str, sold: Option<Amount>, bought: Option<Amount>| {
        let mut statement = statement(status(Kind::Exchange, name), 0);
        let details = TransferDetails { account: Some("CUST01".to_owned()), ..TransferDetails::default() };
        statement.content.details = Details::Transfer(Box::new(details));
        with(statement, |details| (details.exchange.sold, details.exchange.bought) = (sold, bought))
    };
    let (sold, bought) = (amount("1", "ETH"), amount("2400", "USDC"));
    let pending = exchange("pending", sold.clone(), None);
    let confirmed = exchange("confirmed", None, bought.clone());
    assert_eq!(
        booked(std::slice::from_ref(&pending))[0],
        ["credit in_transit:connect 1 ETH", "debit customer:CUST01 1 ETH"]
    );
    assert_eq!(
        in_the_end(&[pending.clone(), confirmed.clone()]),
        [
            "debit customer:CUST01 1 ETH",
            "credit conversion:connect 1 ETH",
            "credit customer:CUST01 2400 USDC",
            "debit conversion:connect 2400 USDC",
        ]
    );
    assert_eq!(in_the_end(&[confirmed]), ["credit held:connect 2400 USDC", "debit conversion:connect 2400 USDC"]);
    let refunded =
        |value| with(exchange("refunded", None, None), |details| details.exchange.refunded = amount(value, "ETH"));
    assert_eq!(in_the_end(&[pending.clone(), refunded("1")]), [""; 0]);
    let kept = ["debit customer:CUST01 0.25 ETH", "credit held:connect 0.25 ETH"];
    assert_eq!(in_the_end(&[pending.clone(), refunded("0.75")]), kept, "what did not come back");
    let in_another = with(exchange("refunded", None, None), |details| details.exchange.refunded = amount("23", "POL"));
    let whole = ["debit customer:CUST01 1 ETH", "credit held:connect 1 ETH"];
    assert_eq!(in_the_end(&[pending.clone(), in_another]), whole, "another asset came back");
    let twice =
        [exchange("confirmed", sold.clone(), bought.clone()), exchange("confirmed", None, amount("2500", "USDC"))];
    assert_eq!(in_the_end(&one_after_another(twice.to_vec())), whole, "two amounts were bought");
    let both = [pending, exchange("confirmed", sold, bought), refunded("0.75")];
    let held = ["debit customer:CUST01 1 ETH", "credit held:connect 1 ETH"];
    assert_eq!(in_the_end(&both), held, "while its statements conflict, the customer has neither");
}

#[test]
fn what_is_stated_differently_conflicts_and_is_held() {
    let total = |value: &str| {
        let total = Some(quantity(value));
        with(of_100("confirmed", 0), |details| (details.quantity, details.total) = (None, total))
    };
    let bank = |purpose| with(of_100("confirmed", 0), |details| details.purpose = Some(purpose));
    let in_asset = |name: &str, asset: &str| with(of_100(name, 0), |details| details.asset = Some(asset.to_owned()));
    let charged = |value: &str| fee("charged", |details| details.quantity = Some(quantity(value)));
    let refunded = |value: &str, asset: &str| {
        fee("refunded", |details| {
            (details.quantity, details.refunded) = (None, Some(quantity(value)));
            details.asset = Some(asset.to_owned());
        })
    };
    for (what, statements) in [
        ("totals", vec![total("100"), total("200")]),
        ("purposes", vec![bank(Purpose::BankDebit), bank(Purpose::BankCredit)]),
        ("assets", vec![in_asset("submitted", "USDT"), in_asset("confirmed", "USDC")]),
        ("assets under way", vec![in_asset("initiated", "USDT"), in_asset("submitted", "USDC")]),
        ("fees", vec![charged("1"), charged("2")]),
        ("refunds", vec![charged("1"), refunded("0.3", "POL"), refunded("0.7", "POL")]),
        ("the refund's asset", vec![charged("1"), refunded("0.6", "BTC")]),
    ] {
        let statements = one_after_another(statements);
        let view = folded(&statements).view().expect("a view");
        assert!(view.conflict.is_some(), "{what}");
        let booked = in_the_end(&statements);
        assert_eq!(booked.len(), 2, "{what}: {booked:?}");
        assert!(booked.iter().any(|line| line.starts_with("credit held:connect")), "{what}: {booked:?}");
    }
    assert_eq!(
        in_the_end(&[charged("1"), refunded("0.6", "BTC")]),
        ["debit customer:CUST01 1 POL", "credit held:connect 1 POL"],
        "amounts in two assets are not subtracted"
    );
    for (what, statements) in [
        ("a spelling", vec![in_asset("submitted", "usdc.base"), in_asset("confirmed", "USDC")]),
        ("a total of zero", vec![total("100"), total("0")]),
        ("a bank payment without a direction", vec![bank(Purpose::BankCredit), bank(Purpose::BankTransfer)]),
    ] {
        let statements = one_after_another(statements);
        assert_eq!(folded(&statements).view().expect("a view").conflict, None, "{what}");
        let expected = ["credit provider:connect 100 USDC", "debit customer:CUST01 100 USDC"];
        assert_eq!(in_the_end(&statements), expected, "{what}");
    }
}

#[test]
fn kinds_that_move_no_money_book_nothing() {
    for kind in [Kind::Participant, Kind::ExternalAccount, Kind::Balance, Kind::Recovery, Kind::Unrecognized] {
        let name = fundhook_domain::Status::ALL.into_iter().find(|status| status.kind() == kind).expect("a status");
        let event = events(&[crate::support::whole::whole(name, 0)]).remove(0);
        assert_eq!((event.data.resource, event.data.postings), (resource(kind), Vec::new()), "{kind}");
    }
}
