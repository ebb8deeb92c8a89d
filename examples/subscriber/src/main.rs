//! Creates the subscriber and runs it on Lambda.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_lambda_events::sqs::SqsEvent;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{Config, Region};
use aws_smithy_http_client::Builder as HttpClient;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use subscriber::{DynamoLedger, Subscriber};
use time::OffsetDateTime;
use tracing_subscriber::EnvFilter;

/// The limits of one call. A batch of ten takes at most 10 × 2.5 s of the function's timeout of 30 s.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);
const CALL_TIMEOUT: Duration = Duration::from_millis(2500);
const ATTEMPTS_MAX: u32 = 3;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    // AWS's clients log at `warn` and above, because their `debug` logs requests.
    let level = optional("RUST_LOG").unwrap_or_else(|| "info".to_owned());
    let quiet = "aws_smithy_runtime=warn,aws_smithy_http_client=warn,hyper=warn,hyper_util=warn,rustls=warn";
    let filter = EnvFilter::try_new(format!("{quiet},{level}"))?;
    tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false).with_env_filter(filter).init();

    let subscriber = Subscriber::new(DynamoLedger::new(dynamodb()?, required("LEDGER_TABLE")?));
    let handle = async |event: LambdaEvent<SqsEvent>| {
        Ok::<_, Error>(subscriber.handle(event.payload, OffsetDateTime::now_utc()).await)
    };
    lambda_runtime::run(service_fn(handle)).await
}

/// A client configured by the variables of Lambda and, on a local stack, `AWS_ENDPOINT_URL`.
fn dynamodb() -> Result<Client, Error> {
    let (key, secret) = (required("AWS_ACCESS_KEY_ID")?, required("AWS_SECRET_ACCESS_KEY")?);
    let credentials = Credentials::new(key, secret, optional("AWS_SESSION_TOKEN"), None, "environment");
    let endpoint = optional("AWS_ENDPOINT_URL");
    let http = if endpoint.as_deref().is_some_and(|url| url.starts_with("http://")) {
        HttpClient::new().build_http()
    } else {
        HttpClient::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https()
    };
    let timeouts =
        TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).operation_timeout(CALL_TIMEOUT).build();
    let mut config = Config::builder()
        .region(Region::new(required("AWS_REGION")?))
        .credentials_provider(credentials)
        .http_client(http)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX))
        .timeout_config(timeouts);
    config.set_endpoint_url(endpoint);
    Ok(Client::from_conf(config.build()))
}

/// The value of an environment variable that is set and not empty.
fn optional(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn required(name: &str) -> Result<String, Error> {
    optional(name).ok_or_else(|| format!("the environment variable {name} is not set").into())
}
