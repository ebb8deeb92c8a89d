//! Dropped webhooks are reconciled from the provider's list, and overdue resources are reported.

use std::time::Duration;

use fundhook::backfill::{StackReconciler, backfill, backfilled_lines};
use fundhook::target::Target;
use fundhook_domain::{EvidenceClass, Kind, Provider, ResourceId, Timestamp};
use fundhook_local_stack::sending::Webhook;
use fundhook_reconciliation::{BackfillMode, BackfillPart, BackfillRequest};
use fundhook_sandbox::DropShare;
use fundhook_tests::{Listener, Platform, changed, eventually, hash, resource, run, unique, uuid};
use serde_json::{Value, json};

const DAY: Duration = Duration::from_secs(86_400);

/// The number of deposits. Each deposit has three webhooks.
const DEPOSITS: usize = 5;

/// The share of webhooks that the provider drops.
const DROPPED_PERCENT: u8 = 30;

/// A webhook about `deposit`, dated `at`.
fn dated(file: &str, deposit: &ResourceId, transaction: &str, at: Timestamp) -> Webhook {
    let changes = [
        ("/deposit/created_at", json!(at.minus(Duration::from_secs(60)).to_string())),
        ("/deposit/updated_at", json!(at.to_string())),
        ("/deposit/transaction/hash", json!(transaction)),
    ];
    Webhook::new(Provider::Connect, changed(file, deposit.native(), &changes))
}

/// The webhooks of a deposit that was confirmed at `at`.
fn life(deposit: &ResourceId, at: Timestamp) -> [Webhook; 3] {
    let (hash, minute) = (hash(), Duration::from_secs(60));
    [
        dated("deposits.pending.json", deposit, "", at.minus(2 * minute)),
        dated("deposits.submitted.json", deposit, "", at.minus(minute)),
        dated("deposits.confirmed.json", deposit, &hash, at),
    ]
}

/// The time one minute ago. The report covers the day of this time.
fn a_minute_ago() -> Timestamp {
    fundhook_runtime::now().minus(Duration::from_secs(60))
}

fn confirmations(listener: &Listener<'_>, deposit: &ResourceId) -> Vec<String> {
    let subject = deposit.to_string();
    let about = listener.received().iter().filter(|delivery| delivery.text("/subject") == subject);
    let confirmed = about.filter(|delivery| delivery.text("/type") == "fundhook.deposit.confirmed");
    let mut ids: Vec<String> = confirmed.map(|delivery| delivery.id().to_owned()).collect();
    ids.sort();
    ids.dedup();
    ids
}

async fn receive_confirmed(listener: &mut Listener<'_>, deposit: &ResourceId) {
    let subject = deposit.to_string();
    let what = format!("{subject} is confirmed");
    let is = |delivery: &fundhook::subscription::Delivery| {
        delivery.text("/subject") == subject && delivery.text("/type") == "fundhook.deposit.confirmed"
    };
    listener.receive_one(&what, is).await;
}

/// The summary of a run that reads every list. A run does not read a list that the previous one read less than a second ago.
async fn read_the_list(platform: &Platform) -> Value {
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let run = async || platform.reconcile(&json!({})).await;
    eventually("the list is read", run, |summary| summary["pages"].as_u64() > Some(0)).await
}

/// The provider drops all webhooks of one deposit, and others at random. The platform still receives one confirmation of each
/// deposit.
async fn dropped_webhooks_are_reconciled(platform: &Platform, listener: &mut Listener<'_>, at: Timestamp) {
    let deposits: Vec<ResourceId> = (0..DEPOSITS).map(|_| unique(Kind::Deposit)).collect();
    let some = DropShare { percent: DROPPED_PERCENT, seed: 7 };
    let shares = std::iter::once(DropShare::ALL).chain(std::iter::repeat(some));
    let mut lost = 0;
    for (deposit, share) in deposits.iter().zip(shares) {
        platform.provider().drop_share(share).await.expect("the provider drops some webhooks");
        for webhook in life(deposit, at) {
            lost += usize::from(!platform.send_or_lose(&webhook).await);
        }
    }
    platform.provider().drop_share(DropShare::NONE).await.expect("the provider drops no webhooks");
    read_the_list(platform).await;
    for deposit in &deposits {
        receive_confirmed(listener, deposit).await;
        assert_eq!(confirmations(listener, deposit).len(), 1, "{deposit} is confirmed once");
    }
    assert!(lost >= 3, "the provider dropped {lost} of {} webhooks", 3 * DEPOSITS);
}

