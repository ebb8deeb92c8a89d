//! A recovery is a sum: what arrived unexpectedly, each coin once, minus what was returned and settled
//! (docs/internals/decisions/recovery-is-a-sum.md).

use fundhook_domain::{
    Feed, Network, Provider, RecoveryKey, RecoveryStatus, Statement, Status, Tenant, WebhookFamily, WithdrawalStatus,
};
use serde_json::json;

use crate::support::orders::every_order_has_the_same_result;
use crate::support::recovery::{
    ACCOUNT, HASH, announced, announcements, body, deposit_id, paid, payment_id, payments, sum,
};
use crate::support::{at, events, latest, types, view};

/// The status after `statements`, and what is outstanding, expected, in transit and returned.
fn sums<'a>(statements: impl IntoIterator<Item = &'a Statement>) -> (Status, [String; 4]) {
    let view = view(statements);
    let sum = sum(&view);
    let numbers = [sum.outstanding(), sum.expected(), sum.moving(), sum.returned()];
    (view.status.expect("a recovery has a status"), numbers.map(|number| number.to_string()))
}

fn expected(status: RecoveryStatus, numbers: [&str; 4]) -> (Status, [String; 4]) {
    (Status::Recovery(status), numbers.map(str::to_owned))
}

fn coin(native: &str, value: &str, seconds: u64) -> Statement {
    announced(WebhookFamily::ZerohashDepositStatus, native, native, value, seconds)
}

#[test]
fn every_order_of_six_statements_about_one_coin_has_one_view_and_one_set_of_event_ids() {
    let statements = [announcements(), payments()].concat();
    let dates: Vec<_> = statements[3..].iter().map(|statement| statement.content.occurred_at).collect();
    assert_eq!(dates, [at(60); 3], "the payments have one date");

    let whole = every_order_has_the_same_result(&statements, 6);
    let view = whole.view.expect("a view");
    assert_eq!(view.status, Some(Status::Recovery(RecoveryStatus::Resolved)));
    assert_eq!(sums(&statements), expected(RecoveryStatus::Resolved, ["0", "100", "0", "100"]));
    assert_eq!((sum(&view).deposits.len(), sum(&view).payments.len()), (3, 1));
    assert_eq!(view.conflict, None);
}

#[test]
fn a_coin_counts_once_whichever_families_report_it() {
    for chosen in 1..8_u8 {
        let all = announcements().into_iter().enumerate();
        let some: Vec<_> = all.filter(|(at, _)| chosen & (1 << at) != 0).map(|(_, statement)| statement).collect();
        assert_eq!(sums(&some), expected(RecoveryStatus::Required, ["100", "100", "0", "0"]), "{chosen:#b}");
    }
}

#[test]
fn a_coin_is_the_same_in_every_spelling_of_its_hash_and_another_in_another_transaction() {
    let same = [HASH.to_owned(), format!("{HASH}-0"), format!("0x{HASH}"), HASH.to_uppercase(), format!("0X{HASH}-12")];
    for spelling in same {
        let statements =
            [announcements().remove(1), announced(WebhookFamily::ZerohashDepositStatus, "other", &spelling, "100", 5)];
        assert_eq!(sums(&statements).1[1], "100", "{spelling}");
    }
    let base58 = "FLaUcxdNxRwnaSXp6pXeRSfANXEHouqYbqF6X1bgRxg2";
    for (one, other) in [(HASH, "b07407e8"), (base58, &base58.to_lowercase())] {
        let statements = [
            announced(WebhookFamily::ConnectDeposits, "1", one, "100", 0),
            announced(WebhookFamily::ZerohashDepositStatus, "2", other, "100", 0),
        ];
        assert_eq!(sums(&statements).1[1], "200", "{other}");
    }
}

