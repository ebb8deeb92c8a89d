//! What each list says after which webhooks.

use fundhook_domain::Provider;
use fundhook_sandbox::{DropShare, SignRequest};
use fundhook_zerohash_api::{
    AccountMovementsQuery, AccountsQuery, CryptoDepositsQuery, DepositsQuery, ExternalAccountsQuery,
    FundTransactionsQuery, MovementsQuery, ParticipantsQuery, PaymentHistoriesQuery, PaymentStatusesQuery,
    PaymentsQuery, TimeWindow,
};
use serde_json::{Value, json};

use super::{FIRST_MS, FUND, Zerohash, fund, raw, sample};

macro_rules! webhook {
    ($name:literal) => {
        sample(include_str!(concat!("../../../../../events/zerohash/", $name, ".json")))
    };
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

#[tokio::test]
async fn a_fund_transaction_is_listed_as_its_webhook_said_with_times_in_milliseconds() {
    let zerohash = Zerohash::start().await;
    let mut sent = sample(FUND);
    sent["deposit_timestamp"] = json!(1_750_404_905_037_123_456_u64);
    sent["quantity"] = json!("0.100000000000000000000000000001");
    zerohash.sign("zerohash", &sent).await;
    sent["deposit_timestamp"] = json!(1_750_404_905_037_u64);
    assert_eq!(raw(&zerohash.listed(&FundTransactionsQuery::default()).await.expect("a page")), [sent]);
}

#[tokio::test]
async fn failed_fund_transactions_are_listed_and_the_newest_statement_counts() {
    let zerohash = Zerohash::start().await;
    for body in [webhook!("fund.pending_match"), webhook!("fund.expired_session"), webhook!("fund.threshold")] {
        zerohash.sign("zerohash", &body).await;
    }
    assert_eq!(zerohash.fund_ids(&FundTransactionsQuery::default()).await.len(), 3);
    let failed = FundTransactionsQuery { success: Some(false), ..Default::default() };
    let before = zerohash.fund_ids(&failed).await.len();
    let (held, mut matched) = (webhook!("fund.pending_match"), webhook!("fund.matched"));
    matched["fund_id"] = held["fund_id"].clone();
    for body in [&matched, &held] {
        zerohash.sign("zerohash", body).await;
        assert_eq!(zerohash.fund_ids(&failed).await.len(), before - 1, "a late hold changes nothing");
    }
}

#[tokio::test]
async fn fund_transactions_are_filtered_by_each_documented_parameter() {
    let zerohash = Zerohash::start().await;
    zerohash.funds(4).await;
    let at = |number: u64| {
        let seconds = i64::try_from(FIRST_MS / 1000 + number).expect("in range");
        Some(fundhook_domain::Timestamp::from_unix_seconds(seconds).expect("in range"))
    };
    let all = FundTransactionsQuery::default;
    let window = |deposited| FundTransactionsQuery { deposited, ..all() };
    for (query, expected) in [
        (all(), &["f-003", "f-002", "f-001", "f-000"][..]),
        (window(TimeWindow { from: at(1), before: at(3), ..Default::default() }), &["f-002", "f-001"]),
        (window(TimeWindow { after: at(1), until: at(3), ..Default::default() }), &["f-003", "f-002"]),
        (FundTransactionsQuery { fund_id: text("f-002"), ..all() }, &["f-002"]),
        (FundTransactionsQuery { participant_code: text("UNKNOWN"), ..all() }, &[]),
        (FundTransactionsQuery { reference_id: text("abc123"), fund_id: text("f-001"), ..all() }, &["f-001"]),
        (FundTransactionsQuery { fund_asset: text("BTC"), ..all() }, &[]),
        (FundTransactionsQuery { deposit_address: text("0x0"), ..all() }, &[]),
    ] {
        assert_eq!(zerohash.fund_ids(&query).await, expected, "{query:?}");
    }
}

#[tokio::test]
async fn a_dropped_webhook_is_listed_and_a_forged_one_is_not() {
    let zerohash = Zerohash::start().await;
    zerohash.sandbox.drop_share(DropShare::ALL).await.expect("all are dropped");
    zerohash.sign("zerohash", &fund(1)).await;
    let body = fund(2).to_string();
    let forged = SignRequest::new(Provider::Zerohash, 1_760_484_866, body.as_bytes()).forged(true);
    zerohash.sandbox.sign(&forged).await.expect("it signs as a forger");
    assert_eq!(zerohash.fund_ids(&FundTransactionsQuery::default()).await, ["f-001"]);
}

#[tokio::test]
async fn a_deposit_on_a_chain_has_its_newest_state_and_the_history_of_all() {
    let zerohash = Zerohash::start().await;
    // The second state arrives last.
    for body in [webhook!("deposit.initial"), webhook!("deposit.completed"), webhook!("deposit.confirmed")] {
        zerohash.sign("zerohash", &body).await;
    }
    let now = fundhook_runtime::now();
    let page = zerohash.client.crypto_deposits(&zerohash.credentials, &CryptoDepositsQuery::default(), now).await;
    let rows = raw(&page.expect("a page"));
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!(
        (&row["depositId"], &row["state"]),
        (&json!("cd7b9e8c-e0f3-4fcd-a192-48ff280bc4dd"), &json!("completed"))
    );
    assert_eq!(
        (&row["createdAt"], &row["updatedAt"]),
        (&json!("2025-06-24T08:00:11Z"), &json!("2025-06-24T09:04:07Z"))
    );
    let history: Vec<_> = row["history"].as_array().expect("a list").iter().map(|change| &change["toState"]).collect();
    assert_eq!(history, ["initial", "confirmed", "completed"]);
    assert_eq!(row["history"][2]["fromState"], "confirmed");

    let id = row["depositId"].as_str().expect("an id");
    let one = zerohash.client.crypto_deposit(&zerohash.credentials, id, now).await.expect("an answer");
    assert_eq!(serde_json::from_str::<Value>(one.expect("a deposit").get()).expect("JSON"), *row);
    assert!(zerohash.client.crypto_deposit(&zerohash.credentials, "d-1", now).await.expect("an answer").is_none());

    let by_state = |state: &str| CryptoDepositsQuery {
        states: vec!["INITIAL".to_owned(), state.to_owned()],
        ..Default::default()
    };
    for (state, count) in [("COMPLETED", 1), ("QUARANTINED", 0)] {
        let page = zerohash.client.crypto_deposits(&zerohash.credentials, &by_state(state), now).await;
        assert_eq!(page.expect("a page").rows.len(), count, "{state}");
    }
}

#[tokio::test]
async fn settled_deposits_and_those_to_be_returned_are_movements_of_their_accounts() {
    let zerohash = Zerohash::start().await;
    let bodies = [
        webhook!("deposit.completed"),
        webhook!("deposit.recovery_quarantine"),
        webhook!("deposit.quarantined"),
        webhook!("deposit.confirmed"),
    ];
    for body in &bodies {
        zerohash.sign("zerohash", body).await;
    }
    let now = fundhook_runtime::now();
    let listed = async |label: Option<&str>| {
        let query = DepositsQuery { account_label: label.map(str::to_owned), ..Default::default() };
        raw(&zerohash.client.deposits(&zerohash.credentials, &query, now).await.expect("a page"))
    };
    assert_eq!(listed(None).await.len(), 2);
    let owed = listed(Some("recovery_quarantine")).await;
    assert_eq!((owed.len(), &owed[0]["reference_id"]), (1, &bodies[1]["transaction_hash"]));
    assert_eq!(owed[0]["settle_timestamp"], 1_727_354_414_000_u64);
}

#[tokio::test]
async fn a_payment_has_its_furthest_status_and_one_id_however_its_webhooks_name_it() {
    let zerohash = Zerohash::start().await;
    let now = fundhook_runtime::now();
    let payments = async || {
        let query = PaymentsQuery::default();
        raw(&zerohash.client.payments(&zerohash.credentials, &query, now).await.expect("a page"))
    };
    for body in [webhook!("payment.submitted"), webhook!("payment.settled"), webhook!("payment.posted")] {
        zerohash.sign("zerohash", &body).await;
    }
    let rows = payments().await;
    assert_eq!((rows.len(), &rows[0]["status"]), (1, &json!("settled")));
    assert_eq!(rows[0]["payment_details"]["withdrawal_request_id"], "b752503c-1c42-4dfe-ad1d-7b39da5db59c");
    let made_up = rows[0]["payment_id"].as_str().expect("an id").to_owned();
    let one =
        zerohash.client.payment(&zerohash.credentials, &made_up, now).await.expect("an answer").expect("a payment");
    assert_eq!(serde_json::from_str::<Value>(one.get()).expect("JSON"), rows[0]);

    let mut named = webhook!("payment.settled");
    named["payment_id"] = json!("p-1");
    zerohash.sign("zerohash", &named).await;
    zerohash.sign("zerohash", &webhook!("payment.submitted")).await;
    let rows = payments().await;
    assert_eq!((rows.len(), &rows[0]["payment_id"], &rows[0]["status"]), (1, &json!("p-1"), &json!("settled")));
    assert!(zerohash.client.payment(&zerohash.credentials, &made_up, now).await.expect("an answer").is_none());
    zerohash.sign("zerohash", &webhook!("payment.failed")).await;
    assert_eq!(payments().await.len(), 2);
}

#[tokio::test]
async fn payments_in_fiat_money_of_the_last_day_are_listed_unless_dates_are_given() {
    let zerohash = Zerohash::start().await;
    let now = fundhook_runtime::now();
    let old = now.minus(std::time::Duration::from_secs(3 * 24 * 60 * 60));
    zerohash.sign_at("zerohash", &webhook!("payment.bank.settled"), old).await;
    let listed = async |query: PaymentStatusesQuery| {
        raw(&zerohash.client.payment_statuses(&zerohash.credentials, &query, now).await.expect("a page"))
    };
    assert!(listed(PaymentStatusesQuery::default()).await.is_empty());
    let dated = || PaymentStatusesQuery { from: Some(old), ..Default::default() };
    assert_eq!(listed(dated()).await[0]["status"], "settled");
    zerohash.sign("zerohash", &webhook!("payment.bank.returned")).await;
    let rows = listed(dated()).await;
    assert_eq!(
        (rows.len(), &rows[0]["status"], &rows[0]["ach_failure_reason"]),
        (1, &json!("returned"), &json!("R03"))
    );
    assert!(listed(PaymentStatusesQuery { status: text("settled"), ..dated() }).await.is_empty());

    let histories = async |ids: &[&str]| {
        let transaction_ids = ids.iter().map(|id| (*id).to_owned()).collect();
        let query = PaymentHistoriesQuery { transaction_ids, ..Default::default() };
        zerohash.client.payment_histories(&zerohash.credentials, &query, now).await.expect("a page").typed()
    };
    zerohash.sign("zerohash", &webhook!("payment.bank.returned")).await;
    let id = rows[0]["transaction_id"].as_str().expect("an id");
    let told = histories(&["another", id]).await.remove(0).expect("a history");
    let steps: Vec<_> = told.status_history.iter().filter_map(|step| step.status.as_deref()).collect();
    assert_eq!((told.transaction_id.as_str(), steps), (id, vec!["settled", "returned"]));
    assert!(histories(&["another"]).await.is_empty());
}

#[tokio::test]
async fn a_balance_lists_its_account_and_its_movements() {
    let zerohash = Zerohash::start().await;
    for body in [webhook!("balance.changed.milliseconds"), webhook!("balance.changed.seconds")] {
        zerohash.sign("zerohash", &body).await;
    }
    let now = fundhook_runtime::now();
    let accounts =
        zerohash.client.accounts(&zerohash.credentials, &AccountsQuery::default(), now).await.expect("a page");
    let accounts = accounts.typed();
    let account = accounts[0].as_ref().expect("a row");
    assert_eq!((accounts.len(), account.balance.as_deref()), (1, Some("100")), "the newer one counts");
    let all = MovementsQuery::default();
    let movements = raw(&zerohash.client.movements(&zerohash.credentials, &all, now).await.expect("a page"));
    let changes: Vec<_> = movements.iter().map(|row| &row["change"]).collect();
    assert_eq!(changes, ["75", "25"]);
    assert_eq!(movements[1]["movement_timestamp"], 1_750_750_200_000_u64);
    for (query, count) in
        [(AccountMovementsQuery::new(&account.account_id), 2), (AccountMovementsQuery::new("another"), 0)]
    {
        let page = zerohash.client.account_movements(&zerohash.credentials, &query, now).await.expect("a page");
        assert_eq!(page.rows.len(), count);
        assert!(page.typed().iter().all(Result::is_ok));
    }
}

#[tokio::test]
async fn an_account_without_a_balance_is_not_listed() {
    let zerohash = Zerohash::start().await;
    let mut body = webhook!("balance.changed.milliseconds");
    for (balance, listed) in [("0.00", 0), ("0.01", 1)] {
        body["balance"] = json!(balance);
        zerohash.sign("zerohash", &body).await;
        let now = fundhook_runtime::now();
        let page = zerohash.client.accounts(&zerohash.credentials, &AccountsQuery::default(), now).await;
        assert_eq!(page.expect("a page").rows.len(), listed, "{balance}");
    }
}

#[tokio::test]
async fn a_users_account_at_a_bank_is_listed_and_selected_by_its_user() {
    let zerohash = Zerohash::start().await;
    let body = webhook!("external_account.approved");
    zerohash.sign("zerohash", &body).await;
    let code = body["participant_code"].as_str().expect("a code").to_owned();
    for (participants, listed) in
        [(vec![], 1), (vec![code.clone()], 1), (vec!["OTHER1".to_owned(), code], 1), (vec!["OTHER1".to_owned()], 0)]
    {
        let query = ExternalAccountsQuery { participants: participants.clone(), ..ExternalAccountsQuery::default() };
        let now = fundhook_runtime::now();
        let page = zerohash.client.external_accounts(&zerohash.credentials, &query, now).await.expect("a page");
        let rows = page.typed();
        assert_eq!(rows.len(), listed, "{participants:?}");
        for row in rows {
            let row = row.expect("a row");
            assert_eq!(
                (row.external_account_id.as_str(), row.status.as_deref()),
                (body["external_account_id"].as_str().expect("an id"), Some("approved"),)
            );
        }
    }
}

#[tokio::test]
async fn a_participant_has_its_newest_status() {
    let zerohash = Zerohash::start().await;
    let (mut approved, mut locked) = (webhook!("participant.approved"), webhook!("participant.locked"));
    locked["participant_code"] = approved["participant_code"].clone();
    approved["timestamp"] = json!(FIRST_MS);
    locked["timestamp"] = json!(FIRST_MS + 1);
    for body in [&locked, &approved] {
        zerohash.sign("zerohash", body).await;
    }
    let query = ParticipantsQuery::default();
    let page = zerohash.client.participants(&zerohash.credentials, &query, fundhook_runtime::now()).await;
    let rows = page.expect("a page").typed();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].as_ref().expect("a row").status.as_deref(), Some("locked"));
}
