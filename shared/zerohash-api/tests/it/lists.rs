//! The lists: how each is requested, what comes after a page, and what its rows contain.

use fundhook_domain::Timestamp;
use fundhook_zerohash_api::{
    AccountMovementsQuery, AccountsQuery, ApiError, CryptoDepositsQuery, DepositsQuery, ExternalAccountsQuery,
    FilterTime, FilterUnit, FundTransactionsQuery, ListForm, MovementsQuery, ParticipantsQuery, Payment,
    PaymentHistoriesQuery, PaymentStatusesQuery, PaymentsQuery, Position, TimeWindow, ZerohashClient,
};

use crate::support::{Answer, Provider, assert_shows_no_secret, client, credentials, now, settings};

const PAGE: &str = r#"{"message":[],"total_pages":0}"#;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

/// The path and query of the only request of `call`.
macro_rules! requested {
    ($client:ident, $call:expr) => {{
        let provider = Provider::saying(PAGE).await;
        let $client = provider.client();
        $call.await.expect("a page");
        provider.asked_once().path_and_query
    }};
}

#[tokio::test]
async fn each_list_is_requested_with_its_own_parameters() {
    let (from, before) = (at("2026-01-01T00:00:00.0005Z"), at("2026-01-01T01:00:00.0005Z"));
    let window = TimeWindow::between(from, before);
    let funds = FundTransactionsQuery {
        deposited: window,
        participant_code: text("CUST01"),
        deposit_intent_id: text("d-1"),
        success: Some(false),
        position: Some(Position::Page(2)),
        ..Default::default()
    };
    assert_eq!(
        requested!(client, client.fund_transactions(&credentials(), &funds, now())),
        "/fund/transactions?page=2&page_size=50&deposit_timestamp_gte=1767225600000&deposit_timestamp_lt=1767229200001\
         &participant_code=CUST01&deposit_intent_id=d-1&success=false"
    );
    let deposits = DepositsQuery { settled: window, account_label: text("recovery_quarantine"), ..Default::default() };
    assert_eq!(
        requested!(client, client.deposits(&credentials(), &deposits, now())),
        "/deposits?page=1&settle_timestamp%5Bgte%5D=1767225600000&settle_timestamp%5Blt%5D=1767229200001\
         &account_label=recovery_quarantine"
    );
    let payments = PaymentsQuery { created_from: Some(from), created_until: Some(before), ..Default::default() };
    assert_eq!(
        requested!(client, client.payments(&credentials(), &payments, now())),
        "/payments?page=1&size=50&start_date=1767225600&end_date=1767229201"
    );
    let fiat =
        PaymentStatusesQuery { from: Some(from), until: Some(before), status: text("returned"), ..Default::default() };
    assert_eq!(
        requested!(client, client.payment_statuses(&credentials(), &fiat, now())),
        "/payments/status?page=1&size=200&start_date=1767225600&end_date=1767229201&status=returned"
    );
    let histories = PaymentHistoriesQuery {
        transaction_ids: vec!["t-1".to_owned(), "t-2".to_owned()],
        transfer_type: text("ach"),
        ..Default::default()
    };
    assert_eq!(
        requested!(client, client.payment_histories(&credentials(), &histories, now())),
        "/payments/history?page=1&size=200&transaction_ids=t-1&transaction_ids=t-2&transfer_type=ach"
    );
    let movements = MovementsQuery { parent_link_id: text("f-1"), ..Default::default() };
    assert_eq!(
        requested!(client, client.movements(&credentials(), &movements, now())),
        "/movements?page=1&page_size=100&parent_link_id=f-1"
    );
    let of_account = AccountMovementsQuery { moved: window, ..AccountMovementsQuery::new("a/1") };
    assert_eq!(
        requested!(client, client.account_movements(&credentials(), &of_account, now())),
        "/accounts/a%2F1/movements?page=1&movement_timestamp%5Bgte%5D=1767225600000&movement_timestamp%5Blt%5D=1767229200001"
    );
    let participants = ParticipantsQuery { email: text("a@example.com"), ..Default::default() };
    assert_eq!(
        requested!(client, client.participants(&credentials(), &participants, now())),
        "/participants?page=1&email=a%40example.com"
    );
    let external = ExternalAccountsQuery {
        participants: vec!["CUST01".to_owned(), "CUST02".to_owned()],
        account_status: text("closed"),
        ..Default::default()
    };
    assert_eq!(
        requested!(client, client.external_accounts(&credentials(), &external, now())),
        "/payments/external_accounts?page=1&size=200&participants=CUST01%2CCUST02&account_status=closed"
    );
    let accounts = AccountsQuery { account_owner: text("CUST01"), ..Default::default() };
    assert_eq!(
        requested!(client, client.accounts(&credentials(), &accounts, now())),
        "/accounts?page=1&account_owner=CUST01"
    );
}

