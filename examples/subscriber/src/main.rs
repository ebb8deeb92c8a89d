//! Creates the subscriber and runs it on Lambda. With arguments, it prints what the ledger says instead.

use std::process::ExitCode;
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
use subscriber::{DynamoLedger, Subscriber, chain, ledger_account, trial_balance_lines};
use time::OffsetDateTime;
use tracing_subscriber::EnvFilter;

/// The limits of one call. A batch of ten takes at most 10 × 2.5 s of the function's timeout of 30 s.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);
const CALL_TIMEOUT: Duration = Duration::from_millis(2500);
const ATTEMPTS_MAX: u32 = 3;

const HELP: &str = "\
Books Fundhook's events when it runs on Lambda. With arguments, prints what the ledger says:

  subscriber statement ACCOUNT [TENANT]   the entries and the balance of a customer, or of a ledger account such as
                                          held:connect
  subscriber trial-balance                the sum of all balances of each asset, which is zero

The table and the connection come from LEDGER_TABLE, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, and for a
local stack AWS_ENDPOINT_URL.";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ended = if arguments.is_empty() { on_lambda().await } else { print(&arguments).await };
    match ended {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn on_lambda() -> Result<ExitCode, Error> {
    // AWS's clients log at `warn` and above, because their `debug` logs requests.
    let level = optional("RUST_LOG").unwrap_or_else(|| "info".to_owned());
    let quiet = "aws_smithy_runtime=warn,aws_smithy_http_client=warn,hyper=warn,hyper_util=warn,rustls=warn";
    let filter = EnvFilter::try_new(format!("{quiet},{level}"))?;
    tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false).with_env_filter(filter).init();

    let subscriber = Subscriber::new(ledger()?);
    let handle = async |event: LambdaEvent<SqsEvent>| {
        Ok::<_, Error>(subscriber.handle(event.payload, OffsetDateTime::now_utc()).await)
    };
    lambda_runtime::run(service_fn(handle)).await?;
    Ok(ExitCode::SUCCESS)
}

async fn print(arguments: &[String]) -> Result<ExitCode, Error> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["statement", account] => print_statement(account, None).await,
        ["statement", account, tenant] => print_statement(account, Some(tenant)).await,
        ["trial-balance"] => {
            let (lines, is_zero) = trial_balance_lines(&ledger()?.trial_balance().await?);
            lines.iter().for_each(|line| println!("{line}"));
            Ok(if is_zero { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        ["--help" | "-h" | "help"] => {
            println!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprintln!("{HELP}");
            Ok(ExitCode::from(2))
        }
    }
}

async fn print_statement(account: &str, tenant: Option<&str>) -> Result<ExitCode, Error> {
    let statement = ledger()?.statement(tenant, &ledger_account(account)).await?;
    statement.lines().iter().for_each(|line| println!("{line}"));
    Ok(ExitCode::SUCCESS)
}

/// The ledger in the table that LEDGER_TABLE names, with the variables of Lambda and, on a local stack,
/// `AWS_ENDPOINT_URL`.
fn ledger() -> Result<DynamoLedger, Error> {
    let table = required("LEDGER_TABLE")?;
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
    Ok(DynamoLedger::new(Client::from_conf(config.build()), table))
}

/// The value of an environment variable that is set and not empty.
fn optional(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn required(name: &str) -> Result<String, Error> {
    optional(name).ok_or_else(|| format!("the environment variable {name} is not set").into())
}