#[test]
fn two_deposits_in_one_transaction_by_one_family_are_two_coins() {
    let by = |stream, native, value| announced(stream, native, HASH, value, 0);
    let two =
        [by(WebhookFamily::ZerohashDepositStatus, "1", "60"), by(WebhookFamily::ZerohashDepositStatus, "2", "40")];
    assert_eq!(sums(&two), expected(RecoveryStatus::Required, ["100", "100", "0", "0"]));

    // Another family that reports the same two deposits adds nothing, nor does one that has reported only one of them.
    let behind = by(WebhookFamily::ConnectDeposits, "3", "60");
    let caught_up = by(WebhookFamily::ConnectDeposits, "4", "40");
    assert_eq!(sums([&two[0], &two[1], &behind]).1[1], "100");
    assert_eq!(sums([&behind, &caught_up, &two[1]]).1[1], "100", "whichever family lags behind");
    assert_eq!(sums([&two[0], &two[1], &behind, &caught_up]).1[1], "100");
}

#[test]
fn only_a_payment_that_is_final_on_chain_returns_money() {
    for (status, expected) in [
        (WithdrawalStatus::Initiated, expected(RecoveryStatus::InProgress, ["100", "100", "100", "0"])),
        (WithdrawalStatus::Submitted, expected(RecoveryStatus::InProgress, ["100", "100", "100", "0"])),
        // The provider's `posted`: in transit, and not returned.
        (WithdrawalStatus::Broadcast, expected(RecoveryStatus::InProgress, ["100", "100", "100", "0"])),
        (WithdrawalStatus::Confirmed, expected(RecoveryStatus::Resolved, ["0", "100", "0", "100"])),
        (WithdrawalStatus::Failed, expected(RecoveryStatus::Required, ["100", "100", "0", "0"])),
        (WithdrawalStatus::Abandoned, expected(RecoveryStatus::Required, ["100", "100", "0", "0"])),
        // Paid and sent back: the money is to be returned still.
        (WithdrawalStatus::Returned, expected(RecoveryStatus::Required, ["100", "100", "0", "0"])),
    ] {
        let statements = [coin("a", "100", 0), paid("p", status, Some("100"), 60)];
        assert_eq!(sums(&statements), expected, "{status:?}");
    }
    // A recovery is not resolved while a payment is in transit, even when nothing is outstanding.
    let settled = [coin("a", "100", 0), paid("p", WithdrawalStatus::Confirmed, Some("100"), 60)];
    let posted = paid("q", WithdrawalStatus::Broadcast, Some("1"), 60);
    let moving = expected(RecoveryStatus::InProgress, ["0", "100", "1", "100"]);
    assert_eq!(sums([&settled[0], &settled[1], &posted]), moving);
}

#[test]
fn each_step_of_a_return_is_published() {
    let statements = [announcements().remove(0), payments().remove(0), payments().remove(1), payments().remove(2)];
    let events = events(&statements);
    assert_eq!(
        types(&events),
        [
            "fundhook.recovery.required",
            "fundhook.recovery.in_progress",
            "fundhook.recovery.updated",
            "fundhook.recovery.resolved",
        ]
    );
    let previous: Vec<_> = events.iter().map(|event| event.data.previous_status).collect();
    assert_eq!(previous, [None, Some("required"), None, Some("in_progress")]);
    assert_eq!(events.iter().map(|event| event.data.is_final).collect::<Vec<_>>(), [false, false, false, true]);
}

#[test]
fn after_a_failed_payment_the_money_is_still_to_be_returned() {
    let statements = [
        coin("a", "100", 0),
        paid("p", WithdrawalStatus::Submitted, Some("100"), 60),
        paid("p", WithdrawalStatus::Failed, Some("100"), 70),
    ];
    let statuses: Vec<_> = events(&statements).iter().map(|event| event.data.status).collect();
    assert_eq!(statuses, ["required", "in_progress", "required"].map(Some));

    // The next attempt is another payment.
    let again = paid("q", WithdrawalStatus::Confirmed, Some("100"), 90);
    let all = [statements.as_slice(), &[again]].concat();
    assert_eq!(sums(&all), expected(RecoveryStatus::Resolved, ["0", "100", "0", "100"]));
}

#[test]
fn money_does_not_count_as_returned_while_a_payments_final_statuses_conflict() {
    for end in [WithdrawalStatus::Failed, WithdrawalStatus::Abandoned] {
        for (settled_at, ended_at) in [(60, 70), (70, 60)] {
            let settled = paid("p", WithdrawalStatus::Confirmed, Some("100"), settled_at);
            let ended = paid("p", end, Some("100"), ended_at);
            let statements = [coin("a", "100", 0), settled, ended];
            let expected = expected(RecoveryStatus::Required, ["100", "100", "0", "0"]);
            assert_eq!(sums(&statements), expected, "{end:?} after {ended_at} s");
        }
    }
}