#[tokio::test]
async fn what_the_documents_leave_open_about_filters_follows_the_settings() {
    let (from, until) = (at("2026-01-01T00:00:00.5Z"), at("2026-01-01T01:00:00.5Z"));
    let crypto = CryptoDepositsQuery {
        from: Some(from),
        until: Some(until),
        states: vec!["CONFIRMED".to_owned(), "QUARANTINED".to_owned()],
        ..Default::default()
    };
    let funds = FundTransactionsQuery { deposited: TimeWindow::between(from, until), ..Default::default() };
    let provider = Provider::saying(PAGE).await;
    let mut other = settings(&provider.url);
    other.crypto_deposit_time = FilterTime::Unix(FilterUnit::Seconds);
    other.crypto_deposit_lists = ListForm::Commas;
    other.deposit_timestamp_unit = FilterUnit::Seconds;
    for client in [provider.client(), client(other)] {
        client.crypto_deposits(&credentials(), &crypto, now()).await.expect("a page");
        client.fund_transactions(&credentials(), &funds, now()).await.expect("a page");
    }
    let asked: Vec<String> = provider.asked().into_iter().map(|asked| asked.path_and_query).collect();
    assert_eq!(
        asked,
        [
            "/deposits/crypto?limit=100&from_timestamp=2026-01-01T00%3A00%3A00.500Z\
             &to_timestamp=2026-01-01T01%3A00%3A00.500Z&states=CONFIRMED&states=QUARANTINED",
            "/fund/transactions?page=1&page_size=50&deposit_timestamp_gte=1767225600500\
             &deposit_timestamp_lt=1767229200500",
            "/deposits/crypto?limit=100&from_timestamp=1767225600&to_timestamp=1767229201&states=CONFIRMED%2CQUARANTINED",
            "/fund/transactions?page=1&page_size=50&deposit_timestamp_gte=1767225600&deposit_timestamp_lt=1767229201",
        ]
    );
}

#[tokio::test]
async fn a_list_without_paging_parameters_has_no_empty_query() {
    let asked = requested!(client, client.crypto_deposits(&credentials(), &CryptoDepositsQuery::default(), now()));
    assert_eq!(asked, "/deposits/crypto?limit=100");
}

async fn next_of_funds(client: &ZerohashClient, page: u32) -> Result<Option<Position>, ApiError> {
    let query = FundTransactionsQuery { position: Some(Position::Page(page)), ..Default::default() };
    client.fund_transactions(&credentials(), &query, now()).await.map(|page| page.next)
}

