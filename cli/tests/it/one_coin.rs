//! Webhooks about one coin, on the path that the deployed functions take: which deposit is credited, and what conflicts.

use serde_json::{Value, json};

use crate::preview::{Printed, events_of, preview_of};

const HASH: &str = "cd9e98ae631cf7cfcf4d351374337a55096abd01d9637303aaef31d5c0766569";
const OTHER_HASH: &str = "7b9301dd3cbec040ebd7a902e7b2aa4ff1b9150b65fd2a432cb0f5b6537dcf06";
const ADDRESS: &str = "0x34f53Aea3ba8b60B0ed19106baF43A4f3F73f242";

/// A line of the preview's input.
fn line(feed: &str, payload_type: &str, body: &Value) -> Value {
    json!({ "feed": feed, "payload_type": payload_type, "body": body })
}

/// Connect confirms the deposit `id` of a coin.
fn connect(id: &str, asset: &str, network: &str, amount: &str, hash: &str, address: &str) -> Value {
    let body = json!({
        "event": "connect.deposits.confirmed",
        "deposit": {
            "id": id, "amount": amount, "network": network, "asset": asset, "status": "CONFIRMED",
            "created_at": "2026-11-20T10:00:00Z", "updated_at": "2026-11-20T10:05:00Z",
            "transaction": { "hash": hash, "to": address },
        },
        "account": { "reference_id": "CUST01" },
    });
    line("connect", "connect_deposit.status_changed", &body)
}

/// zerohash's deposit status: completed.
fn completed(id: &str, asset: &str, amount: &str, hash: &str, address: &str) -> Value {
    let body = json!({
        "deposit_id": id, "participant_code": "CUST01", "transaction_hash": hash, "state": "completed", "asset": asset,
        "amount": amount, "received_address": address, "timestamp": 1_795_168_800,
    });
    line("zerohash", "deposit.status_changed", &body)
}

/// zerohash's fund transaction: success.
fn fund(id: &str, amount: &str, transaction: &str) -> Value {
    let body = json!({
        "participant_code": "CUST01", "fund_asset": "USDC.ETH", "rate": "1", "quoted_currency": "USD",
        "deposit_address": ADDRESS, "quantity": amount, "notional": amount, "fund_id": id,
        "deposit_timestamp": 1_795_168_800_000_u64, "transaction_id": transaction, "account_label": "general",
        "success": true, "status_reason": "",
    });
    line("zerohash", "fund.status_changed", &body)
}

fn deposit_failed(amount: &str, hash: &str) -> Value {
    let body = json!({
        "participant_code": "CUST01", "asset": "USDC.ETH", "quantity": amount, "transaction_id": hash, "success": false,
    });
    line("zerohash", "DEPOSIT_FAILED", &body)
}

/// The data of the last event of each resource, after these webhooks in this order.
fn latest(lines: &[&Value]) -> Vec<Value> {
    let stdin: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let mut latest: Vec<Value> = Vec::new();
    for event in events_of(&["-"], &stdin) {
        latest.retain(|known| known["subject"] != event["subject"]);
        latest.push(event);
    }
    latest
}

/// How many deposits may be credited, how many are duplicates, conflicting and held.
fn outcome(lines: &[&Value]) -> [usize; 4] {
    let latest = latest(lines);
    let deposits: Vec<&Value> = latest.iter().filter(|event| event["data"]["kind"] == "deposit").collect();
    let count = |is: &dyn Fn(&Value) -> bool| deposits.iter().filter(|event| is(&event["data"])).count();
    [
        count(&|data| data.get("credit").is_some()),
        count(&|data| data.get("duplicate_of").is_some()),
        count(&|data| data.get("conflict_with").is_some()),
        count(&|data| data["hold"]["reason"] == "may_be_credited"),
    ]
}

/// The outcome of all orders, which must be the same.
#[track_caller]
fn in_every_order(lines: &[Value], expected: [usize; 4]) {
    let mut orders = vec![Vec::new()];
    for line in lines {
        orders = orders
            .iter()
            .flat_map(|order: &Vec<&Value>| {
                (0..=order.len()).map(move |at| {
                    let mut longer = order.clone();
                    longer.insert(at, line);
                    longer
                })
            })
            .collect();
    }
    for order in orders {
        assert_eq!(outcome(&order), expected, "{order:#?}");
    }
}

