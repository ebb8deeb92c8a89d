//! Secrets in Secrets Manager, against an endpoint that sends the responses of a test.

use std::collections::BTreeMap;

use fundhook_adapters::{Aws, SecretStore};
use fundhook_domain::Provider;
use fundhook_ports::{Disposition, PortError, ReadSecret, chain};
use secrecy::{ExposeSecret, SecretString};

use crate::support::server::{Answer, Server};

const STORED: &str = r#"{"default":{"current":"canary-4711-canary-4711"}}"#;

/// An endpoint that sends the same response to every request, and records the requests.
struct Endpoint {
    aws: Aws,
    server: Server,
}

impl Endpoint {
    async fn answering(status: u16, json: String) -> Self {
        let server = Server::always(Answer::new(status, "application/x-amz-json-1.1", json)).await;
        Self { aws: Aws::local(&server.url, "test").expect("a local connection"), server }
    }

    async fn read(&self, provider: Provider) -> Result<SecretString, PortError> {
        let ids = [(Provider::Zerohash, "fundhook/zerohash"), (Provider::Striga, "arn:aws:secretsmanager:striga")];
        let ids = BTreeMap::from(ids.map(|(provider, id)| (provider, id.to_owned())));
        SecretStore::new(&self.aws, ids).read(provider).await
    }
}

#[tokio::test]
async fn each_providers_secret_is_read_in_one_call_by_its_own_name() {
    let answer = format!(r#"{{"Name":"x","SecretString":{}}}"#, serde_json::Value::from(STORED));
    for (provider, id) in
        [(Provider::Zerohash, "fundhook/zerohash"), (Provider::Striga, "arn:aws:secretsmanager:striga")]
    {
        let endpoint = Endpoint::answering(200, answer.clone()).await;
        let secret = endpoint.read(provider).await.expect("the secret");
        assert_eq!(secret.expose_secret(), STORED);
        assert!(!format!("{secret:?}").contains("canary"), "Debug does not show it");
        assert_eq!(endpoint.server.asked_once().body, format!(r#"{{"SecretId":"{id}"}}"#));
    }
}

#[tokio::test]
async fn a_missing_secret_is_retried_and_an_invalid_or_unconfigured_one_is_not() {
    let missing = r#"{"__type":"ResourceNotFoundException","Message":"no such secret"}"#.to_owned();
    let endpoint = Endpoint::answering(400, missing).await;
    let failed = endpoint.read(Provider::Striga).await.map(|_| ()).expect_err("the secret does not exist");
    assert_eq!(failed.disposition(), Disposition::Retry);
    assert!(chain(&failed).contains("ResourceNotFoundException"), "{}", chain(&failed));

    let binary = Endpoint::answering(200, r#"{"Name":"x","SecretBinary":"Y2FuYXJ5LTQ3MTE="}"#.to_owned()).await;
    let failed = binary.read(Provider::Striga).await.map(|_| ()).expect_err("the secret is binary");
    assert_eq!(failed.disposition(), Disposition::DeadLetter);
    assert!(!chain(&failed).contains("canary"), "{}", chain(&failed));

    let unnamed = binary.read(Provider::Connect).await.map(|_| ()).expect_err("no secret is configured");
    assert_eq!(unnamed.disposition(), Disposition::DeadLetter);
    assert_eq!(binary.server.asked().len(), 1, "nothing was requested");
}
