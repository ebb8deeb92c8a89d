//! AWS clients of one account on an emulator.

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_types::{
    SdkConfig,
    region::Region,
    sdk_config::{RequestChecksumCalculation, StalledStreamProtectionConfig},
};

use super::Account;

/// The only region the local stack knows.
pub const REGION: &str = "us-east-1";

/// The clients that the deployment, the commands and the tests use, all of one account.
#[derive(Debug, Clone)]
pub struct Clients {
    /// The emulator's address, `http://127.0.0.1:<port>`.
    pub endpoint: String,
    /// The account that every call belongs to.
    pub account: Account,
    /// The table and its stream.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// The queues.
    pub sqs: aws_sdk_sqs::Client,
    /// The topic.
    pub sns: aws_sdk_sns::Client,
    /// The evidence bucket, and the one that holds the functions' code.
    pub s3: aws_sdk_s3::Client,
    /// The secrets that providers share with the platform.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// The stack.
    pub cloudformation: aws_sdk_cloudformation::Client,
}

/// Clients of `account` on the emulator at `endpoint`. Nothing is read from the environment or from `~/.aws`, and
/// nothing is sent yet.
#[must_use]
pub fn connect(endpoint: &str, account: &Account) -> Clients {
    let credentials = Credentials::from_keys(account.as_str(), "local", None);
    let config = SdkConfig::builder()
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
        .region(Region::from_static(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        // The emulator is busy for seconds while functions start; on loopback a pause is not a broken connection.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        // Unoptimised builds spend seconds on the checksums of six zips, which loopback has no need of.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .build();
    Clients {
        endpoint: endpoint.to_owned(),
        account: account.clone(),
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
        sqs: aws_sdk_sqs::Client::new(&config),
        sns: aws_sdk_sns::Client::new(&config),
        s3: aws_sdk_s3::Client::from_conf(
            // `<bucket>.127.0.0.1` is no name.
            aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build(),
        ),
        secrets: aws_sdk_secretsmanager::Client::new(&config),
        cloudformation: aws_sdk_cloudformation::Client::new(&config),
    }
}
