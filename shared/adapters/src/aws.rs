//! The configuration that all AWS clients of a function share.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::app_name::AppName;
use aws_types::region::Region;
use base64::prelude::{BASE64_STANDARD, Engine as _};

/// The configuration that all AWS clients of a process share: region, credentials, timeouts and one HTTP connector.
///
/// It is built from the variables that Lambda sets, without the default credential chain, which looks for files and
/// addresses that do not exist on Lambda, and without the system's trust store, which takes about 65 ms of CPU to load.
#[derive(Clone, Debug)]
pub struct Aws {
    config: SdkConfig,
    is_local: bool,
}

/// Why the environment does not configure AWS.
#[derive(Debug, thiserror::Error)]
pub enum AwsEnvironmentError {
    #[error(
        "the environment variable {0} is not set; Lambda sets it, and `cargo fundhook invoke --env FUNCTION` writes it for the local stack; for a stack on AWS, export your own credentials and region"
    )]
    Missing(&'static str),
    #[error("the trust store could not be built")]
    TrustStore(#[source] aws_smithy_http_client::HttpClientError),
}

/// Limits of one call. The functions' timeout is 10 s: two attempts of 3 s and the pause between them fit into it, with time
/// left to respond.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const CALL_TIMEOUT: Duration = Duration::from_secs(7);
const ATTEMPTS_MAX: u32 = 3;

/// The certificate authorities of AWS's endpoints (the five that the Amazon Trust Services repository lists).
const AWS_ROOTS: [&str; 5] = [
    "Amazon Root CA 1",
    "Amazon Root CA 2",
    "Amazon Root CA 3",
    "Amazon Root CA 4",
    "Starfield Services Root Certificate Authority - G2",
];

impl Aws {
    /// Reads `AWS_REGION`, the credentials and, for a local stack, `AWS_ENDPOINT_URL`, with `variable`.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, AwsEnvironmentError> {
        let required =
            |name| variable(name).filter(|value| !value.is_empty()).ok_or(AwsEnvironmentError::Missing(name));
        let credentials = Credentials::new(
            required("AWS_ACCESS_KEY_ID")?,
            required("AWS_SECRET_ACCESS_KEY")?,
            variable("AWS_SESSION_TOKEN").filter(|token| !token.is_empty()),
            None,
            "environment",
        );
        let region = required("AWS_REGION").or_else(|missing| required("AWS_DEFAULT_REGION").map_err(|_| missing))?;
        Self::new(region, credentials, variable("AWS_ENDPOINT_URL").filter(|url| !url.is_empty()))
    }

    /// The configuration for a local stack at `endpoint`. `access_key` is the account id.
    pub fn local(endpoint: &str, access_key: &str) -> Result<Self, AwsEnvironmentError> {
        let credentials = Credentials::new(access_key, "local", None, None, "local stack");
        Self::new("us-east-1".to_owned(), credentials, Some(endpoint.to_owned()))
    }

    fn new(region: String, credentials: Credentials, endpoint: Option<String>) -> Result<Self, AwsEnvironmentError> {
        let is_local = endpoint.is_some();
        let http = aws_smithy_http_client::Builder::new();
        let http = if endpoint.as_deref().is_some_and(|url| url.starts_with("http://")) {
            http.build_http()
        } else {
            let trusted = TlsContext::builder().with_trust_store(aws_roots()).build();
            let trusted = trusted.map_err(AwsEnvironmentError::TrustStore)?;
            http.tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(trusted).build_https()
        };
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(CALL_TIMEOUT)
            .build();
        let mut config = SdkConfig::builder()
            .behavior_version(aws_sdk_sqs::config::BehaviorVersion::latest())
            .region(Region::new(region))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http)
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX))
            .timeout_config(timeouts);
        config.set_endpoint_url(endpoint);
        config.set_app_name(AppName::new(concat!("fundhook-", env!("CARGO_PKG_VERSION"))).ok());
        Ok(Self { config: config.build(), is_local })
    }

    pub fn sdk_config(&self) -> &SdkConfig {
        &self.config
    }

    /// Whether this is a local stack, whose bucket names are not host names.
    pub(crate) fn is_local(&self) -> bool {
        self.is_local
    }
}

/// A trust store with only the authorities of AWS's endpoints.
fn aws_roots() -> TrustStore {
    let is_aws = |der: &[u8]| AWS_ROOTS.iter().any(|name| der.windows(name.len()).any(|part| part == name.as_bytes()));
    webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .filter(|certificate| is_aws(certificate))
        .fold(TrustStore::empty(), |store, certificate| store.with_pem_certificate(pem(certificate)))
}

fn pem(der: &[u8]) -> Vec<u8> {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", BASE64_STANDARD.encode(der)).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_agent_names_fundhook_and_its_version() {
        let aws = Aws::local("http://127.0.0.1:1", "123456789012").expect("valid");
        let name = aws.sdk_config().app_name().expect("set").to_string();
        assert_eq!(name, format!("fundhook-{}", env!("CARGO_PKG_VERSION")));
    }

    #[test]
    fn a_missing_variable_is_named() {
        let error = Aws::from_environment(|name| (!name.ends_with("REGION")).then(|| "x".to_owned())).map(|_| ());
        assert!(matches!(error, Err(AwsEnvironmentError::Missing("AWS_REGION"))), "{error:?}");
    }

    #[test]
    fn every_certificate_authority_of_aws_is_in_the_trust_store() {
        for name in AWS_ROOTS {
            let found = webpki_root_certs::TLS_SERVER_ROOT_CERTS
                .iter()
                .any(|der| der.windows(name.len()).any(|part| part == name.as_bytes()));
            assert!(found, "{name} is missing");
        }
        assert!(Aws::new("eu-west-1".into(), Credentials::new("a", "b", None, None, "test"), None).is_ok());
    }
}