/// The only webhook about a deposit is dropped and arrives after the reconciliation.
async fn a_late_webhook_of_a_reconciled_deposit_changes_nothing(
    platform: &Platform,
    listener: &mut Listener<'_>,
    at: Timestamp,
) {
    let deposit = unique(Kind::Deposit);
    let [_, _, webhook] = life(&deposit, at);
    platform.provider().drop_share(DropShare::ALL).await.expect("the provider drops all webhooks");
    assert!(!platform.send_or_lose(&webhook).await, "the webhook is dropped");
    platform.provider().drop_share(DropShare::NONE).await.expect("the provider drops no webhooks");

    let summary = read_the_list(platform).await;
    assert_eq!((&summary["queued"], &summary["differing"]), (&json!(1), &json!(0)), "{summary}");
    let event = listener.event(&format!("{deposit}#1")).await;
    assert_eq!(event.text("/type"), "fundhook.deposit.confirmed");
    assert_eq!(event.event.pointer("/data/reconciled"), Some(&json!(true)));
    let reconciled = platform.recorded(&deposit, 1).await.view().expect("it has facts");
    assert_eq!(reconciled.evidence.attestation.class, EvidenceClass::Api);

    assert!(platform.send_or_lose(&webhook).await, "the provider sends the webhook");
    let recorded = platform.recorded(&deposit, 2).await;
    let view = recorded.view().expect("it has facts");
    assert_eq!(view.evidence.attestation.class, EvidenceClass::Asymmetric);
    assert_eq!((view.status, recorded.sequence()), (reconciled.status, 1), "no further event");

    let summary = read_the_list(platform).await;
    assert_eq!(summary["queued"], json!(0), "list and table agree: {summary}");
}

/// The provider revokes the token before its expiry.
async fn a_revoked_token_is_replaced_with_one_request(platform: &Platform) {
    let granted = async || platform.provider().counts().await.expect("the provider returns its counts").tokens_granted;
    let before = granted().await;
    platform.provider().revoke_tokens().await.expect("the provider revokes the token");
    read_the_list(platform).await;
    assert_eq!(granted().await, before + 1);
}

/// The totals of list, table and events agree after the last confirmation is published.
async fn the_days_control_totals_agree(platform: &Platform, day: &str) {
    let report = async || platform.reconcile(&json!({ "report_of": day })).await;
    let report_of = |answer: &Value| {
        let reports = answer["reports"].as_array().cloned().unwrap_or_default();
        reports.into_iter().find(|report| report["list"] == "transactions").unwrap_or_default()
    };
    let line = |answer: &Value| report_of(answer).pointer("/lines/0").cloned().unwrap_or_default();
    let same = |answer: &Value| {
        let line = line(answer);
        let all = json!(DEPOSITS + 1);
        let whose = ["provider", "ours", "published", "posted"];
        whose.iter().all(|who| line[who]["count"] == all && line[who] == line["provider"])
    };
    let answer = eventually("the day's control totals agree", report, same).await;
    assert_eq!(line(&answer)["asset"], json!("BTC"));
    assert_eq!(report_of(&answer)["discrepancies"], json!([]), "{answer}");
}

#[test]
fn dropped_webhooks_are_read_from_the_providers_list() {
    run(async {
        let platform = &Platform::deploy(&[]).await;
        let mut listener = platform.listen().await;
        let at = a_minute_ago();
        dropped_webhooks_are_reconciled(platform, &mut listener, at).await;
        a_late_webhook_of_a_reconciled_deposit_changes_nothing(platform, &mut listener, at).await;
        a_revoked_token_is_replaced_with_one_request(platform).await;
        the_days_control_totals_agree(platform, &at.day()).await;
    });
}

/// The sample `file` of zerohash with these changes.
fn of_zerohash(file: &str, changes: &[(&str, Value)]) -> Webhook {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/zerohash").join(file);
    let text = std::fs::read(&path).unwrap_or_else(|error| unreachable!("{}: {error}", path.display()));
    let mut body: Value = serde_json::from_slice(&text).expect("JSON");
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        body.pointer_mut(parent).expect("the parent exists")[name] = value.clone();
    }
    Webhook::new(Provider::Zerohash, body.to_string().into_bytes())
}

