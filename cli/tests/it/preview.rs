//! `preview`: what it reads, what it prints, and its exit code.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

const PENDING: &str = "events/connect/deposits.pending.6e735627.json";
const SUBMITTED: &str = "events/connect/deposits.submitted.json";
const CONFIRMED: &str = "events/connect/deposits.confirmed.json";
const FEE: &str = "events/zerohash/fund.fee.json";
const FEE_BEARER_UNKNOWN: &str = "events/zerohash/fund.fee_bearer_unknown.json";
const NOT_JSON: &str = "events/connect/odd/not_json.txt";
const DEPOSIT: &str = "deposit#connect#6e735627-f8d1-49ae-93cc-3b7923519c56";

/// What the command prints, and its exit code.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Printed {
    pub(crate) stdout: String,
    stderr: String,
    pub(crate) code: Option<i32>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

/// Runs the command in the workspace, without any environment, with `stdin`.
pub(crate) fn preview_of(arguments: &[&str], stdin: &str) -> Printed {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fundhook"));
    command.arg("preview").args(arguments).current_dir(root()).env_clear();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command is built");
    child.stdin.take().expect("piped").write_all(stdin.as_bytes()).expect("it reads standard input");
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Printed { stdout: text(output.stdout), stderr: text(output.stderr), code: output.status.code() }
}

fn preview(arguments: &[&str]) -> Printed {
    preview_of(arguments, "")
}

/// The events that `--json` prints for `arguments` and `stdin`.
pub(crate) fn events_of(arguments: &[&str], stdin: &str) -> Vec<Value> {
    let printed = preview_of(&[&["--json"], arguments].concat(), stdin);
    assert!(matches!(printed.code, Some(0 | 3)), "{printed:?}");
    printed.stdout.lines().map(|line| serde_json::from_str(line).expect("one event a line")).collect()
}

/// The `type` of each event.
fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().expect("a type")).collect()
}

/// Writes `content` to a file `name` of the test `test`, and returns its path.
fn file(test: &str, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("preview").join(test).join(name);
    fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder for the test");
    fs::write(&path, content).expect("a file for the test");
    path.to_str().expect("UTF-8").to_owned()
}

/// The sample at `path` on one line.
fn one_line(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect("a sample").replace(['\r', '\n'], " ")
}

/// `event` without where its webhook was read.
fn without_place(mut event: Value) -> Value {
    let evidence = event["data"]["evidence"].as_object_mut().expect("evidence");
    evidence.remove("archived").expect("a pointer");
    event
}

#[test]
fn each_webhook_has_a_block_with_its_events_or_why_it_publishes_none() {
    let printed = preview(&[PENDING, CONFIRMED, SUBMITTED, CONFIRMED]);
    let expected = format!(
        "\
1. {PENDING}  connect
   fundhook.deposit.pending  {DEPOSIT}  #1
     pending, 1 BTC on bitcoin, account abc123

2. {CONFIRMED}  connect
   fundhook.deposit.confirmed  {DEPOSIT}  #2
     confirmed, 1 BTC on bitcoin, account abc123
     credit: net 1 BTC

3. {SUBMITTED}  connect
   fundhook.deposit.updated  {DEPOSIT}  #3
     confirmed, 1 BTC on bitcoin, account abc123, late
     credit: net 1 BTC

4. {CONFIRMED}  connect
   publishes nothing about {DEPOSIT}: the same webhook again

What each user is owed
  account  asset  credited  withdrawn  held  to be returned
  abc123   BTC           1          0     0               0

What is booked
  asset  ledger account    debit  credit
  BTC    provider:connect      1
  BTC    customer:abc123               1
  trial balance: zero: debits equal credits in each asset
"
    );
    assert_eq!(printed, Printed { stdout: expected, stderr: String::new(), code: Some(0) });
}

