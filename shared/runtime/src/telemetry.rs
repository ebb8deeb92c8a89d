//! Logs: one JSON object per line, as CloudWatch Logs Insights reads them.

use tracing_subscriber::EnvFilter;

/// Writes logs to standard output, at the level in `RUST_LOG` or else `info`.
///
/// AWS's clients log at `warn` and above unless `RUST_LOG` names them: at `debug` they log requests.
pub fn init() {
    let level = crate::variable("RUST_LOG").filter(|level| !level.is_empty()).unwrap_or_else(|| "info".to_owned());
    let quiet = "aws_smithy_runtime=warn,aws_smithy_http_client=warn,hyper=warn,hyper_util=warn,rustls=warn";
    let filter = EnvFilter::try_new(format!("{quiet},{level}")).unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false).with_env_filter(filter).init();
}