/// What zerohash reports in this test: each thing with its webhook and the type of its event.
fn things_of_zerohash(at: Timestamp) -> Vec<(ResourceId, Webhook, &'static str)> {
    let [fund, state, payment, bank, user, account] = [uuid(), uuid(), uuid(), uuid(), uuid(), uuid()];
    let (ms, iso) = (json!(at.unix_seconds() * 1000), json!(at.to_string()));
    let named = |kind, id: &str| resource(kind, Provider::Zerohash, id);
    vec![
        (
            named(Kind::Deposit, &fund),
            of_zerohash(
                "fund.match_failed.json",
                &[
                    ("/fund_id", json!(fund)),
                    ("/transaction_id", json!(hash())),
                    ("/fund_timestamp", ms.clone()),
                    ("/deposit_timestamp", ms.clone()),
                ],
            ),
            "fundhook.deposit.held",
        ),
        (
            named(Kind::Deposit, &state),
            of_zerohash(
                "deposit.quarantined.json",
                &[
                    ("/deposit_id", json!(state)),
                    ("/transaction_hash", json!(hash())),
                    ("/timestamp", json!(at.unix_seconds())),
                ],
            ),
            "fundhook.deposit.held",
        ),
        (
            named(Kind::Withdrawal, &payment),
            of_zerohash(
                "payment.settled.json",
                &[
                    ("/payment_id", json!(payment)),
                    ("/payment_details/withdrawal_request_id", json!(uuid())),
                    ("/payment_type", json!("payout")),
                    ("/created_at", iso.clone()),
                    ("/updated_at", iso.clone()),
                ],
            ),
            "fundhook.withdrawal.confirmed",
        ),
        (
            named(Kind::Withdrawal, &bank),
            of_zerohash("payment.bank.settled.json", &[("/transaction_id", json!(bank)), ("/timestamp", iso)]),
            "fundhook.withdrawal.confirmed",
        ),
        (
            named(Kind::Participant, &user),
            of_zerohash("participant.locked.json", &[("/participant_code", json!(user)), ("/timestamp", ms.clone())]),
            "fundhook.participant.locked",
        ),
        (
            named(Kind::ExternalAccount, &account),
            of_zerohash(
                "external_account.approved.json",
                &[("/external_account_id", json!(account)), ("/timestamp", ms)],
            ),
            "fundhook.external_account.approved",
        ),
    ]
}

#[test]
fn what_zerohash_sends_once_and_never_again_is_read_from_its_lists() {
    run(async {
        let platform = &Platform::deploy(&[]).await;
        let mut listener = platform.listen().await;
        let things = things_of_zerohash(a_minute_ago());
        platform.provider().drop_share(DropShare::ALL).await.expect("the provider drops all webhooks");
        for (resource, webhook, _) in &things {
            assert!(!platform.send_or_lose(webhook).await, "the webhook about {resource} is dropped");
        }
        platform.provider().drop_share(DropShare::NONE).await.expect("the provider drops no webhooks");

        let summary = read_the_list(platform).await;
        assert_eq!((&summary["queued"], &summary["differing"]), (&json!(things.len()), &json!(0)), "{summary}");
        for (resource, _, event_type) in &things {
            let event = listener.event(&format!("{resource}#1")).await;
            assert_eq!(event.text("/type"), *event_type, "{resource}");
            assert_eq!(event.event.pointer("/data/reconciled"), Some(&json!(true)), "{resource}");
        }

        // The webhooks arrive after all: the evidence changes, and nothing is published.
        for (resource, webhook, _) in &things {
            assert!(platform.send_or_lose(webhook).await, "the webhook about {resource} is sent");
        }
        for (resource, _, _) in &things {
            let is_signed = async || {
                let view = platform.recorded(resource, 2).await.view().expect("it has facts");
                view.evidence.attestation.class
            };
            let signed = |class: &EvidenceClass| *class == EvidenceClass::SharedSecret;
            eventually("the webhook supersedes the row", is_signed, signed).await;
            assert_eq!(platform.recorded(resource, 2).await.sequence(), 1, "{resource}: no further event");
        }
        let summary = read_the_list(platform).await;
        assert_eq!(summary["queued"], json!(0), "lists and table agree: {summary}");
    });
}

/// A backfill of the last weeks, with the operator's command.
async fn backfilled(platform: &Platform, mode: BackfillMode) -> BackfillPart {
    let target = Target::of(platform.deployment()).expect("the emulator has no TLS to set up");
    let function = target.output("ReconcilerFunctionName").expect("the template names its function");
    let reconciler = StackReconciler { target: &target, function };
    let from = fundhook_runtime::now().minus(30 * DAY).day_start();
    let request = BackfillRequest { from, to: None, mode, lists: vec![], tenant: None, after: None };
    let (found, ended) = backfill(request, &reconciler, |_| {}).await;
    ended.expect("everything is read");
    let found = found.expect("a part");
    backfilled_lines(&found).iter().for_each(|line| eprintln!("{line}"));
    found
}

