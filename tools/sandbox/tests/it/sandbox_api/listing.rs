//! Which transactions the sandbox lists, and how the list is queried.

use super::*;

#[tokio::test]
async fn a_confirmed_deposit_is_listed_with_the_members_of_the_sample() {
    let connect = Connect::start().await;
    connect.sign("connect", CONFIRMED).await;
    let row = json!({
        "participant_code": "abc123",
        "fund_asset": "BTC",
        "deposited_asset": "BTC",
        "rate": "1",
        "quoted_currency": "USD",
        "source_address": "",
        "deposit_address": "0xe7F436F9923B4Ecb5a57043613C25730B3537f98",
        "quantity": "1",
        "notional": "1",
        "fund_id": "6e735627-f8d1-49ae-93cc-3b7923519c56",
        "fund_timestamp": 1_759_526_694_000_u64,
        "deposit_timestamp": 1_759_526_773_000_u64,
        "transaction_id": "0xc9d43618f19aab304acc684739b93bbf3e95a948394439b5a65dbabe912ddbb7",
        "account_label": "general",
        "success": true,
        "status_reason": "success",
        "reference_id": "16032e11-f8a4-4b2d-8fad-d0614ac2b497",
        "raw_fee_bps": "",
        "raw_fee_notional": "",
        "deposit_fee_bps": "",
        "deposit_fee_notional": "",
        "source": { "type": "CUSTODIAL", "integration": "coinbase" },
    });
    assert_eq!(connect.list("").await, json!({ "message": [row], "page": 1, "page_size": 50, "total_pages": 1 }));
}

#[tokio::test]
async fn a_deposit_on_hold_is_listed_without_success_until_it_is_confirmed() {
    let connect = Connect::start().await;
    let on_hold = ON_HOLD.replace("c55481bf-626b-4410-8997-4cee83e1385f", "ddcfa16a-ac95-473b-bdc3-2b3cf06ed9c5");
    connect.sign("connect", &on_hold).await;
    let held = connect.list("").await["message"][0].clone();
    assert_eq!((&held["success"], &held["fund_asset"]), (&json!(false), &json!("USDC.BASE")));
    assert_ne!(held["status_reason"], "success");
    // A repeated hold after the confirmation changes nothing.
    for body in [CONFIRMED_AFTER_HOLD, &on_hold] {
        connect.sign("connect", body).await;
        let list = connect.list("").await;
        assert_eq!((ids(&list).len(), &list["message"][0]["success"]), (1, &json!(true)));
    }
}

#[tokio::test]
async fn webhooks_without_received_money_and_forgeries_are_not_listed() {
    let connect = Connect::start().await;
    for (named, body) in [
        ("connect", PENDING),
        ("connect", WITHDRAWAL),
        ("zerohash", FUND),
        ("zerohash", DEPOSIT_FAILED),
        ("connect", "[]"),
    ] {
        connect.sign(named, body).await;
    }
    let forged = SignRequest::new(Provider::Connect, 1_760_484_866, CONFIRMED.as_bytes()).forged(true);
    connect.sandbox.sign(&forged).await.expect("the sandbox signs as a forger");
    assert!(ids(&connect.list("").await).is_empty());
}

#[tokio::test]
async fn each_organization_has_its_own_list() {
    let connect = Connect::start().await;
    for (named, body) in [("connect", deposit(1)), ("connect/acme", deposit(2)), ("zerohash/acme", FUND.to_owned())] {
        connect.sign(named, &body).await;
    }
    assert_eq!(ids(&connect.list("").await), ["1"]);
    let acmes = connect.list_of(&connect.token_of("connect/acme").await, "").await;
    assert_eq!(ids(&acmes), ["2"], "and zerohash's fund transactions are on a list of zerohash's");
}

#[tokio::test]
async fn the_list_is_newest_first_and_filtered_by_the_query() {
    let connect = Connect::start().await;
    // Out of order; the last one replaces deposit 3 with a hold of the same time.
    for number in [2, 0, 3, 1] {
        connect.sign("connect", &deposit(number)).await;
    }
    connect.sign("connect", &deposit(3).replace("connect.deposits.confirmed", "connect.deposits.on_hold")).await;
    let at = |number: u64| FIRST_MS + number * 1000;
    for (query, expected) in [
        (String::new(), &["3", "2", "1", "0"][..]),
        (format!("?deposit_timestamp_gte={}&deposit_timestamp_lt={}", at(1), at(3)), &["2", "1"]),
        (format!("?deposit_timestamp_gt={}&deposit_timestamp_lte={}", at(1), at(3)), &["3", "2"]),
        (format!("?deposit_timestamp_gte={}", at(4)), &[]),
        ("?fund_id=2".to_owned(), &["2"]),
        ("?participant_code=USER1".to_owned(), &["3", "1"]),
        ("?participant_code=USER1&success=true".to_owned(), &["1"]),
        ("?success=false".to_owned(), &["3"]),
        ("?reference_id=16032e11-f8a4-4b2d-8fad-d0614ac2b497&page_size=1".to_owned(), &["3"]),
        ("?reference_id=other".to_owned(), &[]),
    ] {
        assert_eq!(ids(&connect.list(&query).await), expected, "{query}");
    }
}

#[tokio::test]
async fn pages_have_each_row_once_and_an_invalid_page_is_refused() {
    let connect = Connect::start().await;
    connect.deposits(103).await;
    let mut listed = Vec::new();
    for page in 1..=4 {
        let list = connect.list(&format!("?page={page}")).await;
        assert_eq!((&list["page"], &list["page_size"], &list["total_pages"]), (&json!(page), &json!(50), &json!(3)));
        listed.extend(ids(&list).into_iter().map(str::to_owned));
    }
    let expected: Vec<String> = (0..103).rev().map(|number| number.to_string()).collect();
    assert_eq!(listed, expected);
    let small = connect.list("?page=2&page_size=2").await;
    assert_eq!((ids(&small), &small["total_pages"]), (vec!["100", "99"], &json!(52)));
    let token = connect.token_of("connect").await;
    for query in ["page=0", "page=-1", "page=two", "page_size=0", "page_size=51", "success=maybe", "fundid=2"] {
        let request = connect.get(&format!("/transactions?{query}")).bearer_auth(&token);
        assert_eq!(refused(request).await, (400, "invalid_request".to_owned()), "{query}");
    }
}
