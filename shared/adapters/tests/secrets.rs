//! Secrets in Secrets Manager, against an endpoint that answers what a test says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use fundhook_adapters::{Aws, SecretStore};
use fundhook_domain::Provider;
use fundhook_domain::port::{Disposition, PortError, ReadSecret, chain};
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const STORED: &str = r#"{"default":{"current":"canary-4711-canary-4711"}}"#;

/// An endpoint that answers every request alike, and what it was asked.
struct Endpoint {
    aws: Aws,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Endpoint {
    async fn answering(status: u16, json: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = request(&mut stream).await;
                heard.lock().unwrap_or_else(PoisonError::into_inner).push(request);
                let head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.1\r\n");
                let answer = format!("{head}content-length: {}\r\nconnection: close\r\n\r\n{json}", json.len());
                stream.write_all(answer.as_bytes()).await.expect("the client listens");
            }
        });
        Self { aws: Aws::local(&url, "test").expect("a local connection"), asked }
    }

    async fn read(&self, provider: Provider) -> Result<SecretString, PortError> {
        let ids = [(Provider::Zerohash, "fundhook/zerohash"), (Provider::Striga, "arn:aws:secretsmanager:striga")];
        let ids = BTreeMap::from(ids.map(|(provider, id)| (provider, id.to_owned())));
        SecretStore::new(&self.aws, ids).read(provider).await
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The next request: its head and its JSON body.
async fn request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    // The body of a request to read a secret is one small object, and ends it.
    while !request.ends_with(b"}") {
        let mut buffer = [0; 4096];
        let length = stream.read(&mut buffer).await.expect("a request");
        assert_ne!(length, 0, "the request ended too early");
        request.extend_from_slice(&buffer[..length]);
    }
    String::from_utf8(request).expect("UTF-8")
}

#[tokio::test]
async fn each_providers_secret_is_read_in_one_call_under_its_own_name() {
    let answer = format!(r#"{{"Name":"x","SecretString":{}}}"#, serde_json::Value::from(STORED));
    for (provider, id) in
        [(Provider::Zerohash, "fundhook/zerohash"), (Provider::Striga, "arn:aws:secretsmanager:striga")]
    {
        let endpoint = Endpoint::answering(200, answer.clone()).await;
        let secret = endpoint.read(provider).await.expect("the secret");
        assert_eq!(secret.expose_secret(), STORED);
        assert!(!format!("{secret:?}").contains("canary"), "nothing prints it");
        let asked = endpoint.asked();
        assert_eq!(asked.len(), 1);
        assert!(asked[0].ends_with(&format!(r#"{{"SecretId":"{id}"}}"#)), "{}", asked[0]);
    }
}

#[tokio::test]
async fn a_secret_that_is_not_to_be_had_is_asked_for_again_and_one_that_is_none_is_not() {
    let missing = r#"{"__type":"ResourceNotFoundException","Message":"no such secret"}"#.to_owned();
    let endpoint = Endpoint::answering(400, missing).await;
    let refused = endpoint.read(Provider::Striga).await.map(|_| ()).expect_err("there is none");
    assert_eq!(refused.disposition(), Disposition::Retry);
    assert!(chain(&refused).contains("ResourceNotFoundException"), "{}", chain(&refused));

    let binary = Endpoint::answering(200, r#"{"Name":"x","SecretBinary":"Y2FuYXJ5LTQ3MTE="}"#.to_owned()).await;
    let refused = binary.read(Provider::Striga).await.map(|_| ()).expect_err("it is no text");
    assert_eq!(refused.disposition(), Disposition::DeadLetter);
    assert!(!chain(&refused).contains("canary"), "{}", chain(&refused));

    let unnamed = binary.read(Provider::Connect).await.map(|_| ()).expect_err("no secret is named for it");
    assert_eq!(unnamed.disposition(), Disposition::DeadLetter);
    assert_eq!(binary.asked().len(), 1, "nobody was asked");
}
