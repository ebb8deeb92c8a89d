//! A recovery is arithmetic over time: what arrived unexpectedly, each coin once, less what was returned after it
//! (docs/internals/decisions/recovery-over-time.md).

use std::time::Duration;

use fundhook_domain::{
    Details, EventBody, Feed, Network, Provider, RecoveryKey, RecoveryStatus, Statement, Status, Tenant, Verdict,
    WebhookFamily, WithdrawalStatus, events_after, fold,
};
use serde_json::json;

use crate::support::orders::{every_order_has_the_same_result, permutations};
use crate::support::recovery::{
    ACCOUNT, HASH, announced, announcements, body, deposit_id, many, paid, payment_id, payments, sum,
};
use crate::support::{at, decided, events, folded, latest, types, view};

/// The status after `statements`, and what is outstanding, expected, in transit and returned.
fn sums<'a>(statements: impl IntoIterator<Item = &'a Statement>) -> (Status, [String; 4]) {
    let view = view(statements);
    let sums = sum(&view).sums();
    let numbers = [sums.outstanding, sums.expected, sums.moving, sums.returned];
    (view.status.expect("a recovery has a status"), numbers.map(|number| number.to_string()))
}

/// What was returned beyond what had arrived, if anything was.
fn surplus<'a>(statements: impl IntoIterator<Item = &'a Statement>) -> Option<String> {
    view(statements).surplus.map(|surplus| surplus.to_string())
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
fn a_payment_that_is_reported_before_its_deposit_counts_for_it() {
    let settled = paid("p", WithdrawalStatus::Confirmed, Some("100"), 60);
    assert_eq!(sums([&settled]), expected(RecoveryStatus::Resolved, ["0", "0", "0", "100"]));
    assert_eq!(surplus([&settled]).as_deref(), Some("100"));
    let statements = [settled, coin("a", "100", 0)];
    assert_eq!(sums(&statements), expected(RecoveryStatus::Resolved, ["0", "100", "0", "100"]));
    assert_eq!(surplus(&statements), None);
    assert_eq!(types(&events(&statements)), ["fundhook.recovery.surplus", "fundhook.recovery.resolved"]);
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
fn what_is_returned_beyond_what_had_arrived_never_offsets_a_later_deposit() {
    let statements = [coin("a", "100", 0), paid("p", WithdrawalStatus::Confirmed, Some("100.5"), 60)];
    assert_eq!(sums(&statements), expected(RecoveryStatus::Resolved, ["0", "100", "0", "100.5"]));
    assert_eq!(surplus(&statements).as_deref(), Some("0.5"));
    let next = [statements.as_slice(), &[coin("b", "0.6", 90)]].concat();
    assert_eq!(sums(&next), expected(RecoveryStatus::Required, ["0.6", "100.6", "0", "100.5"]));
    assert_eq!(surplus(&next).as_deref(), Some("0.5"));
    let events = events(&next);
    let published = types(&events);
    assert_eq!(published, ["required", "surplus", "required"].map(|outcome| format!("fundhook.recovery.{outcome}")));
}

#[test]
fn at_one_time_the_deposit_comes_before_the_payment() {
    let (coin, payment) = (coin("a", "100", 60), paid("p", WithdrawalStatus::Confirmed, Some("100"), 60));
    for statements in [[&coin, &payment], [&payment, &coin]] {
        assert_eq!(sums(statements), expected(RecoveryStatus::Resolved, ["0", "100", "0", "100"]));
    }
}

#[test]
fn a_payment_returns_only_what_had_arrived_when_it_began() {
    let begun = paid("p", WithdrawalStatus::Submitted, Some("100"), 30);
    let settled = paid("p", WithdrawalStatus::Confirmed, Some("100"), 90);
    let statements = [coin("a", "100", 60), begun, settled];
    assert_eq!(sums(&statements), expected(RecoveryStatus::Required, ["100", "100", "0", "100"]));
    assert_eq!(surplus(&statements).as_deref(), Some("100"));
}

#[test]
fn one_payment_returns_several_deposits_and_several_payments_one_deposit() {
    let statements = [coin("a", "60", 0), coin("b", "40", 10), paid("p", WithdrawalStatus::Confirmed, Some("100"), 60)];
    assert_eq!(sums(&statements), expected(RecoveryStatus::Resolved, ["0", "100", "0", "100"]));
    let parts = ["p", "q"].map(|native| paid(native, WithdrawalStatus::Confirmed, Some("50"), 60));
    let statements = [&[coin("a", "100", 0)], parts.as_slice()].concat();
    assert_eq!(sums(&statements), expected(RecoveryStatus::Resolved, ["0", "100", "0", "100"]));
}

#[test]
fn outputs_that_families_name_are_compared_and_what_names_none_may_be_any_of_them() {
    use WebhookFamily::{ConnectDeposits as Connect, ZerohashDepositFailed as Failed, ZerohashDepositStatus as Status};
    for (what, reports, total) in [
        ("one output", [(Connect, "-0", "60"), (Status, "-0", "60"), (Failed, "", "60")].as_slice(), "60"),
        ("two outputs", &[(Connect, "-0", "60"), (Status, "-1", "60")], "120"),
        (
            "two outputs, of which one family names both",
            &[(Connect, "-0", "60"), (Connect, "-1", "40"), (Status, "-1", "40")],
            "100",
        ),
        ("a family that names none", &[(Connect, "-0", "60"), (Connect, "-1", "40"), (Failed, "", "40")], "100"),
        (
            "one that names none and reports more",
            &[(Connect, "-0", "60"), (Failed, "", "60"), (Failed, "", "40")],
            "100",
        ),
        ("equal outputs of one family", &[(Failed, "-0", "50"), (Failed, "-1", "50"), (Connect, "-1", "50")], "100"),
    ] {
        let numbered = reports.iter().enumerate();
        let statements: Vec<_> = numbered
            .map(|(at, (family, output, value))| {
                announced(*family, &at.to_string(), &format!("{HASH}{output}"), value, 0)
            })
            .collect();
        assert_eq!(sums(&statements).1[1], total, "{what}");
    }
}

#[test]
fn of_several_copies_without_a_date_the_earliest_counts_in_every_order() {
    let undated = |seconds: u64| {
        let mut statement = announced(WebhookFamily::ZerohashDepositFailed, "a", HASH, "100", 0);
        let details = &mut statement.content.details;
        let Details::Recovery(recovery) = details else { unreachable!("a recovery") };
        recovery.deposits.values_mut().for_each(|deposit| deposit.occurred_at = None);
        (statement.content.undated, statement.content.occurred_at) = (true, at(seconds));
        (statement.content.evidence.received_at, statement.content.reading.at) =
            (at(1000 + seconds), at(1000 + seconds));
        statement
    };
    let payment = paid("p", WithdrawalStatus::Confirmed, Some("100"), 60);
    let (late, early) = (undated(90), undated(30));
    for order in permutations(&[late, early, payment]) {
        assert_eq!(sums(&order), expected(RecoveryStatus::Resolved, ["0", "100", "0", "100"]), "{order:?}");
        assert_eq!(surplus(&order), None, "{order:?}");
    }
}

#[test]
fn a_surplus_that_a_person_resolved_is_no_case_until_there_is_more() {
    let first = paid("p", WithdrawalStatus::Confirmed, Some("100"), 60);
    let resolved = decided(folded([&first]), Verdict::Resolved);
    assert!(folded([&first]).view().expect("a view").needs_review());
    assert!(!resolved.view().expect("a view").needs_review());
    let with = |statement: Statement| fold(resolved.clone(), statement).into_resource().view().expect("a view");
    assert_eq!(with(coin("b", "100", 90)).surplus, None, "the deposit is to be returned, and nothing else is new");
    let second = with(paid("q", WithdrawalStatus::Confirmed, Some("5"), 70));
    assert_eq!(
        (second.surplus.clone().map(|value| value.to_string()).as_deref(), second.needs_review()),
        (Some("105"), true)
    );
    // The missing deposit is found, and the next payment without one is a case of its own.
    let found = fold(resolved.clone(), coin("c", "100", 30)).into_resource();
    assert_eq!(found.view().expect("a view").surplus, None);
    let again = fold(found, paid("q", WithdrawalStatus::Confirmed, Some("100"), 120)).into_resource();
    let surplus = again.view().expect("a view").surplus.clone();
    assert_eq!(surplus.map(|value| value.to_string()).as_deref(), Some("100"));
}

#[test]
fn a_deposit_of_the_same_second_comes_before_the_payment() {
    let after = |milliseconds| {
        let mut deposit = coin("a", "100", 60);
        let Details::Recovery(recovery) = &mut deposit.content.details else { unreachable!("a recovery") };
        let at = at(60).plus(Duration::from_millis(milliseconds));
        recovery.deposits.values_mut().for_each(|deposit| deposit.occurred_at = Some(at));
        surplus(&[deposit, paid("p", WithdrawalStatus::Confirmed, Some("100"), 60)])
    };
    assert_eq!(after(999), None, "payments are dated by the second");
    assert_eq!(after(1000).as_deref(), Some("100"));
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
fn a_recovery_belongs_to_one_user_and_asset_in_canonical_spelling() {
    let parts = |asset: &str, network: Option<&str>| {
        let key = RecoveryKey::new(ACCOUNT, asset, network.map(Network::named).as_ref()).expect("an asset");
        key.parts().join(" ")
    };
    for (asset, network, expected) in [
        ("USDC", Some("base"), "CUST01 USDC"),
        ("USDC.ETH", None, "CUST01 USDC"),
        (" usdc ", Some("ETH"), "CUST01 USDC"),
        ("USDC", None, "CUST01 USDC"),
        ("MATIC", Some("POLYGON"), "CUST01 POL"),
        ("POL", None, "CUST01 POL"),
        ("USDC.E", Some("AVALANCHE"), "CUST01 USDC.E"),
    ] {
        assert_eq!(parts(asset, network), expected, "{asset} on {network:?}");
    }
    assert_eq!(RecoveryKey::new(ACCOUNT, " ", None), None);
    let acme: Tenant = "acme".parse().expect("a tenant");
    let of_tenant = Feed::new(Provider::Connect, Some(acme));
    for (feed, id) in [(Provider::Connect.into(), "recovery#zerohash#x"), (of_tenant, "recovery#zerohash/acme#x")] {
        assert_eq!(RecoveryKey::resource(&feed, "x").expect("an id").to_string(), id);
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
    // [zerohash-recovery-2]
    let session = json!({
        "api": "connect",
        "call": "POST /sessions",
        "body": { "account": { "reference_id": "CUST01" }, "scopes": ["user:recovery:send"] },
    });
    assert_eq!(serde_json::to_value(&body.auth_request).expect("JSON"), session);
    // [zerohash-recovery §2]: the string "true", not a boolean.
    let token = json!({
        "api": "zerohash",
        "call": "POST /client_auth_token",
        "body": { "participant_code": "CUST01", "permissions": ["auth"], "recovery": "true" },
    });
    assert_eq!(serde_json::to_value(&body.auth_request_older).expect("JSON"), token);
    let payments = json!([{
        "resource": "withdrawal#zerohash#b752503c", "status": "broadcast", "value": "100",
        "network": body.payments[0].network, "began_at": at(60),
    }]);
    assert_eq!(serde_json::to_value(&body.payments).expect("JSON"), payments);
}

#[test]
fn an_event_lists_the_newest_and_counts_all() {
    let resource = folded(&many(120));
    let event = events_after(&resource, resource.version() - 1).remove(0);
    let EventBody::Recovery(body) = &event.data.body else { unreachable!("a recovery") };
    let listed = (body.deposits.len(), body.payments.len(), body.related.len(), event.data.history.len());
    assert_eq!(listed, (100, 100, 200, 100));
    let omitted = (body.deposits_omitted, body.payments_omitted, event.data.history_omitted);
    assert_eq!(omitted, (Some(20), Some(20), Some(140)));
    assert!(body.deposits.iter().all(|deposit| deposit.occurred_at >= Some(at(20))));
    let sums = [&body.expected, &body.returned, &body.outstanding].map(|amount| amount.value.to_string());
    assert_eq!(sums, ["120", "120", "0"]);
    // An SNS message has at most 256 KiB.
    assert!(serde_json::to_string(&event).expect("JSON").len() < 200_000);
}