#[tokio::test]
async fn a_list_with_total_pages_goes_on_to_the_last_page() {
    for (answer, page, next) in [
        (r#"{"message":[],"page":1,"total_pages":0}"#, 1, None),
        (r#"{"message":null,"page":1,"total_pages":1}"#, 1, None),
        (r#"{"message":[],"page":"1","page_size":50,"total_pages":"3"}"#, 1, Some(Position::Page(2))),
        (r#"{"message":[{}],"total_pages":3}"#, 3, None),
    ] {
        let provider = Provider::saying(answer).await;
        assert_eq!(next_of_funds(&provider.client(), page).await.expect(answer), next, "{answer}");
    }
    for (answer, problem) in [
        (r#"{"message":[],"page":1,"total_pages":3}"#, "the response is page 1, expected page 2"),
        (r#"{"message":[]}"#, "the response has no total_pages"),
    ] {
        let provider = Provider::saying(answer).await;
        let error = next_of_funds(&provider.client(), 2).await.expect_err(answer);
        assert!(matches!(error, ApiError::UnusableReply { .. }), "{error}");
        assert!(error.to_string().ends_with(&format!("/fund/transactions: {problem}")), "{error}");
    }
}

#[tokio::test]
async fn a_list_without_a_number_of_pages_ends_with_a_short_page() {
    let rows = |count: usize| format!(r#"{{"message":[{}],"page":1}}"#, vec!["{}"; count].join(","));
    for (count, next) in [(50, Some(Position::Page(2))), (49, None), (0, None)] {
        let provider = Provider::saying(&rows(count)).await;
        let page = provider.client().payments(&credentials(), &PaymentsQuery::default(), now()).await.expect("a page");
        assert_eq!((page.rows.len(), page.next), (count, next));
    }
}

#[tokio::test]
async fn a_list_with_cursors_goes_on_until_there_is_none() {
    let query = |cursor: &str| CryptoDepositsQuery {
        position: Some(Position::Cursor(cursor.to_owned())),
        ..Default::default()
    };
    for (answer, next) in [
        (r#"{"message":[],"pagination":{"nextCursor":"b+/="}}"#, Some(Position::Cursor("b+/=".to_owned()))),
        (r#"{"message":[{}],"pagination":{"nextCursor":""}}"#, None),
        (r#"{"message":[{}],"pagination":{"nextCursor":null}}"#, None),
        (r#"{"message":[{}],"pagination":null}"#, None),
        (r#"{"message":[{}]}"#, None),
    ] {
        let provider = Provider::saying(answer).await;
        let page = provider.client().crypto_deposits(&credentials(), &query("a+/="), now()).await.expect(answer);
        assert_eq!(page.next, next, "{answer}");
        assert_eq!(provider.asked_once().path_and_query, "/deposits/crypto?cursor=a%2B%2F%3D&limit=100");
    }
    let provider = Provider::saying(r#"{"message":[],"pagination":{"nextCursor":"a"}}"#).await;
    let error =
        provider.client().crypto_deposits(&credentials(), &query("a"), now()).await.expect_err("the same cursor");
    assert!(error.to_string().contains("the cursor of the next page is that of this page"), "{error}");
}

#[tokio::test]
async fn a_position_of_another_kind_than_the_lists_is_not_sent() {
    let provider = Provider::saying(PAGE).await;
    let client = provider.client();
    for position in [Position::Page(0), Position::Cursor("a".to_owned())] {
        let query = PaymentsQuery { position: Some(position), ..Default::default() };
        let error = client.payments(&credentials(), &query, now()).await.expect_err("not sent");
        assert!(matches!(error, ApiError::InvalidRequest(_)), "{error}");
    }
    for position in [Position::Page(0), Position::Page(2)] {
        let query = CryptoDepositsQuery { position: Some(position), ..Default::default() };
        let error = client.crypto_deposits(&credentials(), &query, now()).await.expect_err("not sent");
        assert!(matches!(error, ApiError::InvalidRequest(_)), "{error}");
    }
    let query = AccountMovementsQuery::new("..");
    assert!(client.account_movements(&credentials(), &query, now()).await.is_err());
    assert!(provider.asked().is_empty());
}

#[tokio::test]
async fn rows_are_kept_byte_for_byte_and_typed_without_loss() {
    let rows = r#"[{ "fund_id":"f-1","success":true, "quantity":0.100000000000000000000000000001,"notional":"1","deposit_timestamp":1767225600123456789,"unknown":{"a":[1]}},{"success":true},{"fund_id":17,"success":"false","fund_timestamp":""}]"#;
    let provider = Provider::saying(&format!(r#"{{"message":{rows},"page":1,"total_pages":1}}"#)).await;
    let page = provider.client().fund_transactions(&credentials(), &FundTransactionsQuery::default(), now()).await;
    let page = page.expect("a page");
    assert_eq!(page.rows[1].get(), r#"{"success":true}"#);
    assert!(page.rows[0].get().starts_with(r#"{ "fund_id":"f-1""#), "{}", page.rows[0]);
    let typed = page.typed();
    let first = typed[0].as_ref().expect("a row");
    assert_eq!(first.quantity.as_deref(), Some("0.100000000000000000000000000001"));
    assert_eq!(first.deposit_timestamp, Some(at("2026-01-01T00:00:00.123456789Z")));
    assert!(typed[1].is_err(), "a row without its id");
    let third = typed[2].as_ref().expect("a row");
    assert_eq!((third.fund_id.as_str(), third.success, third.fund_timestamp), ("17", false, None));
}

#[tokio::test]
async fn the_history_of_a_deposit_and_the_details_of_a_payment_are_typed() {
    let deposit = r#"{"depositId":"d-1","state":"completed","transactionHash":"0xdd","history":[{"fromState":"initial","toState":"confirmed","timestamp":"2026-01-01T00:00:00Z"}]}"#;
    let provider = Provider::saying(&format!(r#"{{"message":[{deposit}]}}"#)).await;
    let page = provider.client().crypto_deposits(&credentials(), &CryptoDepositsQuery::default(), now()).await;
    let typed = page.expect("a page").typed();
    let deposit = typed[0].as_ref().expect("a row");
    assert_eq!((deposit.deposit_id.as_str(), deposit.state.as_deref()), ("d-1", Some("completed")));
    assert_eq!(deposit.history[0].to_state.as_deref(), Some("confirmed"));
    assert_eq!(deposit.history[0].timestamp, Some(at("2026-01-01T00:00:00Z")));

    let payment = r#"{"payment_id":"p-1","status":"settled","total":200,"payment_details":{"network_fee_notional":"1.25"},"obo_participant":{"participant_code":"CUST01"}}"#;
    let provider = Provider::saying(&format!(r#"{{"message":{payment}}}"#)).await;
    let raw = provider.client().payment(&credentials(), "p-1", now()).await.expect("an answer").expect("a payment");
    assert_eq!(raw.get(), payment);
    assert_eq!(provider.asked_once().path_and_query, "/payments/p-1");
    let typed: Payment = serde_json::from_str(raw.get()).expect("a payment");
    assert_eq!(typed.total.as_deref(), Some("200"));
    assert_eq!(typed.payment_details.and_then(|details| details.network_fee_notional).as_deref(), Some("1.25"));
}

#[tokio::test]
async fn a_payment_that_does_not_exist_is_none_and_a_missing_page_of_a_proxy_is_an_error() {
    let provider = Provider::answering([Answer::json(404, r#"{"error":"payment not found"}"#)]).await;
    assert!(provider.client().payment(&credentials(), "p-1", now()).await.expect("an answer").is_none());
    let provider = Provider::answering([Answer::new(404, "text/html", "<html>")]).await;
    assert!(provider.client().payment(&credentials(), "p-1", now()).await.is_err());
    let provider = Provider::saying(r#"{"message":[{"payment_id":"p-1"}]}"#).await;
    let error = provider.client().payment(&credentials(), "p-1", now()).await.expect_err("a list");
    assert!(matches!(error, ApiError::UnexpectedShape { .. }), "{error}");
    assert!(provider.client().payment(&credentials(), "", now()).await.is_err());
    let provider = Provider::answering([Answer::json(404, r#"{"error":"deposit not found"}"#)]).await;
    assert!(provider.client().crypto_deposit(&credentials(), "d 1", now()).await.expect("an answer").is_none());
    assert_eq!(provider.asked_once().path_and_query, "/deposits/crypto/d%201");
}

#[tokio::test]
async fn no_error_shows_a_filter_by_a_users_data() {
    let body = serde_json::json!({"errors": ["unknown: canary@example.com", "CUST01-canary", "status approved"]});
    let provider = Provider::answering([Answer::json(400, body.to_string())]).await;
    let query = ParticipantsQuery {
        email: text("canary@example.com"),
        participant_code: text("cust01-CANARY"),
        status: text("approved"),
        ..Default::default()
    };
    let error = provider.client().participants(&credentials(), &query, now()).await.expect_err("400");
    assert_shows_no_secret(&error);
    let expected = "/participants: status 400, expected 2xx: unknown: [hidden]: [hidden]: status approved";
    assert!(error.to_string().ends_with(expected), "{error}");
}