#[test]
fn the_same_coin_is_credited_once_and_money_to_return_is_listed() {
    let printed = preview(&[
        "events/zerohash/fund.success.json",
        "events/zerohash/deposit.completed.json",
        "events/connect/deposits.confirmed.other_spelling.json",
        "events/zerohash/deposit_failed.json",
        "events/connect/deposits.on_hold.json",
    ]);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    for part in [
        "   fundhook.deposit.duplicate  deposit#connect#8f2b6c1d-4e7a-4b90-a3d5-6c8e0f1a2b3c  #1\n",
        "     duplicate of deposit#zerohash#cd7b9e8c-e0f3-4fcd-a192-48ff280bc4dd: do not credit it again\n",
        "     required, 100 USDC on base to be returned, account CUST01\n",
        "  CUST01   USD         100          0     0               0\n",
        "  CUST01   USDC         75          0     0             100\n",
        "  abc123   USDC          0          0  3400               0\n",
    ] {
        assert!(printed.stdout.contains(part), "{part:?} is not in\n{}", printed.stdout);
    }
}

#[test]
fn two_credits_of_one_coin_conflict_unless_only_one_of_the_families_credits() {
    let both = ["events/zerohash/fund.success.json", "events/connect/deposits.confirmed.same_coin.json"];
    let printed = preview(&both);
    assert_eq!(printed.code, Some(3), "{printed:?}");
    for part in [
        "     conflicting about credit with deposit#zerohash#363b5b15-02bd-4797-892f-8baa4eec60d9: confirmed; needs review\n",
        "     conflicting about credit with deposit#connect#cf59f58d-8aea-4cbb-9e0c-8ed327e381ab: confirmed; needs review\n",
        "  nothing was credited, withdrawn or held, and nothing is to be returned\n",
    ] {
        assert!(printed.stdout.contains(part), "{part:?} is not in\n{}", printed.stdout);
    }
    let printed = preview(&["--crediting-families", "fund", both[0], both[1]]);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    for part in ["     held: corroborates", "  CUST01   USD         100          0     0               0\n"] {
        assert!(printed.stdout.contains(part), "{part:?} is not in\n{}", printed.stdout);
    }
    let printed = preview(&["--crediting-families", "funds", both[0]]);
    assert_eq!(printed.code, Some(2), "{printed:?}");
    assert!(printed.stderr.contains("fund,deposit_status;acme=connect"), "{}", printed.stderr);
}

#[test]
fn a_conflict_needs_review_and_its_deposit_is_not_credited() {
    let failed = one_line(CONFIRMED).replace("connect.deposits.confirmed", "connect.deposits.failed");
    let failed = file("conflict", "connect/failed.json", failed.replace("CONFIRMED", "FAILED"));
    let printed = preview(&[CONFIRMED, &failed]);
    assert_eq!(printed.code, Some(3), "{printed:?}");
    for part in [
        "     conflicting about status: confirmed, failed; needs review\n".to_owned(),
        "  nothing was credited, withdrawn or held, and nothing is to be returned\n".to_owned(),
        format!("Needs review\n  {DEPOSIT}: conflicting about status: confirmed, failed ({failed})\n"),
    ] {
        assert!(printed.stdout.contains(&part), "{part:?} is not in\n{}", printed.stdout);
    }
}

#[test]
fn a_fee_that_the_customer_bore_is_deducted_from_the_credit() {
    let printed = preview(&[FEE]);
    let expected = format!(
        "\
1. {FEE}  zerohash
   fundhook.deposit.confirmed  deposit#zerohash#0b7e4f7a-3c55-4d0e-9a41-7d7f8f3b2c61  #1
     confirmed, 500 USDC on ethereum, account CUST01
     credit: net 495 USD (gross 500 USD, deposit_fee 5 USD borne by customer, converted from 500 USDC at 1)

What each user is owed
  account  asset  credited  withdrawn  held  to be returned
  CUST01   USD         495          0     0               0

What is booked
  asset  ledger account       debit  credit
  USD    customer:CUST01                495
  USD    fees:zerohash                    5
  USD    conversion:zerohash    500
  USDC   provider:zerohash      500
  USDC   conversion:zerohash            500
  trial balance: zero: debits equal credits in each asset
"
    );
    assert_eq!(printed, Printed { stdout: expected, stderr: String::new(), code: Some(0) });
    let credit = events_of(&[FEE], "")[0]["data"]["credit"].clone();
    assert_eq!(credit["net"], json!({ "value": "495", "asset": "USD" }));
    assert_eq!((&credit["form"], &credit["decided_by"]), (&json!("converted"), &json!("numbers")));
}

