//! Every fact of a resource names the request that the provider signed.

use fundhook::show::timeline;
use fundhook_domain::{FactId, Kind, Resource};
use fundhook_providers::{Envelope, Rejection};
use fundhook_tests::{Platform, about, run, unique, verify_again};
use tokio::sync::OnceCell;

/// The webhooks of one deposit. The last two arrive too late to change its status. The last one repeats the third with
/// different bytes.
fn webhooks(native: &str) -> [Vec<u8>; 4] {
    let submitted = about("deposits.submitted.json", native);
    let in_other_bytes = [submitted.trim_ascii(), b"\n\n"].concat();
    let pending = about("deposits.pending.6e735627.json", native);
    [pending, about("deposits.confirmed.json", native), submitted, in_other_bytes]
}

/// A deposit with a history, sent once for all tests of this module.
async fn deposit() -> &'static Resource {
    static DEPOSIT: OnceCell<Resource> = OnceCell::const_new();
    DEPOSIT
        .get_or_init(async || {
            let (platform, id) = (Platform::shared().await, unique(Kind::Deposit));
            let mut facts = 0;
            for webhook in webhooks(id.native()) {
                platform.send(&webhook).await;
                facts += 1;
                platform.recorded(&id, facts).await;
            }
            platform.resource(&id).await
        })
        .await
}

#[test]
fn each_fact_names_the_request_that_the_provider_signed() {
    run(async {
        let (platform, deposit) = (Platform::shared().await, deposit().await);
        let keys = platform.published_keys().await;
        let webhooks = webhooks(deposit.id().native());
        assert_eq!(deposit.facts().len(), webhooks.len());
        for (fact, webhook) in deposit.facts().iter().zip(webhooks) {
            let envelope = platform.evidence(&fact.content.evidence().archived).await;
            assert_eq!(envelope.body(), webhook, "{}", fact.content.event_type());
            assert_eq!(
                FactId::of(deposit.id(), fact.content.event_type(), &envelope.body()),
                *fact.content.id(),
                "{}",
                fact.content.event_type()
            );
            let attestation = verify_again(&envelope, &keys).map(|webhook| webhook.attestation().clone());
            assert_eq!(attestation, Ok(fact.content.evidence().attestation.clone()), "{}", fact.content.event_type());
        }
    });
}

#[test]
fn changed_evidence_does_not_verify() {
    run(async {
        let (platform, deposit) = (Platform::shared().await, deposit().await);
        let keys = platform.published_keys().await;
        let pointer = &deposit.facts()[1].content.evidence().archived;
        let lines = platform.evidence_lines(&pointer.object).await;
        let line = lines.iter().find(|line| line.contains("CONFIRMED")).expect("a line contains the webhook as text");
        let changed = line.replacen(r#"\"amount\": \"1\""#, r#"\"amount\": \"9\""#, 1);
        assert_ne!(*line, changed);
        let changed = Envelope::from_json(&changed).expect("the changed line is an envelope");
        assert_eq!(verify_again(&changed, &keys), Err(Rejection::SignatureUnverified));
    });
}

#[test]
fn the_timeline_shows_each_fact_with_its_change_and_its_evidence() {
    run(async {
        let deposit = deposit().await;
        let timeline = timeline(deposit);
        let id = deposit.id();
        let changes = [
            ("connect.deposits.pending (pending)", format!("fundhook.deposit.pending (event {id}#1)")),
            ("connect.deposits.confirmed (confirmed)", format!("fundhook.deposit.confirmed (event {id}#2)")),
            ("connect.deposits.submitted (submitted)", format!("fundhook.deposit.updated (event {id}#3, late)")),
            ("connect.deposits.submitted (submitted)", "nothing that subscribers see".to_owned()),
        ];
        let mut rest = timeline.strip_prefix(&format!("{id}\n")).expect("the timeline begins with the resource");
        for (number, (fact, (said, changed))) in (1..).zip(deposit.facts().iter().zip(changes)) {
            let evidence = fact.content.evidence();
            // Each text is on a separate line, in this order.
            for shown in [
                format!("{number}. {said}"),
                changed,
                fact.content.occurred_at().to_string(),
                evidence.received_at.to_string(),
                evidence.attestation.key.clone(),
                format!("{} line {}", evidence.archived.object, evidence.archived.line),
                fact.content.id().to_string(),
            ] {
                let line = rest.lines().next().unwrap_or_default();
                assert!(line.contains(&shown), "{shown:?} is not in {line:?} of\n{timeline}");
                rest = &rest[line.len() + 1..];
            }
        }
        assert_eq!(rest, "", "the timeline contains nothing else");
    });
}
