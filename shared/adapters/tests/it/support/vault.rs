//! A Secrets Manager with one secret.

use std::sync::{Arc, Mutex};

use fundhook_adapters::Aws;
use serde_json::{Value, json};

use super::server::{Answer, Asked, Server, lock};

/// The secret's name.
pub(crate) const SECRET_ID: &str = "fundhook/secret";

/// A Secrets Manager with one secret, which lives as long as the test's runtime.
pub(crate) struct Vault {
    pub(crate) aws: Aws,
    server: Server,
    secret: Arc<Mutex<String>>,
}

impl Vault {
    pub(crate) async fn holding(text: impl Into<String>) -> Self {
        let secret = Arc::new(Mutex::new(text.into()));
        let held = Arc::clone(&secret);
        let server = Server::answering(move |asked| answer(asked, &mut lock(&held))).await;
        Self { aws: Aws::local(&server.url, "test").expect("a local connection"), server, secret }
    }

    /// The current text of the secret.
    pub(crate) fn held(&self) -> String {
        lock(&self.secret).clone()
    }

    /// The operator stores `text`.
    pub(crate) fn hold(&self, text: impl Into<String>) {
        *lock(&self.secret) = text.into();
    }

    /// The requested operations, in order: `GetSecretValue` or `PutSecretValue`.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.server.asked().iter().map(|asked| operation(asked).to_owned()).collect()
    }
}

fn operation(asked: &Asked) -> &str {
    let target = asked.header("x-amz-target").expect("a target");
    target.strip_prefix("secretsmanager.").expect("a call to Secrets Manager")
}

fn answer(asked: &Asked, secret: &mut String) -> Answer {
    let request = asked.json();
    let said = |status, json: Value| Answer::new(status, "application/x-amz-json-1.1", json.to_string());
    if request["SecretId"] != SECRET_ID {
        return said(400, json!({ "__type": "ResourceNotFoundException", "Message": "no such secret" }));
    }
    match operation(asked) {
        "GetSecretValue" => said(200, json!({ "Name": SECRET_ID, "SecretString": secret.clone() })),
        "PutSecretValue" => {
            *secret = request["SecretString"].as_str().expect("a text").to_owned();
            said(200, json!({ "Name": SECRET_ID }))
        }
        other => said(400, json!({ "__type": "AccessDeniedException", "Message": other })),
    }
}
