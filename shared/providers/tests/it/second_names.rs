//! A payment that states its own id and its request's id has two names, and its recovery is told both.

use std::collections::BTreeSet;

use fundhook_domain::{Details, EvidencePointer, Feed, Kind, NewFact, Provider, ResourceId, Statement};
use fundhook_providers::{Envelope, Headers, ReadingSettings, Webhook, normalise};
use serde_json::{Value, json};

fn withdrawal(native: &str) -> ResourceId {
    ResourceId::new(Kind::Withdrawal, Provider::Zerohash, native).expect("a valid id")
}

fn statements(payment_id: &Value, request_id: &Value) -> Vec<Statement> {
    let body = json!({
        "payment_id": payment_id,
        "payment_details": { "withdrawal_request_id": request_id },
        "payment_type": "auth_withdrawal",
        "participant_code": "CUST01",
        "asset": "USDC",
        "total": "100.00",
        "status": "posted",
        "created_at": "2024-09-26T13:05:22.657Z",
    });
    let headers: Headers = [("x-zh-hook-payload-type", "payment_status_changed")].into_iter().collect();
    let webhook = Webhook { path: "/webhooks/zerohash".to_owned(), headers, body: body.to_string().into_bytes() };
    let received_at = "2024-09-26T13:05:23Z".parse().expect("RFC 3339");
    let envelope = Envelope::unverified(webhook, Feed::from(Provider::Zerohash), received_at);
    let archived = EvidencePointer { object: "evidence/v1/x.ndjson.gz".to_owned(), line: 0 };
    normalise(&envelope, archived, &ReadingSettings::default())
}

#[test]
fn a_payment_has_two_names_only_if_it_states_two_ids() {
    let long = "x".repeat(513);
    for (payment_id, request_id, name, names) in [
        (json!("p-1"), json!("w-1"), "p-1", vec!["p-1", "w-1"]),
        (json!(42), json!("w-1"), "42", vec!["42", "w-1"]),
        (json!("p-1"), json!(""), "p-1", vec![]),
        (json!("p-1"), Value::Null, "p-1", vec![]),
        (json!(""), json!("w-1"), "w-1", vec![]),
        (Value::Null, json!("w-1"), "w-1", vec![]),
        (json!("w-1"), json!("w-1"), "w-1", vec![]),
        // An id that cannot name a resource costs nothing else.
        (json!("p-1"), json!(long), "p-1", vec![]),
    ] {
        let all = statements(&payment_id, &request_id);
        let [payment, recovery] = &all[..] else { unreachable!("a payment and its recovery: {all:?}") };
        let stated: BTreeSet<ResourceId> = names.iter().map(|name| withdrawal(name)).collect();
        let what = format!("{payment_id} {request_id}");
        assert_eq!(payment.resource, withdrawal(name), "{what}");
        let Details::Transfer(transfer) = &payment.content.details else { unreachable!("a withdrawal: {payment:?}") };
        assert_eq!(transfer.names, stated, "{what}");
        let mut all_names = stated.clone();
        all_names.insert(withdrawal(name));
        assert_eq!(NewFact::from(payment.clone()).names(), all_names, "{what}");

        let Details::Recovery(sum) = &recovery.content.details else { unreachable!("a recovery: {recovery:?}") };
        let known: Vec<_> = sum.payments.iter().map(|(id, payment)| (id.clone(), payment.also_named.clone())).collect();
        let others = stated.into_iter().filter(|id| *id != withdrawal(name)).collect();
        assert_eq!(known, [(withdrawal(name), others)], "{what}");
    }
}
