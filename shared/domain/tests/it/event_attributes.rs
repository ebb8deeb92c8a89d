//! The message attributes, which a subscription's filter policy selects events by.

use fundhook_domain::{Event, Kind, Network, Provider, ResourceId, Statement, Status, events_after};
use serde_json::{Value, json};

use crate::support::whole::{every_sort, whole};
use crate::support::{deposit, duplicate_of, folded, latest, statement_in, status, unrecognized, whole_deposit, with};

fn without_status(mut statement: Statement) -> Statement {
    statement.content.status = None;
    statement
}

fn confirmed() -> Statement {
    with(deposit("confirmed", 40), whole_deposit)
}

#[test]
fn the_attributes_have_the_documented_names_and_are_those_that_are_known() {
    let amoy = with(confirmed(), |details| {
        details.network = Some(Network::named("Polygon Testnet Amoy"));
        details.reference_id = Some("order-1".to_owned());
    });
    for (statements, expected) in [
        (
            vec![amoy],
            vec![
                ("type", "fundhook.deposit.confirmed"),
                ("kind", "deposit"),
                ("provider", "connect"),
                ("status", "confirmed"),
                ("asset", "BTC"),
                ("network", "polygon-amoy"),
                ("account", "abc123"),
                ("reference_id", "order-1"),
            ],
        ),
        (
            vec![confirmed(), deposit("submitted", 10)],
            vec![
                ("type", "fundhook.deposit.updated"),
                ("kind", "deposit"),
                ("provider", "connect"),
                ("status", "confirmed"),
                ("asset", "BTC"),
                ("network", "bitcoin"),
                ("account", "abc123"),
            ],
        ),
        (
            vec![deposit("pending", 0)],
            vec![
                ("type", "fundhook.deposit.pending"),
                ("kind", "deposit"),
                ("provider", "connect"),
                ("status", "pending"),
            ],
        ),
        // No webhook has reported a status.
        (
            vec![without_status(deposit("pending", 0))],
            vec![("type", "fundhook.deposit.updated"), ("kind", "deposit"), ("provider", "connect")],
        ),
        (
            vec![whole(status(Kind::Exchange, "pending"), 0)],
            vec![
                ("type", "fundhook.exchange.pending"),
                ("kind", "exchange"),
                ("provider", "connect"),
                ("status", "pending"),
                ("asset", "ETH"),
                ("network", "ethereum"),
                ("account", "CUST01"),
                ("reference_id", "order-1"),
            ],
        ),
        (
            vec![whole(status(Kind::Recovery, "in_progress"), 0)],
            vec![
                ("type", "fundhook.recovery.in_progress"),
                ("kind", "recovery"),
                ("provider", "connect"),
                ("status", "in_progress"),
                ("asset", "USDC"),
                ("network", "base"),
                ("account", "CUST01"),
            ],
        ),
        (
            vec![whole(Status::Balance, 0)],
            vec![
                ("type", "fundhook.balance.changed"),
                ("kind", "balance"),
                ("provider", "connect"),
                ("status", "changed"),
                ("asset", "USDC"),
                ("network", "base"),
                ("account", "CUST01"),
            ],
        ),
        (
            vec![whole(status(Kind::ExternalAccount, "approved"), 0)],
            vec![
                ("type", "fundhook.external_account.approved"),
                ("kind", "external_account"),
                ("provider", "connect"),
                ("status", "approved"),
                ("account", "CUST01"),
            ],
        ),
        (
            vec![unrecognized()],
            vec![
                ("type", "fundhook.unrecognized.seen"),
                ("kind", "unrecognized"),
                ("provider", "connect"),
                ("status", "seen"),
            ],
        ),
    ] {
        assert_eq!(latest(&statements).attributes(), expected);
    }
}

