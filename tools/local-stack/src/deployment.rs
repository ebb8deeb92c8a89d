//! A deployed stack: its outputs, its HTTP API and its functions.

use std::collections::BTreeMap;

use reqwest::{Body, Method, Response, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use fundhook_sandbox::loopback_client;

use super::{Account, Function, clients::REGION};

/// A stack on an emulator. A later process can use it when it is stored as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Deployment {
    endpoint: String,
    account: Account,
    outputs: BTreeMap<String, String>,
    #[serde(skip, default = "loopback_client")]
    http: reqwest::Client,
}

#[derive(Debug, Error, PartialEq, Eq)]
#[error("the stack has no output {name}; it has {present}")]
pub struct NoOutput {
    name: String,
    present: String,
}

/// Why a call to the stack failed.
#[derive(Debug, Error)]
pub enum CallError {
    #[error(transparent)]
    NoOutput(#[from] NoOutput),
    /// The emulator does not run or closed the connection.
    #[error("no answer from the emulator at {endpoint}: is it running?")]
    Http { endpoint: String, source: reqwest::Error },
    #[error("Lambda did not invoke the function: status {status}, {body}")]
    Invoke { status: u16, body: String },
}

/// The result of an invocation.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    /// The function's result or error.
    pub payload: Value,
    /// Whether `payload` is an error.
    pub failed: bool,
}

impl Deployment {
    pub(super) fn new(endpoint: &str, account: &Account, outputs: BTreeMap<String, String>) -> Self {
        Self { endpoint: endpoint.to_owned(), account: account.clone(), outputs, http: loopback_client() }
    }

    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    #[must_use]
    pub fn outputs(&self) -> &BTreeMap<String, String> {
        &self.outputs
    }

    /// An output of the template, such as `TopicArn`.
    ///
    /// # Errors
    /// When the template has no such output.
    pub fn output(&self, name: &str) -> Result<&str, NoOutput> {
        self.outputs.get(name).map(String::as_str).ok_or_else(|| NoOutput {
            name: name.to_owned(),
            present: self.outputs.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
        })
    }

    /// Posts to a path of the stack's HTTP API, such as `/webhooks/connect`. Every HTTP status is `Ok`.
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

    /// Sends a request to the stack's HTTP API. Every HTTP status is `Ok`.
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
        // On AWS this is the API's host name. The emulator expects it in the Host header of a request to its own address.
        let host = local_host(self.output("ApiEndpoint")?, &self.endpoint);
        let mut url = format!("{}{path}", self.endpoint);
        if self.account != Account::default() {
            // The emulator looks for the API in the account of the request. A request without a signature names its account
            // in this query parameter, which the function sees too.
            let separator = if path.contains('?') { '&' } else { '?' };
            url = format!("{url}{separator}AWSAccessKeyId={}", self.account);
        }
        let request = self.http.request(method, url).header(header::HOST, host).body(body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.send().await.map_err(|source| self.unanswered(source))
    }

    /// Invokes a function through Lambda's Invoke API and waits for its result.
    ///
    /// # Errors
    /// When Lambda does not run it. A function that runs and fails returns an [`Invocation`] with `failed` set.
    pub async fn invoke(&self, function: Function, event: &Value) -> Result<Invocation, CallError> {
        let name = self.output(&format!("{}Name", function.logical_id()))?;
        // The emulator reads only the account and the region from this header. It verifies no signature.
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

/// `<api-id>.execute-api.localhost:<port>`, from the API's host name on AWS and the emulator's address.
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
    fn a_missing_output_error_names_it_and_lists_the_existing_outputs() {
        let deployment = deployment();
        assert_eq!(deployment.output("TopicArn"), Ok("arn:aws:sns"));
        let error = deployment.output("Topic").expect_err("the stack has no such output");
        assert_eq!(error.to_string(), "the stack has no output Topic; it has ApiEndpoint, TopicArn");
    }

    #[test]
    fn a_deployment_can_be_stored_as_json() {
        let deployment = deployment();
        let json = serde_json::to_string(&deployment).expect("plain data");
        let back: Deployment = serde_json::from_str(&json).expect("what was written");
        assert_eq!(back.outputs, deployment.outputs);
        assert_eq!(back.account(), deployment.account());
        assert!(serde_json::from_str::<Deployment>(&json.replace("123456789012", "me")).is_err());
    }

    #[test]
    fn the_host_of_the_api_on_the_emulator_has_its_id_and_the_emulators_port() {
        for api in ["https://a1b2.execute-api.us-east-1.amazonaws.com", "a1b2.execute-api.localhost:4566/webhooks"] {
            assert_eq!(local_host(api, "http://127.0.0.1:4567"), "a1b2.execute-api.localhost:4567");
        }
    }
}
