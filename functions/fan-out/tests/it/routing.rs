//! Which queue each statement goes to, and how unrecognized webhooks are counted.

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{FeeBearer, HoldReason, Kind, Statement, Status};
use fundhook_ports::fakes::{Fake, Queue};
use fundhook_providers::{Envelope, IdKey, ReadingSettings};
use serde_json::Value;

use crate::support::{
    UNRECOGNIZED, World, batch, envelope, failed, messages, object, of_feed, of_zerohash, ping, statements,
};

macro_rules! sample {
    ($path:literal) => {
        include_str!(concat!("../../../../events/", $path))
    };
}

/// A webhook of Striga of a type that is not known.
const CARD: &str = sample!("striga/odd/card_authorization.json");

/// How many statements of each kind were sent to a queue.
fn kinds(queue: &Fake<Queue>) -> BTreeMap<Kind, usize> {
    let mut kinds = BTreeMap::new();
    statements(queue).iter().for_each(|statement| *kinds.entry(statement.resource.kind()).or_default() += 1);
    kinds
}

/// Webhooks, each with its name in assertions and the kinds of its statements on the transfers and the accounts queue.
fn webhooks() -> Vec<(&'static str, String, Vec<Kind>, Vec<Kind>)> {
    let striga = |body| of_feed("striga", body);
    let (deposit, withdrawal) = (Kind::Deposit, Kind::Withdrawal);
    vec![
        (
            "a fund transaction",
            of_zerohash("deposit_fund_complete", sample!("zerohash/fund.success.json")),
            vec![deposit],
            vec![],
        ),
        (
            "a deposit",
            of_zerohash("deposit.status_changed", sample!("zerohash/deposit.completed.json")),
            vec![deposit],
            vec![],
        ),
        (
            "an unexpected deposit",
            of_zerohash("deposit.status_changed", sample!("zerohash/deposit.recovery_quarantine.json")),
            vec![deposit, Kind::Recovery],
            vec![],
        ),
        (
            "an unexpected deposit, announced by Connect",
            envelope(sample!("connect/deposits.unexpected.recovery.json")),
            vec![deposit, Kind::Recovery],
            vec![],
        ),
        (
            "the payment that returns it",
            of_zerohash("payment_status_changed", sample!("zerohash/payment.settled.json")),
            vec![withdrawal, Kind::Recovery],
            vec![],
        ),
        ("a network fee", striga(sample!("striga/network_fee.json")), vec![withdrawal, Kind::Fee], vec![]),
        ("its refund", striga(sample!("striga/fee_refund.json")), vec![withdrawal, Kind::Fee], vec![]),
        ("a leg of the platform's fee", striga(sample!("striga/application_fee.debit.json")), vec![Kind::Fee], vec![]),
        (
            "a balance",
            of_zerohash("account_balance.changed", sample!("zerohash/balance.changed.seconds.json")),
            vec![],
            vec![Kind::Balance],
        ),
        (
            "a user",
            of_zerohash("participant_status_changed", sample!("zerohash/participant.approved.json")),
            vec![],
            vec![Kind::Participant],
        ),
        (
            "an external account",
            of_zerohash("external_account_status_changed", sample!("zerohash/external_account.approved.json")),
            vec![],
            vec![Kind::ExternalAccount],
        ),
        ("an incoming bank transfer", striga(sample!("striga/sepa_payin.completed.json")), vec![deposit], vec![]),
        ("a leg of an exchange", striga(sample!("striga/exchange.pending.json")), vec![Kind::Exchange], vec![]),
        ("a person", striga(sample!("striga/kyc.approved.json")), vec![], vec![Kind::Participant]),
        ("a webhook of an unknown type", striga(CARD), vec![], vec![Kind::Unrecognized]),
        ("a test webhook", ping(), vec![], vec![Kind::Unrecognized]),
    ]
}

#[tokio::test]
async fn statements_about_money_go_to_transfers_and_all_others_to_accounts() {
    let one_each = |kinds: &[Kind]| kinds.iter().map(|kind| (*kind, 1)).collect::<BTreeMap<_, _>>();
    let mut seen = BTreeSet::new();
    for (what, webhook, transfers, accounts) in webhooks() {
        let world = World::default();
        assert!(failed(&world.handle(&[webhook]).await).is_empty(), "{what}");
        assert_eq!(kinds(&world.transfers), one_each(&transfers), "{what}");
        assert_eq!(kinds(&world.accounts), one_each(&accounts), "{what}");
        let calls = (world.transfers.calls(), world.accounts.calls());
        assert_eq!(calls, (transfers.len().min(1), accounts.len().min(1)), "{what}: one call for all its statements");
        seen.extend([transfers, accounts].concat());
    }
    assert_eq!(seen, BTreeSet::from(Kind::ALL), "a kind has no webhook in this test");
}