#[test]
fn a_deposit_whose_fee_bearer_is_unknown_is_held_until_a_setting_decides() {
    let held = preview(&[FEE_BEARER_UNKNOWN]);
    let unknown = preview(&["--deposit-fees-borne-by", "unknown", FEE_BEARER_UNKNOWN]);
    assert_eq!((held.code, &unknown), (Some(3), &held), "unknown is the default");
    for part in [
        "   fundhook.deposit.held  deposit#zerohash#c2a9d3b4-8e71-4f06-b5d8-1e2f3a4b5c6d  #1\n".to_owned(),
        "     held: fee_bearer_unknown, needs setting. There is a fee of 5 USD, ".to_owned(),
        "  CUST01   USDC          0          0   500               0\n".to_owned(),
        format!(": held: fee_bearer_unknown, needs setting ({FEE_BEARER_UNKNOWN})\n"),
    ] {
        assert!(held.stdout.contains(&part), "{part:?} is not in\n{}", held.stdout);
    }
    for (bearer, credit, owed) in [
        ("customer", "net 495 USD (gross 500 USD, deposit_fee 5 USD borne by customer, ", "495"),
        ("platform", "net 500 USD (deposit_fee 5 USD borne by platform, ", "500"),
    ] {
        let decided = preview(&["--deposit-fees-borne-by", bearer, FEE_BEARER_UNKNOWN]);
        assert_eq!(decided.code, Some(0), "{decided:?}");
        for part in [format!("     credit: {credit}"), format!("  CUST01   USD         {owed}          0     0 ")] {
            assert!(decided.stdout.contains(&part), "{part:?} is not in\n{}", decided.stdout);
        }
        let event = events_of(&["--deposit-fees-borne-by", bearer, FEE_BEARER_UNKNOWN], "").remove(0);
        assert_eq!(event["data"]["credit"]["decided_by"], "setting");
    }
    // Where the numbers decide, the setting does not matter.
    assert_eq!(preview(&["--deposit-fees-borne-by", "platform", FEE]), preview(&[FEE]));
    let invalid = preview(&["--deposit-fees-borne-by", "someone", FEE]);
    assert_eq!((invalid.stdout.as_str(), invalid.code), ("", Some(2)), "{invalid:?}");
}

#[test]
fn holds_say_who_must_act_and_where_the_money_is() {
    let printed = preview(&[
        "events/zerohash/fund.threshold.json",
        "events/zerohash/fund.match_failed.json",
        "events/zerohash/deposit.quarantined.json",
    ]);
    assert_eq!(printed.code, Some(3), "{printed:?}");
    for part in [
        "     held: not_converted, needs review, in customer_account. ",
        "     held: account_match_failed, needs user, in customer_account. ",
        "     held: quarantined, needs provider. ",
        "  CUST01   USDC          0          0   560               0\n",
        "  CUST02   USDC          0          0   250               0\n",
    ] {
        assert!(printed.stdout.contains(part), "{part:?} is not in\n{}", printed.stdout);
    }
    let review = printed.stdout.split_once("Needs review\n").expect("the section").1;
    let review = review.split("\n\n").next().unwrap_or_default();
    assert_eq!(review.lines().count(), 1, "the user and the provider must act about the others: {review}");
}

