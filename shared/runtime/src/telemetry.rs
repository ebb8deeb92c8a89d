//! Logs: one JSON object per line, as CloudWatch Logs Insights reads them.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{Format, Json, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Writes logs to standard output, at the level in `RUST_LOG` or else `info`. Each line has the version of Fundhook.
///
/// AWS's clients log at `warn` and above unless `RUST_LOG` names them: at `debug` they log requests.
pub(crate) fn init() {
    let level = crate::variable("RUST_LOG").filter(|level| !level.is_empty()).unwrap_or_else(|| "info".to_owned());
    let quiet = "aws_smithy_runtime=warn,aws_smithy_http_client=warn,hyper=warn,hyper_util=warn,rustls=warn";
    let filter = EnvFilter::try_new(format!("{quiet},{level}")).unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt().event_format(WithVersion::default()).fmt_fields(JsonFields::new());
    subscriber.with_env_filter(filter).init();
}

/// The lines of `tracing_subscriber`, with the member `version` at their end.
struct WithVersion(Format<Json>);

impl Default for WithVersion {
    fn default() -> Self {
        Self(
            tracing_subscriber::fmt::format().json().flatten_event(true).with_current_span(false).with_span_list(false),
        )
    }
}

impl<S, N> FormatEvent<S, N> for WithVersion
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = String::new();
        self.0.format_event(ctx, Writer::new(&mut line), event)?;
        match line.trim_end().strip_suffix('}') {
            Some(members) => writeln!(writer, r#"{members},"version":"{}"}}"#, crate::VERSION),
            None => writer.write_str(&line),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use serde_json::Value;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_json_with_its_fields_and_the_version() {
        let written = Written::default();
        let lines = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .event_format(WithVersion::default())
            .fmt_fields(JsonFields::new())
            .with_writer(move || lines.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info_span!("outer", secret = 1).in_scope(|| tracing::warn!(status = 503, "not \"accepted\"}}"));
        });
        let bytes = written.0.lock().expect("not poisoned").clone();
        let text = String::from_utf8(bytes).expect("UTF-8");
        assert_eq!(text.matches('\n').count(), 1);
        let line: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(line["message"], "not \"accepted\"}");
        assert_eq!((&line["level"], &line["status"]), (&"WARN".into(), &503.into()));
        assert_eq!(line["version"], crate::VERSION);
        assert!(line["timestamp"].is_string());
    }
}
