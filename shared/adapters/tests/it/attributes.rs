//! The attributes of a resource besides its facts, which indexes and queries use.

use fundhook_adapters::WriteMethod;
use fundhook_domain::{
    Backfill, DepositStatus, Details, Kind, Outflow, PaymentStep, Provider, Quantity, RecoveryDetails, RecoveryKey,
    Resource, ResourceId, ReturnPayment, Statement, Status, UnexpectedDeposit, WebhookFamily, WithdrawalStatus,
};
use fundhook_ports::{Write, WriteOutcome};

use crate::support::{
    at, deposit, first_write, id_of, only, statement, table, text, whole_life, with, write, write_one,
};

async fn a_resource_is_in_the_open_index_by_the_time_of_its_status_until_it_is_final(writes: WriteMethod) {
    let (local, table) = table(writes).await;
    let (young, old) = (deposit("young"), deposit("old"));
    let mut resources =
        [(&young, 50), (&old, 20)].map(|(id, seconds)| first_write(statement(id, "pending", seconds, "a")));
    for write in &resources {
        assert!(matches!(write_one(&table, write.clone()).await, WriteOutcome::Written));
    }
    let keys = |ids: &[&ResourceId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(local.keys_in("open", "deposit").await, keys(&[&old, &young]), "the oldest first");
    let item = local.item(&old.to_string()).await.expect("the item");
    assert_eq!((text(&item, "open"), text(&item, "open_since")), (Some("deposit"), Some(at(20).sortable().as_str())));

    // A repeated or late statement does not change the time; a later status does.
    for (name, seconds, order) in
        [("pending", 60, [&old, &young]), ("held", 70, [&young, &old]), ("submitted", 80, [&young, &old])]
    {
        resources[1] = write(only(&resources[1]), statement(&old, name, seconds, "b"));
        assert!(matches!(write_one(&table, resources[1].clone()).await, WriteOutcome::Written));
        assert_eq!(local.keys_in("open", "deposit").await, keys(&order), "{name}");
    }
    let item = local.item(&old.to_string()).await.expect("the item");
    assert_eq!(text(&item, "open_since"), Some(at(70).sortable().as_str()));

    resources[1] = write(only(&resources[1]), statement(&old, "confirmed", 90, "c"));
    assert!(matches!(write_one(&table, resources[1].clone()).await, WriteOutcome::Written));
    assert_eq!(local.keys_in("open", "deposit").await, keys(&[&young]));
    let item = local.item(&old.to_string()).await.expect("the item");
    assert_eq!((item.get("open"), item.get("open_since")), (None, None));
    assert_eq!(item.get("final").and_then(|value| value.as_bool().ok()), Some(&true));

    // A late fact does not bring it back, and a resource whose first status is final was never open.
    resources[1] = write(only(&resources[1]), statement(&old, "submitted", 30, "d"));
    assert!(matches!(write_one(&table, resources[1].clone()).await, WriteOutcome::Written));
    let ended = first_write(statement(&deposit("ended"), "failed", 0, "a"));
    assert!(matches!(write_one(&table, ended).await, WriteOutcome::Written));
    assert_eq!(local.keys_in("open", "deposit").await, keys(&[&young]));
}

async fn a_resource_is_found_by_account_reference_and_transaction_once_they_are_known(writes: WriteMethod) {
    let (local, table) = table(writes).await;
    let id = deposit("found");
    let silent = first_write(statement(&id, "pending", 0, "a"));
    assert!(matches!(write_one(&table, silent.clone()).await, WriteOutcome::Written));
    let indexes = [("by-account", "abc123"), ("by-reference", "order-1"), ("by-transaction", "c9d43618")];
    for (index, value) in indexes {
        assert!(local.keys_in(index, value).await.is_empty(), "{index} has an unknown value");
    }
    let told = with(statement(&id, "submitted", 10, "b"), |details| {
        details.account = Some("abc123".to_owned());
        details.reference_id = Some("order-1".to_owned());
        details.transaction.hash = Some("0xc9d43618".to_owned());
    });
    let told = write(only(&silent), told);
    assert!(matches!(write_one(&table, told.clone()).await, WriteOutcome::Written));
    let silent_again = write(only(&told), statement(&id, "confirmed", 20, "c"));
    assert!(matches!(write_one(&table, silent_again).await, WriteOutcome::Written));
    for (index, value) in indexes {
        assert_eq!(local.keys_in(index, value).await, [id.to_string()], "{index}");
    }
}

async fn what_a_new_reading_no_longer_states_is_not_found_either(writes: WriteMethod) {
    let (local, table) = table(writes).await;
    let id = deposit("misread");
    let misread = with(statement(&id, "confirmed", 0, "a"), |details| {
        details.account = Some("abc123".to_owned());
        details.reference_id = Some("order-1".to_owned());
        details.transaction.hash = Some("0xc9d43618".to_owned());
    });
    let mut corrected = statement(&id, "confirmed", 0, "a");
    corrected.content.status = None;
    corrected.content.reading.revision += 1;
    let first = first_write(misread);
    let second = write(only(&first), corrected);
    for write in [first, second.clone()] {
        assert!(matches!(write_one(&table, write).await, WriteOutcome::Written));
    }
    let item = local.item(&id.to_string()).await.expect("the item");
    assert_eq!(only(&second).view().expect("a view").status, None);
    for name in ["status", "account", "reference_id", "tx", "settled", "settled_at"] {
        assert_eq!(item.get(name), None, "{name}");
    }
    for (index, value) in [("by-account", "abc123"), ("by-reference", "order-1"), ("by-transaction", "c9d43618")] {
        assert!(local.keys_in(index, value).await.is_empty(), "{index} has a value that was misread");
    }
    assert_eq!(local.keys_in("open", "deposit").await, [id.to_string()], "it is awaited again");
}

async fn queryable_values_are_attributes_of_their_own(writes: WriteMethod) {
    let (local, table) = table(writes).await;
    let resource = whole_life();
    let outcome = write_one(&table, Write::of(resource.clone(), 0)).await;
    assert!(matches!(outcome, WriteOutcome::Written), "{outcome:?}");
    let item = local.item(&resource.id().to_string()).await.expect("the item");
    let mut names: Vec<&str> = item.keys().map(String::as_str).collect();
    names.sort_unstable();
    let expected = [
        "account",
        "facts",
        "final",
        "kind",
        "open",
        "open_since",
        "pk",
        "reference_id",
        "status",
        "tx",
        "updated_at",
        "version",
    ];
    assert_eq!(names, expected);
    assert_eq!(text(&item, "open"), Some("deposit.review"), "its statements conflict");
    assert_eq!(text(&item, "kind"), Some(Kind::Deposit.as_str()));
    assert_eq!(text(&item, "status"), Some("failed"));
    assert_eq!(text(&item, "updated_at"), Some(at(0).sortable().as_str()));
    assert_eq!(item["version"].as_n().expect("a number"), "4");
}

async fn only_resources_that_await_a_status_are_open(writes: WriteMethod) {
    let (local, table) = table(writes).await;
    for status in Status::ALL {
        let kind = status.kind();
        let first = first_write(statement(&id_of(kind, Provider::Zerohash, status.as_str()), status.as_str(), 0, "a"));
        let id = only(&first).id().clone();
        // Inserted, and then updated.
        let second = write(only(&first), statement(&id, status.as_str(), 10, "b"));
        for write in [first, second] {
            assert!(matches!(write_one(&table, write).await, WriteOutcome::Written));
            let item = local.item(&id.to_string()).await.expect("the item");
            let has_no_end = match kind {
                Kind::Participant | Kind::ExternalAccount | Kind::Balance => true,
                Kind::Deposit | Kind::Withdrawal | Kind::Fee | Kind::Exchange | Kind::Recovery | Kind::Unrecognized => {
                    false
                }
            };
            let is_left = status == Status::Deposit(DepositStatus::Abandoned);
            let is_open = !status.is_final() && !has_no_end && !is_left;
            let expected = is_open.then_some((kind.as_str(), at(0).sortable()));
            let found = text(&item, "open").zip(text(&item, "open_since").map(str::to_owned));
            assert_eq!(found, expected, "{id}");
            assert_eq!(item.contains_key("open_since"), is_open, "{id}");
        }
    }
    for kind in [Kind::Participant, Kind::ExternalAccount, Kind::Balance, Kind::Fee, Kind::Unrecognized] {
        assert!(local.keys_in("open", kind.as_str()).await.is_empty(), "{kind}");
    }
}

async fn what_a_backfill_only_recorded_is_open_after_its_first_webhook(writes: WriteMethod) {
    let (local, table) = table(writes).await;
    let id = id_of(Kind::Deposit, Provider::Connect, "old");
    let mut old = statement(&id, "submitted", 0, "a");
    old.content.evidence.backfilled = Some(Backfill::RecordedOnly);
    let first = first_write(old);
    let second = write(only(&first), statement(&id, "submitted", 10, "b"));
    for (write, is_open) in [(first, false), (second, true)] {
        assert!(matches!(write_one(&table, write).await, WriteOutcome::Written));
        let item = local.item(&id.to_string()).await.expect("the item");
        assert_eq!(text(&item, "open"), is_open.then_some("deposit"));
    }
}

fn recovery_key() -> RecoveryKey {
    RecoveryKey::new("CUST01", "USDC", None).expect("an asset")
}

/// A statement about a recovery of 100 USDC at this time.
fn recovery(status: &str, seconds: i64, details: RecoveryDetails) -> Statement {
    let id = RecoveryKey::resource(&Provider::Zerohash.into(), "CUST01:USDC").expect("a valid id");
    let mut statement = statement(&id, status, seconds, &seconds.to_string());
    statement.content.details = Details::Recovery(Box::new(details));
    statement
}

async fn a_recovery_is_open_again_when_more_must_be_returned(writes: WriteMethod) {
    let (local, table) = table(writes).await;
    let came = |native: &str, seconds| {
        let came = UnexpectedDeposit {
            value: "100".parse().expect("a decimal"),
            transaction: native.to_owned(),
            network: None,
            family: WebhookFamily::ZerohashDepositStatus,
            occurred_at: Some(at(seconds)),
        };
        let id = id_of(Kind::Deposit, Provider::Zerohash, native);
        recovery("required", seconds, RecoveryDetails::of_deposit(recovery_key(), id, came))
    };
    let went = {
        let outflow = Outflow { total: "100".parse().ok().map(Quantity::major), ..Outflow::default() };
        let step =
            PaymentStep { status: WithdrawalStatus::Confirmed, occurred_at: Some(at(10)), created_at: None, outflow };
        let went = ReturnPayment { steps: [step].into(), ..ReturnPayment::default() };
        let id = id_of(Kind::Withdrawal, Provider::Zerohash, "b752503c");
        recovery("resolved", 10, RecoveryDetails::of_payment(recovery_key(), id, went))
    };
    let mut resource = Resource::unknown(went.resource.clone());
    for (said, is_open) in [(came("a", 0), true), (went, false), (came("b", 20), true)] {
        let next = write(&resource, said);
        assert!(matches!(write_one(&table, next.clone()).await, WriteOutcome::Written));
        let expected = if is_open { vec![only(&next).id().to_string()] } else { vec![] };
        assert_eq!(local.keys_in("open", "recovery").await, expected);
        resource = only(&next).clone();
    }
}

crate::support::by_statements_and_by_puts! {
    a_resource_is_in_the_open_index_by_the_time_of_its_status_until_it_is_final,
    only_resources_that_await_a_status_are_open,
    what_a_backfill_only_recorded_is_open_after_its_first_webhook,
    a_recovery_is_open_again_when_more_must_be_returned,
    a_resource_is_found_by_account_reference_and_transaction_once_they_are_known,
    what_a_new_reading_no_longer_states_is_not_found_either,
    queryable_values_are_attributes_of_their_own,
}