#[test]
fn a_policy_for_confirmed_deposits_never_selects_one_that_must_not_be_credited() {
    let status_of = |event: &Event| {
        let attributes = event.attributes();
        attributes.into_iter().find(|(name, _)| *name == "status").map(|(_, value)| value.to_owned())
    };
    let late = deposit("submitted", 10);
    for statements in [vec![confirmed(), deposit("failed", 50)], vec![confirmed(), deposit("failed", 30), late.clone()]]
    {
        let event = latest(&statements);
        assert_eq!(status_of(&event).as_deref(), Some("conflicting"), "{}", event.event_type);
    }
    let owner = ResourceId::new(Kind::Deposit, Provider::Zerohash, "fund-1").expect("an id");
    let duplicate = duplicate_of(&owner, &[confirmed(), late]);
    for event in events_after(&duplicate, 0) {
        assert_eq!(status_of(&event).as_deref(), Some("duplicate"), "{}", event.event_type);
        assert_eq!(event.data.status, Some("confirmed"));
    }
    let owned = folded(&[confirmed()]);
    assert_eq!(status_of(&events_after(&owned, 0)[0]).as_deref(), Some("confirmed"));
}

#[test]
fn asset_and_network_are_attributes_with_and_without_an_amount() {
    let announced = with(deposit("pending", 0), |details| {
        whole_deposit(details);
        details.quantity = None;
    });
    let before = latest(std::slice::from_ref(&announced));
    let after = latest(&[announced, confirmed()]);
    for event in [&before, &after] {
        let attributes = event.attributes();
        assert!(attributes.contains(&("asset", "BTC")) && attributes.contains(&("network", "bitcoin")));
    }
    let data = |event: &Event| serde_json::to_value(&event.data).expect("JSON");
    let (before, after) = (data(&before), data(&after));
    assert_eq!(
        (&before["amount"], &before["asset"], &before["network"]["slug"]),
        (&Value::Null, &json!("BTC"), &json!("bitcoin"))
    );
    assert_eq!(
        (&after["amount"]["asset"], &after["asset"], &after["network"]),
        (&json!("BTC"), &Value::Null, &Value::Null)
    );
}

#[test]
fn an_event_of_a_tenant_names_it_and_no_event_has_more_than_nine_attributes() {
    let attributes: Vec<_> = every_sort().iter().map(|event| event.attributes().len()).collect();
    // With raw delivery to SQS, SNS drops a message that has more than ten.
    assert_eq!(attributes.into_iter().max(), Some(9));

    let event = every_sort().into_iter().find(|event| event.data.tenant.is_some()).expect("an event of a tenant");
    assert!(event.attributes().contains(&("tenant", "acme")), "{:?}", event.attributes());
    let json = serde_json::to_value(&event).expect("JSON");
    assert_eq!((&json["source"], &json["data"]["tenant"]), (&json!("/fundhook/striga/acme"), &json!("acme")));
}

#[test]
fn no_attribute_is_empty_whatever_a_network_is_called() {
    // SNS rejects a message with an empty attribute every time.
    for name in ["!!!", "", "-", "网络", "Some New  Chain!"] {
        let event = latest(&[with(confirmed(), |details| details.network = Some(Network::named(name)))]);
        assert!(event.attributes().iter().all(|(_, value)| !value.is_empty()), "{:?}", event.attributes());
    }
}

#[test]
fn every_kind_of_resource_has_event_types() {
    for kind in Kind::ALL {
        let statuses: Vec<Status> = Status::ALL.into_iter().filter(|status| status.kind() == kind).collect();
        assert!(!statuses.is_empty(), "{kind} has statuses");
        // What follows from other resources is stated by no webhook.
        let suspended = crate::support::status(Kind::Recovery, "suspended");
        for status in statuses.into_iter().filter(|status| *status != suspended) {
            let event = latest(&[statement_in("a body", status, 0)]);
            assert_eq!(event.event_type, format!("fundhook.{kind}.{status}"));
            assert_eq!(event.data.is_final, status.is_final());
        }
    }
}
