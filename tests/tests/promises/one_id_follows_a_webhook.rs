//! One id follows a webhook: it is in the log of every function that processes it, in the evidence and in the event. And
//! what the functions print reaches CloudWatch as metrics of their own stack.

use fundhook_domain::Timestamp;
use fundhook_local_stack::Function;
use fundhook_tests::{Platform, eventually, run};
use serde_json::Value;

/// The functions that a webhook passes.
const PASSED: [Function; 4] = [Function::Receiver, Function::FanOut, Function::StateUpdater, Function::Publisher];

#[test]
fn it_is_in_the_log_of_each_function_in_the_evidence_and_in_the_event() {
    run(async {
        let platform = Platform::deploy(&[]).await;
        let mut listener = platform.listen().await;
        let sample = include_str!("../../../events/connect/deposits.confirmed.json");
        let [one, other] = ["0b0e8b1c-7d0f-4f4b-8f77-1f9cb3d2b001", "0b0e8b1c-7d0f-4f4b-8f77-1f9cb3d2b002"]
            .map(|id| (id, sample.replace("6e735627-f8d1-49ae-93cc-3b7923519c56", id)));
        platform.send_all([one.1.as_bytes(), other.1.as_bytes()]).await;
        let mut ids = Vec::new();
        for (deposit, _) in [&one, &other] {
            let event = listener.event(&format!("deposit#connect#{deposit}#1")).await.event;
            let id = event["correlationid"].as_str().expect("every event has it").to_owned();
            assert_eq!(event["data"]["evidence"]["correlation_id"], id.as_str());
            ids.push(id);
        }
        assert_ne!(ids[0], ids[1], "each webhook has its own");

        for function in PASSED {
            for id in &ids {
                let has = |line: &Value| {
                    ["correlation_id", "correlation_ids"]
                        .iter()
                        .any(|name| line[*name].as_str().is_some_and(|named| named.split(' ').any(|named| named == id)))
                };
                let what = format!("{} logs {id}", function.package());
                let look = async || platform.logged(function).await;
                let lines = eventually(&what, look, |lines| lines.iter().any(has)).await;
                for line in &lines {
                    assert_eq!(line["version"], env!("CARGO_PKG_VERSION"), "{line}");
                    assert!(line["level"].is_string(), "{line}");
                    let at = line["timestamp"].as_str().expect("a time");
                    assert!(at.parse::<Timestamp>().is_ok(), "{line}");
                }
            }
        }
        let metrics = [
            (Function::Receiver, "AcceptedWebhooks"),
            (Function::Publisher, "PublishedEvents"),
            (Function::Refresher, "KeySetAgeSeconds"),
        ];
        let stack = format!("fundhook-{}", platform.deployment().account());
        for (function, metric) in metrics {
            let what = format!("{} emits {metric}", function.package());
            let look = async || platform.logged(function).await;
            let is_it =
                |line: &Value| line[metric].is_u64() && line["_aws"].is_object() && line["stack"] == stack.as_str();
            eventually(&what, look, |lines| lines.iter().any(is_it)).await;
        }
    });
}
