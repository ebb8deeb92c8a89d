//! AWS clients for one account on an emulator.

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_types::{
    SdkConfig,
    region::Region,
    sdk_config::{RequestChecksumCalculation, StalledStreamProtectionConfig},
};

use super::Account;

/// The only region of the local stack.
pub const REGION: &str = "us-east-1";

#[derive(Debug, Clone)]
pub struct Clients {
    /// `http://127.0.0.1:<port>`
    pub endpoint: String,
    pub account: Account,
    pub dynamodb: aws_sdk_dynamodb::Client,
    pub sqs: aws_sdk_sqs::Client,
    pub sns: aws_sdk_sns::Client,
    pub s3: aws_sdk_s3::Client,
    pub secrets: aws_sdk_secretsmanager::Client,
    pub cloudformation: aws_sdk_cloudformation::Client,
}

/// Clients for `account` on the emulator at `endpoint`. Reads neither the environment nor `~/.aws`, and sends nothing.
#[must_use]
pub fn connect(endpoint: &str, account: &Account) -> Clients {
    let credentials = Credentials::from_keys(account.as_str(), "local", None);
    let config = SdkConfig::builder()
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
        .region(Region::from_static(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        // The emulator may pause for seconds while functions start. On loopback that is not a broken connection.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        // Unoptimised builds take seconds for the checksums of six zips. Loopback does not need them.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .build();
    Clients {
        endpoint: endpoint.to_owned(),
        account: account.clone(),
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
        sqs: aws_sdk_sqs::Client::new(&config),
        sns: aws_sdk_sns::Client::new(&config),
        s3: aws_sdk_s3::Client::from_conf(
            // `<bucket>.127.0.0.1` is not a valid host name.
            aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build(),
        ),
        secrets: aws_sdk_secretsmanager::Client::new(&config),
        cloudformation: aws_sdk_cloudformation::Client::new(&config),
    }
}
