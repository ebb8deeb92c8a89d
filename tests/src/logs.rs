//! What the functions log, as CloudWatch Logs keeps it.

use fundhook_local_stack::{Function, REGION};
use fundhook_sandbox::loopback_client;
use serde_json::{Value, json};

use crate::Platform;

impl Platform {
    /// The lines that `function` logged so far, each of which must be JSON.
    pub async fn logged(&self, function: Function) -> Vec<Value> {
        let (endpoint, account) = (self.deployment().endpoint(), self.deployment().account());
        let group = format!("/fundhook/fundhook-{account}/{}", function.package());
        // The emulator reads only the account and the region from this header. It verifies no signature.
        let scope = format!("{account}/20260101/{REGION}/logs/aws4_request");
        let (mut lines, mut next) = (Vec::new(), None::<String>);
        loop {
            let mut request = json!({ "logGroupName": group });
            if let Some(token) = next.take() {
                request["nextToken"] = json!(token);
            }
            let sent = loopback_client()
                .post(endpoint)
                .header("x-amz-target", "Logs_20140328.FilterLogEvents")
                .header("content-type", "application/x-amz-json-1.1")
                .header(
                    "authorization",
                    format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
                )
                .body(request.to_string())
                .send();
            let text = sent.await.expect("the emulator answers").text().await.expect("a body");
            let answer: Value = serde_json::from_str(&text).map_err(|_| text).expect("JSON");
            let events = answer["events"].as_array().cloned().ok_or(answer.clone()).expect("the group exists");
            for event in events {
                let message = event["message"].as_str().unwrap_or_default().trim().to_owned();
                // The emulator adds lines of its own, which Lambda does not write at this level.
                if message.starts_with('{') {
                    lines.push(serde_json::from_str(&message).map_err(|_| message).expect("a line of JSON"));
                }
            }
            next = answer["nextToken"].as_str().map(str::to_owned);
            if next.is_none() {
                return lines;
            }
        }
    }
}