#[test]
fn one_coin_in_two_spellings_is_credited_once() {
    let bitcoin_cash = "qp7eyvzmr3gsuxqay6lw5y7dmcpnwjrxwswacz9v6s";
    let tron = ("TGRcDw3iXjZsarBCyv7VEzqpnyDESinawk", "4146cef455307b7adaddfac781095a7751a603cbd2");
    let (xrpl, tagged) = ("r9THsLCQwi5dwRmcccX5zM89uPJ1aznz86", "X7AaQZU7JK1rLB1HFk6WbymSGKbW6ZvTckRDadVd7icLYG9");
    let hex = format!("0x{}", HASH.to_uppercase());
    for (connects, zerohashs) in [
        (
            connect("1", "BCH", "bitcoin cash", "2", HASH, &format!("bitcoincash:{bitcoin_cash}")),
            completed("2", "BCH", "2", HASH, bitcoin_cash),
        ),
        (
            connect("1", "USDC", "ethereum", "5", &format!("{HASH}-0"), ADDRESS),
            completed("2", "USDC.ETH", "5", &hex, &ADDRESS.to_lowercase()),
        ),
        (connect("1", "USDT", "tron", "5", HASH, tron.1), completed("2", "USDT-TRC20", "5", &hex, tron.0)),
        (connect("1", "XRP", "xrp ledger", "5", HASH, tagged), completed("2", "XRP", "5", &HASH.to_uppercase(), xrpl)),
        (connect("1", "MATIC", "polygon", "5", HASH, ADDRESS), completed("2", "POL.POLYGON", "5", HASH, ADDRESS)),
        (
            connect("1", "HBAR", "hedera", "5", "0.0.9401@1598924675.082525000", "0.0.48213"),
            completed("2", "HBAR", "5", "0.0.9401-1598924675-082525000", "0.0.48213"),
        ),
    ] {
        in_every_order(&[connects, zerohashs], [1, 1, 0, 0]);
    }
}

#[test]
fn two_coins_that_look_alike_are_both_credited() {
    let hedera =
        |id: &str, nanos: &str| completed(id, "HBAR", "5", &format!("0.0.9401-1598924675-{nanos}"), "0.0.48213");
    let other = connect("3", "HBAR", "hedera", "5", "0.0.9401-1598924675-825250000", "0.0.48213");
    in_every_order(&[hedera("1", "082525000"), other], [2, 0, 0, 0]);
    // Three statements, two coins.
    let bitcoin = "bc1q0kfrqkcu2y8ps8fxhm4p8nw7qvm5sen5k0p5d8";
    let output = |number: u32| format!("{HASH}-{number}");
    let first = connect("1", "BTC", "bitcoin", "0.5", &output(0), bitcoin);
    let same = completed("2", "BTC", "0.5", &output(0), bitcoin);
    let second = completed("3", "BTC", "0.7", &output(1), bitcoin);
    in_every_order(&[first, same, second], [2, 1, 0, 0]);
}

#[test]
fn one_coin_has_one_fate() {
    // Credited, and to be returned.
    let credited = completed("1", "USDC.ETH", "100", HASH, ADDRESS);
    let unexpected = deposit_failed("100", &format!("0x{HASH}"));
    in_every_order(&[unexpected.clone(), credited.clone()], [0, 0, 2, 0]);
    let recovery = latest(&[&unexpected, &credited]);
    let recovery = recovery.iter().find(|event| event["data"]["kind"] == "recovery").expect("a recovery");
    assert_eq!((&recovery["data"]["status"], recovery["data"].get("auth_request")), (&json!("suspended"), None));
    // Two amounts, and two credits of one amount.
    in_every_order(&[credited.clone(), connect("2", "USDC", "ethereum", "99", HASH, ADDRESS)], [0, 0, 2, 0]);
    in_every_order(&[credited, fund("3", "100", HASH)], [0, 0, 2, 0]);
}

#[test]
fn a_deposit_that_may_be_credited_already_is_held() {
    let named = completed("1", "USDC.ETH", "100", HASH, ADDRESS);
    let unnamed = fund("5f0c1e9a-0001-4a00-8000-000000000001", "100", "e8641f4b-2098-4f86-95ba-711151cee6a5");
    in_every_order(&[named.clone(), unnamed.clone()], [1, 0, 0, 1]);
    // With one crediting family, nothing is open.
    let stdin = format!("{named}\n{unnamed}\n");
    let events = events_of(&["--crediting-families", "deposit_status", "-"], &stdin);
    assert_eq!(events[1]["data"]["hold"]["reason"], "corroborates");
    let Printed { stdout, code, .. } = preview_of(&["-"], &stdin);
    assert_eq!(code, Some(3));
    assert!(stdout.contains("may_be_credited") && stdout.contains("deposit#zerohash#1"), "{stdout}");
}

#[test]
fn a_corrected_transaction_is_recognized() {
    let first = connect("1", "USDC", "ethereum", "100", OTHER_HASH, ADDRESS);
    let mut corrected = connect("1", "USDC", "ethereum", "100", HASH, ADDRESS);
    corrected["body"]["deposit"]["updated_at"] = json!("2026-11-20T10:09:00Z");
    let another = completed("2", "USDC.ETH", "100", HASH, ADDRESS);
    assert_eq!(outcome(&[&first, &corrected, &another]), [1, 1, 0, 0]);
    assert_eq!(outcome(&[&another, &first, &corrected]), [1, 1, 0, 0]);
}