#[test]
fn a_late_submitted_never_undoes_a_settled_payment_whatever_its_date() {
    for submitted_at in [50, 60, 70] {
        let settled = paid("p", WithdrawalStatus::Confirmed, Some("100"), 60);
        let submitted = paid("p", WithdrawalStatus::Submitted, Some("100"), submitted_at);
        let statements = [coin("a", "100", 0), settled, submitted];
        assert_eq!(sums(&statements).0, Status::Recovery(RecoveryStatus::Resolved), "after {submitted_at} s");
        assert_eq!(latest(&statements).event_type, "fundhook.recovery.updated");
    }
}

#[test]
fn an_amount_that_one_statement_of_a_payment_states_applies_to_all() {
    let submitted = paid("p", WithdrawalStatus::Submitted, Some("40"), 60);
    let settled = paid("p", WithdrawalStatus::Confirmed, None, 70);
    let coin = coin("a", "100", 0);
    for statements in [[&coin, &submitted, &settled], [&settled, &coin, &submitted]] {
        assert_eq!(sums(statements), expected(RecoveryStatus::Required, ["60", "100", "0", "40"]));
    }
    // A payment without an amount returns nothing, and is in transit nevertheless.
    let silent = paid("p", WithdrawalStatus::Submitted, None, 60);
    let moving = expected(RecoveryStatus::InProgress, ["100", "100", "0", "0"]);
    assert_eq!(sums([&coin, &silent]), moving);
    assert_eq!(sums([&coin, &settled]), expected(RecoveryStatus::Required, ["100", "100", "0", "0"]));
}

#[test]
fn a_payment_settled_before_its_deposit_is_known_counts_afterwards() {
    let settled = paid("p", WithdrawalStatus::Confirmed, Some("100"), 60);
    assert_eq!(sums([&settled]), expected(RecoveryStatus::Resolved, ["-100", "0", "0", "100"]));
    let statements = [settled, coin("a", "100", 0)];
    assert_eq!(sums(&statements), expected(RecoveryStatus::Resolved, ["0", "100", "0", "100"]));
    assert_eq!(types(&events(&statements)), ["fundhook.recovery.resolved", "fundhook.recovery.updated"]);
}

#[test]
fn a_further_deposit_makes_a_resolved_recovery_required_again() {
    let statements = [
        coin("a", "100", 0),
        paid("p", WithdrawalStatus::Confirmed, Some("100"), 60),
        coin("b", "0.000001", 90),
        paid("q", WithdrawalStatus::Broadcast, Some("0.000001"), 95),
        paid("q", WithdrawalStatus::Confirmed, Some("0.000001"), 99),
    ];
    let required = expected(RecoveryStatus::Required, ["0.000001", "100.000001", "0", "100"]);
    assert_eq!(sums(&statements[..3]), required);
    let statuses: Vec<_> = events(&statements).iter().map(|event| event.data.status).collect();
    assert_eq!(statuses, ["required", "resolved", "required", "in_progress", "resolved"].map(Some));
    assert_eq!(events(&statements)[2].data.previous_status, Some("resolved"));
}

#[test]
fn returning_more_than_arrived_makes_the_outstanding_amount_negative() {
    let statements = [coin("a", "100", 0), paid("p", WithdrawalStatus::Confirmed, Some("100.5"), 60)];
    assert_eq!(sums(&statements), expected(RecoveryStatus::Resolved, ["-0.5", "100", "0", "100.5"]));
    // The excess is subtracted from the next deposit.
    let next = [statements.as_slice(), &[coin("b", "0.6", 90)]].concat();
    assert_eq!(sums(&next), expected(RecoveryStatus::Required, ["0.1", "100.6", "0", "100.5"]));
}

