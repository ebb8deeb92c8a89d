//! Metrics in the CloudWatch embedded metric format: log lines that CloudWatch turns into metrics, without an API call.

use fundhook_domain::{Feed, Timestamp};
use serde_json::{Value, json};

/// The namespace of Fundhook's metrics.
pub const NAMESPACE: &str = "Fundhook";

/// What a metric counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Count,
    Seconds,
}

impl Unit {
    /// The name that CloudWatch knows.
    fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Seconds => "Seconds",
        }
    }
}

/// Writes one value of the metric `name` to standard output.
pub fn emit(now: Timestamp, name: &str, unit: Unit, value: u64, dimensions: &[(&str, &str)]) {
    println!("{}", line(now, name, unit, value, dimensions));
}

/// The dimensions of a metric about `feed`. That of the default organization has only the provider, as the alarms expect.
pub fn of_feed(feed: &Feed) -> Vec<(&str, &str)> {
    let provider = ("provider", feed.provider().as_str());
    let tenant = feed.tenant().map(|tenant| ("tenant", tenant.as_str()));
    [provider].into_iter().chain(tenant).collect()
}

fn line(now: Timestamp, name: &str, unit: Unit, value: u64, dimensions: &[(&str, &str)]) -> Value {
    let names: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
    let mut line = json!({
        "_aws": {
            "Timestamp": now.unix_seconds() * 1000,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [names],
                "Metrics": [{ "Name": name, "Unit": unit.as_str() }],
            }],
        },
        name: value,
    });
    for (dimension, value) in dimensions {
        line[*dimension] = json!(value);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_members_that_cloudwatch_requires() {
        let now = Timestamp::from_unix_seconds(1_760_484_866).expect("in range");
        let line = line(now, "KeySetAgeSeconds", Unit::Seconds, 7, &[("provider", "connect")]);
        assert_eq!(
            line,
            json!({
                "_aws": {
                    "Timestamp": 1_760_484_866_000_i64,
                    "CloudWatchMetrics": [{
                        "Namespace": "Fundhook",
                        "Dimensions": [["provider"]],
                        "Metrics": [{ "Name": "KeySetAgeSeconds", "Unit": "Seconds" }],
                    }],
                },
                "KeySetAgeSeconds": 7,
                "provider": "connect",
            })
        );
    }
}