#[test]
fn what_happened_before_the_deployment_is_recorded_by_a_backfill_and_is_not_news_later() {
    run(async {
        let platform = &Platform::deploy(&[]).await;
        let mut listener = platform.listen().await;
        let [booked, unknown] = [20, 10].map(|days| {
            let deposit = unique(Kind::Deposit);
            let [_, _, confirmed] = life(&deposit, fundhook_runtime::now().minus(days * DAY));
            (deposit, confirmed)
        });
        let happened_before = async |webhook: &Webhook| {
            platform.provider().drop_share(DropShare::ALL).await.expect("the provider drops all webhooks");
            assert!(!platform.send_or_lose(webhook).await, "the webhook is dropped");
            platform.provider().drop_share(DropShare::NONE).await.expect("the provider drops no webhooks");
        };
        happened_before(&booked.1).await;
        let summary = read_the_list(platform).await;
        assert_eq!(summary["queued"], json!(0), "the list is not read that far back: {summary}");

        let dry = backfilled(platform, BackfillMode::DryRun).await;
        let found = backfilled(platform, BackfillMode::RecordOnly).await;
        assert_eq!((&dry.lists, found.lists[0].queued_in_all()), (&found.lists, 1), "{found:?}");
        let recorded = platform.recorded(&booked.0, 1).await;
        assert_eq!(recorded.sequence(), 0, "it publishes nothing");
        assert!(platform.send_or_lose(&booked.1).await, "the provider sends the webhook");
        let event = listener.event(&format!("{}#1", booked.0)).await;
        assert_eq!(event.text("/type"), "fundhook.deposit.updated");
        assert_eq!(event.event.pointer("/data/postings"), Some(&json!([])), "the platform has booked it");

        happened_before(&unknown.1).await;
        let found = backfilled(platform, BackfillMode::Publish).await;
        assert_eq!((found.lists[0].recorded, found.lists[0].queued_in_all()), (1, 1), "{found:?}");
        let event = listener.event(&format!("{}#1", unknown.0)).await;
        assert_eq!(event.text("/type"), "fundhook.deposit.confirmed");
        assert_eq!(event.event.pointer("/data/backfilled"), Some(&json!(true)));
        let again = backfilled(platform, BackfillMode::Publish).await;
        assert_eq!(again.lists[0].queued_in_all(), 0, "{again:?}");
    });
}

#[test]
fn an_overdue_resource_is_reported_once() {
    run(async {
        let limits = [("OverdueDepositSeconds", "1"), ("OverdueWithdrawalSeconds", "1")];
        let platform = &Platform::deploy(&limits).await;
        let mut listener = platform.listen().await;
        let (deposit, withdrawal) = (unique(Kind::Deposit), unique(Kind::Withdrawal));
        let [pending, _, confirmed] = life(&deposit, a_minute_ago());
        let initiated = dated("withdrawal.initiated.json", &withdrawal, "", a_minute_ago());
        platform.deliver(&[pending, initiated]).await;
        for resource in [&deposit, &withdrawal] {
            platform.recorded(resource, 1).await;
        }

        let overdue = async || platform.reconcile(&json!({})).await["overdue"].as_u64();
        let mut reported = 0;
        eventually(
            "both resources are reported",
            async || {
                reported += overdue().await.expect("a number");
                reported
            },
            |reported| *reported >= 2,
        )
        .await;
        for resource in [&deposit, &withdrawal] {
            let event = listener.event(&format!("{resource}#2")).await;
            assert_eq!(event.text("/type"), format!("fundhook.{}.overdue", resource.kind()));
            platform.recorded(resource, 2).await;
        }
        let of_overdue = async || platform.found_by("open", "open", "deposit.overdue").await;
        eventually("the index lists the deposit as overdue", of_overdue, |all| all.contains(&deposit)).await;
        assert_eq!(overdue().await, Some(0), "each resource is reported once");

        platform.deliver(&[confirmed]).await;
        receive_confirmed(&mut listener, &deposit).await;
        eventually("the index no longer lists the final deposit", of_overdue, |all| !all.contains(&deposit)).await;
    });
}