#[test]
fn one_deposit_with_two_amounts_is_a_conflict_about_the_amount() {
    let other = one_line(FEE).replace(r#""500""#, r#""501""#).replace(r#""495.00""#, r#""496.00""#);
    let other = file("amounts", "zerohash/other.json", other);
    let printed = preview(&[FEE, &other]);
    assert_eq!(printed.code, Some(3), "{printed:?}");
    for part in [
        "   fundhook.deposit.conflicting  deposit#zerohash#0b7e4f7a-3c55-4d0e-9a41-7d7f8f3b2c61  #2\n",
        "     conflicting about amount, credit: confirmed; needs review\n",
        "  nothing was credited, withdrawn or held, and nothing is to be returned\n",
    ] {
        assert!(printed.stdout.contains(part), "{part:?} is not in\n{}", printed.stdout);
    }
    let conflicting = events_of(&[FEE, &other], "").remove(1);
    assert_eq!(conflicting["data"]["credit"], Value::Null, "nothing may be booked");
}

#[test]
fn a_body_that_comes_twice_is_the_same_webhook_again_and_restates_nothing() {
    let line = |path: &str, at: &str| {
        format!(r#"{{"feed":"zerohash","payload_type":"deposit_fund_complete","at":"{at}","body":{}}}"#, one_line(path))
    };
    let lines = [
        line(FEE_BEARER_UNKNOWN, "2026-11-28T12:00:00Z"),
        line(FEE, "2026-11-28T12:00:01Z"),
        line(FEE_BEARER_UNKNOWN, "2026-11-29T12:00:00Z"),
        line(FEE, "2026-11-30T12:00:00Z"),
    ]
    .join("\n");
    for setting in ["unknown", "customer"] {
        let arguments = ["--deposit-fees-borne-by", setting, "-"];
        let events = events_of(&arguments, &lines);
        assert_eq!(events.len(), 2, "{setting}");
        assert!(events.iter().all(|event| event["data"]["restated"].is_null()), "{setting}: {events:#?}");
        let printed = preview_of(&arguments, &lines);
        assert_eq!(printed.stdout.matches(": the same webhook again\n").count(), 2, "{}", printed.stdout);
    }
}

#[test]
fn both_legs_of_an_exchange_are_named_and_owed_to_nobody() {
    let printed = preview(&["events/striga/exchange.pending.json", "events/striga/exchange.confirmed.json"]);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    for part in [
        "     pending, 10 EUR sold for 23.724792408066429418 POL, account ",
        "     confirmed, 10 EUR sold for 23.724792408066429418 POL, account ",
        "  nothing was credited, withdrawn or held, and nothing is to be returned\n",
    ] {
        assert!(printed.stdout.contains(part), "{part:?} is not in\n{}", printed.stdout);
    }
}

#[test]
fn a_webhook_that_is_not_recognized_needs_review_and_the_reason_is_named() {
    let printed = preview(&[NOT_JSON, PENDING]);
    let reason = "not recognized: the body is not JSON: expected value at line 1 column 1";
    assert_eq!(printed.code, Some(3), "{printed:?}");
    assert!(printed.stdout.contains(&format!("     {reason}\n")), "{}", printed.stdout);
    assert!(printed.stdout.contains(&format!(": {reason} ({NOT_JSON})\n")), "{}", printed.stdout);
}

#[test]
fn json_is_one_event_a_line_and_notes_go_to_standard_error() {
    let printed = preview(&["--json", PENDING, PENDING, NOT_JSON]);
    assert_eq!(printed.code, Some(3), "{printed:?}");
    let events: Vec<Value> = printed.stdout.lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
    assert_eq!(types(&events), ["fundhook.deposit.pending", "fundhook.unrecognized.seen"]);
    assert_eq!(events[0]["specversion"], "1.0");
    assert_eq!(events[0]["id"], format!("{DEPOSIT}#1"));
    let evidence = json!({
        "received_at": "2026-01-01T00:00:00Z",
        "attestation": { "scheme": "unverified", "class": "unverified", "key": "none" },
        "archived": { "object": PENDING, "line": 0 },
        "correlation_id": events[0]["correlationid"],
    });
    assert_eq!(events[0]["data"]["evidence"], evidence);
    let notes: Vec<&str> = printed.stderr.lines().collect();
    assert_eq!(notes[0], format!("· {PENDING}: publishes nothing about {DEPOSIT}: the same webhook again"));
    assert!(notes[1].starts_with("· needs review: unrecognized#connect#"), "{notes:?}");
    assert_eq!(notes.len(), 2);
}

#[test]
fn a_feed_and_a_payload_type_can_be_passed_for_all_webhooks() {
    let body = one_line("events/zerohash/deposit.completed.json");
    let body = file("passed", "body.json", body);
    let arguments = ["--feed", "zerohash/acme", "--payload-type", "deposit.status_changed", &body];
    let of_file = events_of(&arguments, "");
    assert_eq!(types(&of_file), ["fundhook.deposit.confirmed"]);
    assert_eq!(of_file[0]["data"]["tenant"], "acme");
    let trade = ["--feed", "zerohash", "--payload-type", "trade.status_changed", &body];
    assert_eq!(events_of(&trade, "")[0]["data"]["payload_type"], "trade.status_changed");
    // What a line says counts more.
    let line = format!(
        r#"{{"feed":"zerohash","payload_type":"trade.status_changed","body":{}}}"#,
        one_line("events/zerohash/deposit.completed.json")
    );
    let passed = ["--feed", "connect", "--payload-type", "deposit.status_changed", "-"];
    assert_eq!(events_of(&passed, &line)[0]["data"]["payload_type"], "trade.status_changed");
    let printed = preview(&["--feed", "zerohash/acme", &body]);
    assert!(printed.stdout.contains("  acme/CUST01  USDC         75 "), "{}", printed.stdout);
}

#[test]
fn the_body_of_a_line_reaches_the_normaliser_byte_for_byte() {
    let samples = [
        ("fund.success.json", "zerohash"),
        ("odd/duplicate_key.json", "zerohash"),
        ("odd/credit_as_number.json", "striga"),
        ("odd/non_ascii.json", "connect"),
    ];
    let samples = samples.map(|(name, feed)| (one_line(&format!("events/{feed}/{name}")), feed));
    let made = [
        // Repeated members, exponents, trailing zeros, escapes, spaces and `null` are kept.
        (r#"{"a" : 1e2, "a":1.00, "b":"\u00e9\/" ,  "c":123456789012345678901234567890}"#.to_owned(), "striga"),
        ("null".to_owned(), "connect"),
        ("[ ]".to_owned(), "connect"),
    ];
    for (body, feed) in samples.into_iter().chain(made) {
        let body = body.trim();
        let bare = file("bytes", "body.json", body);
        let as_file = events_of(&["--feed", feed, &bare], "");
        let as_text = json!({ "feed": feed, "text": body }).to_string();
        for line in [format!(r#" {{"feed": "{feed}", "body":  {body} }}"#), as_text] {
            let as_line = events_of(&["-"], &line);
            assert_eq!(
                as_line.into_iter().map(without_place).collect::<Vec<_>>(),
                as_file.iter().cloned().map(without_place).collect::<Vec<_>>(),
                "{line}"
            );
        }
    }
}

#[test]
fn a_body_may_have_any_bytes() {
    let latin = file("bytes-any", "striga/latin.bin", b"Z\xfcrich\x00");
    let seen = events_of(&[&latin], "");
    assert_eq!((types(&seen), &seen[0]["data"]["body_bytes"]), (vec!["fundhook.unrecognized.seen"], &json!(7)));
    let text = events_of(&["-"], r#"{"feed":"connect","text":"a=1&b=2"}"#);
    assert_eq!(text[0]["data"]["body_bytes"], 7);
}

#[test]
fn lines_are_read_from_standard_input_and_from_ndjson_files_and_blank_ones_are_skipped() {
    let line = |path| format!(r#"{{"body":{},"feed":"connect"}}"#, one_line(path));
    let lines = format!("\n{}\r\n  \r\n{}\n", line(PENDING), line(CONFIRMED));
    let ndjson = file("lines", "two.ndjson", &lines);
    for printed in [preview(&[&ndjson]), preview_of(&["-"], &lines)] {
        assert_eq!(printed.code, Some(0), "{printed:?}");
        assert!(printed.stdout.contains(" line 2  connect\n   fundhook.deposit.pending"), "{}", printed.stdout);
        assert!(printed.stdout.contains(" line 4  connect\n   fundhook.deposit.confirmed"), "{}", printed.stdout);
    }
    let mixed = events_of(&[&ndjson, SUBMITTED, "-"], r#"{"feed":"connect","body":[]}"#);
    let expected = ["deposit.pending", "deposit.confirmed", "deposit.updated", "unrecognized.seen"];
    assert_eq!(types(&mixed), expected.map(|name| format!("fundhook.{name}")));
    assert_eq!(mixed[1]["data"]["evidence"]["archived"], json!({ "object": ndjson, "line": 3 }));
    assert_eq!(preview_of(&["-"], "\n").code, Some(0));
}

#[test]
fn a_row_of_the_list_is_the_event_that_its_webhook_would_be_and_they_count_once() {
    let row = one_line("events/zerohash/fund.success.json");
    let listed = format!(r#"{{"feed":"zerohash","list":true,"body":{row}}}"#);
    let from =
        format!(r#"{{"feed":"zerohash","list":true,"url":"https://api.connect.xyz/transactions","body":{row}}}"#);
    let sent = format!(r#"{{"feed":"zerohash","body":{row}}}"#);
    for (row, origin) in [(&listed, "https://preview.invalid"), (&from, "https://api.connect.xyz")] {
        let events = events_of(&["--payload-type", "deposit_fund_complete", "-"], &format!("{row}\n{sent}\n"));
        assert_eq!(types(&events), ["fundhook.deposit.confirmed"]);
        let (reconciled, attestation) =
            (&events[0]["data"]["reconciled"], &events[0]["data"]["evidence"]["attestation"]);
        assert_eq!(reconciled, true);
        assert_eq!((&attestation["scheme"], &attestation["key"]), (&json!("connect-transactions-api"), &json!(origin)));
    }
    let printed = preview_of(&["-"], &format!("{listed}\n{sent}\n"));
    for part in
        ["  zerohash  row of GET /transactions\n", ", from the provider's list\n", ": agrees with what was recorded"]
    {
        assert!(printed.stdout.contains(part), "{part:?} is not in\n{}", printed.stdout);
    }
}

#[test]
fn a_webhook_that_repeats_another_in_other_bytes_publishes_nothing() {
    let again = file("again", "connect/again.json", format!("{} ", one_line(CONFIRMED)));
    let printed = preview(&[CONFIRMED, &again]);
    let expected = format!("   publishes nothing about {DEPOSIT}: repeats in other bytes what was recorded\n");
    assert!(printed.stdout.contains(&expected), "{}", printed.stdout);
    assert_eq!(printed.code, Some(0));
}

#[test]
fn webhooks_are_received_at_the_given_time_and_otherwise_a_second_after_the_one_before() {
    // A statement about this deposit has no date of its own.
    let line = |number: u32, at: &str| {
        let body = one_line("events/zerohash/deposit_failed.json").replace("CUST01", &format!("CUST{number}"));
        format!(r#"{{"feed":"zerohash"{at},"body":{body}}}"#)
    };
    let lines = [
        line(1, ""),
        line(2, ""),
        line(3, r#","at":"2026-11-28T12:00:00.5Z""#),
        line(4, ""),
        line(5, r#","at":"2025-01-01T01:00:00+01:00""#),
    ];
    let events = events_of(&["-"], &lines.join("\n"));
    let deposits = events.iter().filter(|event| event["data"]["kind"] == "deposit");
    let times: Vec<&str> = deposits.map(|event| event["time"].as_str().expect("a time")).collect();
    assert_eq!(
        times,
        [
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:01Z",
            "2026-11-28T12:00:00.500Z",
            "2026-11-28T12:00:01.500Z",
            "2025-01-01T00:00:00Z"
        ]
    );
}

#[test]
fn bad_input_is_named_with_what_would_be_right_before_anything_is_printed() {
    let valid = r#"{"feed":"connect","body":{}}"#;
    let line_errors = [
        ("{", "EOF while parsing an object in column 1; a line must be JSON such as {\"feed\""),
        ("[]", "a line must be JSON such as"),
        (r#"{"body":{}}"#, r#"add a member such as "feed": "zerohash", or pass --feed"#),
        (r#"{"feed":"bank","body":{}}"#, r#""bank" is not a known provider; a feed is connect, zerohash or striga"#),
        (r#"{"feed":"connect/A","body":{}}"#, "is not a tenant name"),
        (r#"{"feed":"connect"}"#, "neither `body` (JSON) nor `text` (the raw body) is given"),
        (r#"{"feed":"connect","body":{},"text":""}"#, "both `body` and `text` are given"),
        (r#"{"feed":"connect","body":{},"at":"today"}"#, r#"`at`: "today" is not an RFC 3339 date-time such as"#),
        (r#"{"feed":"connect","body":{},"payload":"x"}"#, "unknown field `payload`, expected one of `feed`"),
        (r#"{"feed":"connect","text":{}}"#, "expected a string"),
        (r#"{"feed":"connect","body":{},"url":"https://x"}"#, r#"add "list": true, or leave it out"#),
        (r#"{"feed":"connect","body":{},"list":true,"payload_type":"x"}"#, "has no `payload_type`; leave it out"),
        (r#"{"feed":"striga","body":{},"list":true}"#, "Striga has no list"),
    ];
    for (line, expected) in line_errors {
        let lines = file("bad", "bad.ndjson", format!("{valid}\n\n{line}\n"));
        let printed = preview(&[PENDING, &lines]);
        assert_eq!((printed.stdout.as_str(), printed.code), ("", Some(2)), "{line}: {printed:?}");
        assert!(printed.stderr.starts_with(&format!("error: {lines} line 3: ")), "{line}: {}", printed.stderr);
        assert!(printed.stderr.contains(expected), "{line}: {}", printed.stderr);
    }
    let latin = file("bad", "latin.ndjson", b"{\"feed\":\"connect\",\"text\":\"\xfc\"}");
    let homeless = file("bad", "body.json", "{}");
    let missing = format!("error: {homeless}: nothing says which provider sends this body; pass --feed connect");
    for (arguments, expected) in [
        (vec!["no/such/file.json"], "error: cannot read no/such/file.json: No such file"),
        (vec!["events/connect"], "error: cannot read events/connect: "),
        (vec![latin.as_str()], "line 1: the line is not UTF-8"),
        (vec![homeless.as_str()], missing.as_str()),
        (vec!["--feed", "bank", PENDING], "is not a known provider; a feed is connect, zerohash or striga"),
        (vec![], "required arguments were not provided"),
    ] {
        let printed = preview(&arguments);
        assert_eq!((printed.stdout.as_str(), printed.code), ("", Some(2)), "{arguments:?}: {printed:?}");
        assert!(printed.stderr.contains(expected), "{arguments:?}: {}", printed.stderr);
    }
    let printed = preview_of(&["-"], "{}");
    assert!(printed.stderr.starts_with("error: standard input line 1: "), "{}", printed.stderr);
}

/// The samples of all providers.
fn samples() -> Vec<String> {
    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).expect("a folder of samples").map(|entry| entry.expect("an entry").path());
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
    }
    let providers = ["connect", "striga", "zerohash"].map(|name| files(&root().join("events").join(name)));
    let below = |path: PathBuf| path.strip_prefix(root()).expect("below").to_str().expect("UTF-8").to_owned();
    let samples: BTreeSet<String> = providers.into_iter().flatten().map(below).collect();
    assert!(samples.len() > 50, "{samples:?}");
    samples.into_iter().collect()
}

#[test]
fn every_sample_alone_publishes_events() {
    for sample in samples() {
        let seen = events_of(&[&sample], "");
        assert!(!seen.is_empty(), "{sample}");
        let needs_review = |event: &Value| {
            let data = &event["data"];
            data["kind"] == "unrecognized"
                || data.get("surplus").is_some()
                || ["review", "setting"].map(Value::from).contains(&data["hold"]["needs"])
        };
        let code = if seen.iter().any(needs_review) { 3 } else { 0 };
        assert_eq!(preview(&[&sample]).code, Some(code), "{sample}");
    }
}

#[test]
fn all_samples_together_print_the_same_each_time() {
    let samples = samples();
    let samples: Vec<&str> = samples.iter().map(String::as_str).collect();
    for json in [&[][..], &["--json"]] {
        let arguments = [json, &samples].concat();
        let printed = preview(&arguments);
        assert_eq!(printed.code, Some(3), "{}", printed.stderr);
        assert_eq!(printed, preview(&arguments));
    }
    let twice = [samples.as_slice(), &samples].concat();
    assert_eq!(events_of(&samples, "").len(), events_of(&twice, "").len(), "the second time publishes nothing");
}

#[test]
fn the_help_explains_input_and_exit_codes() {
    let printed = preview(&["--help"]);
    assert_eq!(printed.code, Some(0));
    for part in [
        "It runs offline",
        "have one\n  webhook a line",
        "Exit code:\n  0  everything was understood\n  2  a file",
        "\n  3  something",
    ] {
        assert!(printed.stdout.contains(part), "{part:?} is not in\n{}", printed.stdout);
    }
}

#[test]
fn a_payment_of_more_than_had_arrived_needs_review_and_is_booked() {
    let printed = preview(&["events/zerohash/payment.settled.json"]);
    assert_eq!(printed.code, Some(3), "{printed:?}");
    for part in [
        "   fundhook.recovery.surplus  recovery#zerohash#",
        "     100 USDC more was returned than had arrived; needs review\n",
        ": 100 USDC more was returned than had arrived (events/zerohash/payment.settled.json)\n",
        "  USDC   provider:zerohash         99.999\n",
        "  USDC   fees:zerohash              0.001\n",
        "  USDC   returns:zerohash     100\n",
        "  trial balance: zero: debits equal credits in each asset\n",
    ] {
        assert!(printed.stdout.contains(part), "{part:?} is not in\n{}", printed.stdout);
    }
}
