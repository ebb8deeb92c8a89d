//! A deployed stack: its outputs, its HTTP API and its functions.

use std::collections::BTreeMap;

use reqwest::{Body, Method, Response, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use fundhook_sandbox::loopback_client;

use super::{Account, Function, clients::REGION};

/// A stack on an emulator. As JSON it can be kept for a later process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Deployment {
    endpoint: String,
    account: Account,
    outputs: BTreeMap<String, String>,
    #[serde(skip, default = "loopback_client")]
    http: reqwest::Client,
}

/// An output that the template does not have.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("the stack has no output {name}; it has {present}")]
pub struct NoOutput {
    name: String,
    present: String,
}

/// Why the stack did not answer.
#[derive(Debug, Error)]
pub enum CallError {
    /// The address to call is not among the outputs.
    #[error(transparent)]
    NoOutput(#[from] NoOutput),
    /// The emulator is not there, or ended the connection.
    #[error("no answer from the emulator at {endpoint}: is it running?")]
    Http {
        /// The emulator's address.
        endpoint: String,
        /// What became of the connection.
        source: reqwest::Error,
    },
    /// Lambda did not run the function.
    #[error("the function was not invoked: {status}, {body}")]
    Invoke {
        /// The status of the answer.
        status: u16,
        /// Its body.
        body: String,
    },
}

/// What a function returned.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    /// Its result, or the error that it ended with.
    pub payload: Value,
    /// Whether `payload` is an error.
    pub failed: bool,
}

impl Deployment {
    pub(super) fn new(endpoint: &str, account: &Account, outputs: BTreeMap<String, String>) -> Self {
        Self { endpoint: endpoint.to_owned(), account: account.clone(), outputs, http: loopback_client() }
    }

    /// The emulator's address.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The account that the stack is in; [`connect`](super::connect) takes it.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// All outputs of the template.
    #[must_use]
    pub fn outputs(&self) -> &BTreeMap<String, String> {
        &self.outputs
    }

    /// An output of the template, such as `TopicArn`.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn output(&self, name: &str) -> Result<&str, NoOutput> {
        self.outputs.get(name).map(String::as_str).ok_or_else(|| NoOutput {
            name: name.to_owned(),
            present: self.outputs.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
        })
    }

    /// Posts to the stack's HTTP API, `path` being `/webhooks/connect` for instance. Every status is an answer.
    ///
    /// # Errors
    /// When the emulator does not answer.
    pub async fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Result<Response, CallError> {
        self.request(Method::POST, path, headers, body).await
    }

    /// Sends a request to the stack's HTTP API. Every status is an answer.
    ///
    /// # Errors
    /// When the emulator does not answer.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Result<Response, CallError> {
        // On AWS that name is the API's address; the emulator takes it as the Host of a request to its own.
        let host = local_host(self.output("ApiEndpoint")?, &self.endpoint);
        let mut url = format!("{}{path}", self.endpoint);
        if self.account != Account::default() {
            // The emulator finds an API in the account of the request only, and this is how a request without a
            // signature names another than the default one. The function sees it as a query.
            let separator = if path.contains('?') { '&' } else { '?' };
            url = format!("{url}{separator}AWSAccessKeyId={}", self.account);
        }
        let request = self.http.request(method, url).header(header::HOST, host).body(body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.send().await.map_err(|source| self.unanswered(source))
    }

    /// Invokes a function with an event of one's own, as Lambda's Invoke API does, and waits for its result.
    ///
    /// # Errors
    /// When Lambda does not run it. A function that runs and fails is an [`Invocation`] that failed.
    pub async fn invoke(&self, function: Function, event: &Value) -> Result<Invocation, CallError> {
        let name = self.output(&format!("{}Name", function.logical_id()))?;
        // The emulator reads the account and the region here and verifies no signature, so there is none.
        let scope = format!("{}/20260101/{REGION}/lambda/aws4_request", self.account);
        let request = self
            .http
            .post(format!("{}/2015-03-31/functions/{name}/invocations", self.endpoint))
            .header(
                header::AUTHORIZATION,
                format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
            )
            .json(event);
        let response = request.send().await.map_err(|source| self.unanswered(source))?;
        let status = response.status();
        let failed = response.headers().contains_key("x-amz-function-error");
        let body = response.text().await.map_err(|source| self.unanswered(source))?;
        match serde_json::from_str(&body) {
            Ok(payload) if status.is_success() => Ok(Invocation { payload, failed }),
            _ => Err(CallError::Invoke { status: status.as_u16(), body }),
        }
    }

    fn unanswered(&self, source: reqwest::Error) -> CallError {
        CallError::Http { endpoint: self.endpoint.clone(), source }
    }
}

/// `<api-id>.execute-api.localhost:<port>`, from the address that the API has on AWS and the emulator's.
fn local_host(api: &str, endpoint: &str) -> String {
    let without_scheme = |address: &str| address.split_once("://").map_or(address, |(_, rest)| rest).to_owned();
    let api = without_scheme(api);
    let id = api.split(['.', '/']).next().unwrap_or_default();
    let endpoint = without_scheme(endpoint);
    let port = endpoint.rsplit(':').next().unwrap_or_default();
    format!("{id}.execute-api.localhost:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment() -> Deployment {
        let outputs =
            [("ApiEndpoint", "https://a1b2.execute-api.us-east-1.amazonaws.com"), ("TopicArn", "arn:aws:sns")];
        let outputs = outputs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Deployment::new("http://127.0.0.1:4566", &Account::default(), outputs.into())
    }

    #[test]
    fn a_missing_output_is_named_with_those_there_are() {
        let deployment = deployment();
        assert_eq!(deployment.output("TopicArn"), Ok("arn:aws:sns"));
        let error = deployment.output("Topic").expect_err("the template has no such output");
        assert_eq!(error.to_string(), "the stack has no output Topic; it has ApiEndpoint, TopicArn");
    }

    #[test]
    fn a_deployment_survives_json() {
        let deployment = deployment();
        let json = serde_json::to_string(&deployment).expect("plain data");
        let back: Deployment = serde_json::from_str(&json).expect("what was written");
        assert_eq!(back.outputs, deployment.outputs);
        assert_eq!(back.account(), deployment.account());
        assert!(serde_json::from_str::<Deployment>(&json.replace("123456789012", "me")).is_err());
    }

    #[test]
    fn the_api_is_called_by_its_name_on_the_emulator() {
        for api in ["https://a1b2.execute-api.us-east-1.amazonaws.com", "a1b2.execute-api.localhost:4566/webhooks"] {
            assert_eq!(local_host(api, "http://127.0.0.1:4567"), "a1b2.execute-api.localhost:4567");
        }
    }
}