#[tokio::test]
async fn the_statements_of_one_webhook_name_the_same_line_of_evidence_and_are_different_facts() {
    let (_, padding, ..) = webhooks().swap_remove(0);
    for (what, webhook, transfers, _) in webhooks().into_iter().filter(|(_, _, transfers, _)| transfers.len() == 2) {
        let world = World::default();
        world.handle(&[padding.clone(), webhook]).await;
        let (key, lines) = object(&world.evidence);
        assert_eq!(lines.len(), 2, "{what}");
        let statements: Vec<Statement> = statements(&world.transfers).into_iter().skip(1).collect();
        assert_eq!(statements.len(), transfers.len(), "{what}");
        for statement in &statements {
            let archived = &statement.content.evidence.archived;
            assert_eq!((archived.object.as_str(), archived.line), (key.as_str(), 1), "{what}");
        }
        assert_ne!(statements[0].content.id, statements[1].content.id, "{what}");
        assert_ne!(statements[0].resource, statements[1].resource, "{what}");
    }
}

#[tokio::test]
async fn a_webhook_fails_once_and_alone_when_one_of_its_statements_is_refused() {
    let all: Vec<String> = webhooks().into_iter().map(|(_, webhook, ..)| webhook).collect();
    // The third and fourth webhooks announce the same coin and the fifth returns it: three statements about one recovery.
    let transfers = Fake::<Queue>::refusing(r#""resource":"recovery#"#);
    let world = World { transfers, ..World::default() };
    assert_eq!(failed(&world.handle(&all).await), messages(&[2, 3, 4]));
    let recoveries =
        statements(&world.transfers).into_iter().filter(|statement| statement.resource.kind() == Kind::Recovery);
    let ids: BTreeSet<String> = recoveries.map(|statement| statement.resource.to_string()).collect();
    // Its id does not contain the user's code.
    let recovery = format!("recovery#zerohash#{}", IdKey::public().name(&["CUST01", "USDC"]));
    assert_eq!(ids.into_iter().collect::<Vec<_>>(), [recovery]);
}

#[tokio::test]
async fn the_webhooks_of_a_tenant_are_about_resources_of_that_tenant() {
    let world = World::default();
    let body = sample!("striga/network_fee.json");
    assert!(failed(&world.handle(&[of_feed("striga/acme", body), of_feed("striga", body)]).await).is_empty());
    let mut ids: Vec<String> =
        statements(&world.transfers).iter().map(|statement| statement.resource.to_string()).collect();
    ids.sort_unstable();
    let id = "d646143f-85af-4197-88ac-a84e46002205";
    let expected = ["fee#striga#", "fee#striga/acme#"].map(|feed| format!("{feed}{id}:network"));
    assert_eq!(ids[..2], expected);
    assert_eq!(ids[2..], ["withdrawal#striga#", "withdrawal#striga/acme#"].map(|feed| format!("{feed}{id}")));
    let facts: BTreeSet<String> =
        statements(&world.transfers).iter().map(|statement| statement.content.id.to_string()).collect();
    assert_eq!(facts.len(), 4);
}

#[tokio::test]
async fn unrecognized_webhooks_are_counted_by_feed_and_type_once_a_batch() {
    let [unknown, not_json] = UNRECOGNIZED;
    let trade = sample!("zerohash/odd/trade.status_changed.json");
    let mut batch = vec![envelope(unknown), envelope(not_json), envelope(&unknown.replace("ORDER01", "ORDER02"))];
    batch.push(envelope(sample!("connect/deposits.pending.json")));
    batch.push(of_feed("striga/acme", CARD));
    batch.push(of_feed("striga", r#"{"cardId":"1"}"#));
    batch.push(ping());
    // One of the three bodies comes twice: each delivery is counted.
    batch.extend([trade, trade, "{}"].map(|body| of_zerohash("trade.status_changed", body)));
    let long = "x".repeat(200);
    let odd = ["type with spaces", "\u{e4}\u{f6}", long.as_str(), &long[..100]];
    batch.extend(odd.map(|named| of_zerohash(named, "{}")));
    let world = World::default();
    assert!(failed(&world.handle(&batch).await).is_empty());

    let counted = |metric: &Value| {
        let text = |name: &str| metric[name].as_str().unwrap_or_default().to_owned();
        (text("provider"), text("type"), metric["UnrecognizedWebhooks"].as_u64().unwrap_or_default())
    };
    // A test webhook counts nowhere.
    let expected = [
        ("connect", "connect.orders.created", 2),
        // A body that is not JSON has no type.
        ("connect", "none", 1),
        // A dimension must not be empty, too long, or contain other characters than printable ASCII.
        ("zerohash", "-", 1),
        ("zerohash", "trade.status_changed", 3),
        ("zerohash", "typewithspaces", 1),
        ("zerohash", &"x".repeat(64), 2),
        ("striga", "none", 1),
        ("striga", "CARD_AUTHORIZATION", 1),
    ];
    let expected = expected.map(|(provider, named, count)| (provider.to_owned(), named.to_owned(), count));
    let metrics = world.metrics.lines();
    assert_eq!(metrics.iter().map(counted).collect::<Vec<_>>(), expected);
    for metric in &metrics {
        // The sum of a provider is what its alarm watches.
        let sets = serde_json::json!([["stack", "provider"], ["stack", "provider", "type"]]);
        assert_eq!(metric["_aws"]["CloudWatchMetrics"][0]["Dimensions"], sets);
        assert_eq!(metric["_aws"]["Timestamp"], 1_759_866_292_000_i64, "the time at which the batch was handled");
    }
}

#[tokio::test]
async fn a_batch_without_unrecognized_webhooks_writes_no_metric() {
    let understood = webhooks().into_iter().filter(|(_, _, _, accounts)| *accounts != [Kind::Unrecognized]);
    let batch: Vec<String> = understood.map(|(_, webhook, ..)| webhook).collect();
    let world = World::default();
    assert!(failed(&world.handle(&batch).await).is_empty());
    assert_eq!(world.metrics.lines(), Vec::<Value>::new());
}

#[tokio::test]
async fn webhooks_are_read_with_the_settings_of_fan_out() {
    let fee = of_zerohash("deposit_fund_complete", sample!("zerohash/fund.fee_bearer_unknown.json"));
    for (borne_by, status, hold, net) in [
        (None, "held", Some(HoldReason::FeeBearerUnknown), None),
        (Some(FeeBearer::Customer), "confirmed", None, Some("495")),
        (Some(FeeBearer::Platform), "confirmed", None, Some("500")),
    ] {
        let reading = ReadingSettings { deposit_fees_borne_by: borne_by, ..ReadingSettings::default() };
        let world = World { reading, ..World::default() };
        assert!(failed(&world.handle(std::slice::from_ref(&fee)).await).is_empty());
        let content = statements(&world.transfers).remove(0).content;
        assert_eq!(content.status.map(Status::as_str), Some(status), "{borne_by:?}");
        assert_eq!(content.details.hold().map(|hold| hold.reason), hold, "{borne_by:?}");
        let credited = content.details.credit().map(|credit| credit.net.value.to_string());
        assert_eq!(credited.as_deref(), net, "{borne_by:?}");
        assert_eq!(content.reading.settings.is_empty(), borne_by.is_none(), "another setting is another reading");
    }
}

#[tokio::test]
async fn resources_without_an_id_are_named_with_the_key_of_the_settings() {
    let returned = of_zerohash("payment_status_changed", sample!("zerohash/payment.settled.json"));
    let key = IdKey::new(&"a secret".to_owned().into());
    let reading = ReadingSettings { id_key: key.clone(), ..ReadingSettings::default() };
    let world = World { reading, ..World::default() };
    assert!(failed(&world.handle(&[returned]).await).is_empty());
    let ids: Vec<String> =
        statements(&world.transfers).iter().map(|statement| statement.resource.to_string()).collect();
    let recovery = format!("recovery#zerohash#{}", key.name(&["CUST01", "USDC"]));
    assert!(ids.contains(&recovery), "{ids:?}");
}

#[tokio::test]
async fn a_statement_goes_on_with_the_trace_and_the_id_of_its_webhook() {
    let world = World::default();
    let pending = envelope(sample!("connect/deposits.pending.json"));
    let approved = envelope(sample!("connect/participant.approved.json"));
    let mut event = batch(&[&pending, &approved]);
    let trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    event.records[0].attributes.insert("AWSTraceHeader".to_owned(), trace.to_owned());
    assert!(failed(&world.handle_event(event).await).is_empty());
    assert_eq!(world.transfers.now().traces, [trace], "the queue continues the trace of this webhook");
    assert_eq!(world.accounts.now().traces, Vec::<String>::new(), "the other one has none");

    let [statement] = statements(&world.transfers).try_into().expect("one");
    let expected = Envelope::from_json(&pending).expect("an envelope").correlation_id();
    assert_eq!(statement.content.evidence.correlation_id, expected);
    assert_ne!(expected, Envelope::from_json(&approved).expect("an envelope").correlation_id());
}