#[test]
fn amounts_of_sixty_digits_and_more_are_added_exactly() {
    let (nines, zeros) = ("9".repeat(60), "0".repeat(59));
    let (most, least) = (format!("{nines}.{nines}"), format!("0.{zeros}1"));
    let statements =
        [coin("a", &most, 0), coin("b", &least, 0), paid("p", WithdrawalStatus::Confirmed, Some(&most), 60)];
    let total = format!("1{}", "0".repeat(60));
    assert_eq!(sums(&statements[..2]), expected(RecoveryStatus::Required, [&total, &total, "0", "0"]));
    assert_eq!(sums(&statements), expected(RecoveryStatus::Required, [&least, &total, "0", &most]));

    let rest = paid("q", WithdrawalStatus::Confirmed, Some(&least), 60);
    let all = [statements.as_slice(), &[rest]].concat();
    assert_eq!(sums(&all), expected(RecoveryStatus::Resolved, ["0", &total, "0", &total]));
}

#[test]
fn a_recovery_belongs_to_one_user_asset_and_network_whichever_provider_reports_it() {
    let id_of = |feed: &Feed, account: &str, asset: &str, network: Option<&str>| {
        let network = network.map(Network::named);
        let key = RecoveryKey { account: account.to_owned(), asset: asset.to_owned(), network };
        key.resource(feed).expect("an id").to_string()
    };
    let acme: Tenant = "acme".parse().expect("a tenant");
    let (connect, zerohash) = (Feed::from(Provider::Connect), Feed::from(Provider::Zerohash));
    let tenants = Feed::new(Provider::Connect, Some(acme));
    for (feed, account, asset, network, id) in [
        (&connect, ACCOUNT, "USDC", Some("base"), "recovery#zerohash#CUST01:USDC:base"),
        (&zerohash, ACCOUNT, "USDC", Some("BASE"), "recovery#zerohash#CUST01:USDC:base"),
        (&zerohash, "CUST02", "USDC", Some("BASE"), "recovery#zerohash#CUST02:USDC:base"),
        (&zerohash, ACCOUNT, "USDT", Some("BASE"), "recovery#zerohash#CUST01:USDT:base"),
        (&zerohash, ACCOUNT, "USDC", Some("ETH"), "recovery#zerohash#CUST01:USDC:ethereum"),
        (&zerohash, ACCOUNT, "USDC", None, "recovery#zerohash#CUST01:USDC:-"),
        (&tenants, ACCOUNT, "USDC", Some("BASE"), "recovery#zerohash/acme#CUST01:USDC:base"),
    ] {
        assert_eq!(id_of(feed, account, asset, network), id);
    }
}

#[test]
fn an_event_has_the_sums_their_deposits_and_payments_and_the_request_for_the_recovery_flow() {
    let statements = [announcements(), payments()[..2].to_vec()].concat();
    let view = view(&statements);
    let body = body(&view);
    assert_eq!(latest(&statements).data.status, Some("in_progress"));

    let deposits: Vec<_> = body.deposits.iter().map(|deposit| &deposit.resource).collect();
    let announced = [
        deposit_id(WebhookFamily::ConnectDeposits, "1c4c31e6"),
        deposit_id(WebhookFamily::ZerohashDepositFailed, "a07407e8"),
        deposit_id(WebhookFamily::ZerohashDepositStatus, "eecb7555"),
    ];
    assert_eq!(deposits, announced.iter().collect::<Vec<_>>());
    let related = announced.into_iter().chain([payment_id("b752503c")]).collect();
    assert_eq!(body.related, related);
    let amounts = [&body.outstanding, &body.expected, &body.moving, &body.returned];
    for (amount, value) in amounts.into_iter().zip(["100", "100", "100", "0"]) {
        assert_eq!((amount.value.to_string(), amount.asset.as_deref()), (value.to_owned(), Some("USDC")));
        assert_eq!(amount.network.as_ref().and_then(Network::caip2), Some("eip155:8453"));
    }
    // [zerohash-recovery §2]: the string "true", not a boolean.
    let auth_request = json!({ "participant_code": "CUST01", "permissions": ["auth"], "recovery": "true" });
    assert_eq!(body.auth_request, Some(auth_request));
    let payments = json!([{ "resource": "withdrawal#zerohash#b752503c", "status": "broadcast", "value": "100" }]);
    assert_eq!(serde_json::to_value(&body.payments).expect("JSON"), payments);
}
