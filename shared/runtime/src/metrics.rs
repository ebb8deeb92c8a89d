//! Metrics in the CloudWatch embedded metric format: log lines that CloudWatch turns into metrics, without an API call.
//!
//! Every metric has the dimension `stack`, so that two stacks in one account have separate alarms. A metric about a
//! provider has `provider` too. `FUNDHOOK_METRICS_BY_FEED=on` also emits it for each organization, with the dimension
//! `tenant`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use fundhook_domain::{Feed, Provider, Timestamp};
use serde_json::{Value, json};

use crate::settings::{Environment, SettingError};

/// The namespace of Fundhook's metrics.
pub const NAMESPACE: &str = "Fundhook";

/// The value of the dimension `tenant` for a provider's default organization.
pub const DEFAULT_TENANT: &str = "default";

/// The metrics that the functions emit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Webhooks that were verified and queued.
    AcceptedWebhooks,
    /// Requests to a webhook URL that were not accepted, by reason.
    RefusedWebhooks,
    /// 1 for each request with every required header that could not be verified, and 0 for each accepted webhook. Its average
    /// is the share of the unverified ones, and its minimum is 1 only while none is accepted.
    UnverifiedShare,
    /// With each such request: the time since the first one of its feed after the last accepted webhook of the feed, as far as
    /// this execution environment has seen both.
    UnverifiedSeconds,
    /// Verified webhooks that were not recognized.
    UnrecognizedWebhooks,
    /// Published events, by type.
    PublishedEvents,
    /// Published events of the type `recovery.surplus`.
    RecoverySurpluses,
    /// The time since a key set was fetched.
    KeySetAgeSeconds,
    /// How long a key set is still used if no newer one can be fetched.
    KeySetSecondsLeft,
    /// How long an access token is still valid.
    TokenSecondsLeft,
    /// 1 if a provider's API refuses the calls of an organization, and 0 if it accepts them; also their number by reason.
    ProviderApiRefused,
    /// How far reading a provider's list is behind what may be read.
    ReconciliationLagSeconds,
    /// Listed deposits that differ from what is recorded, by the kind of difference.
    ReconciliationDiscrepancies,
    /// Rows of the providers' lists that were read for the first time.
    ListedRows,
    /// Those of them that no webhook told.
    RowsWithoutWebhook,
    /// For how long no webhook has told what the lists of a busy feed contain; 0 if one did, or the feed is not busy.
    SilenceSeconds,
    /// How long ago the last webhook about a listed row was received.
    LastWebhookAgeSeconds,
    /// How far the control totals are behind what may be read.
    ControlTotalsLagSeconds,
    /// Differences between the control totals of an hour.
    ControlTotalsDifferences,
}

/// Which of several values is the worst one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Worst {
    Least,
    Greatest,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::AcceptedWebhooks,
        Self::RefusedWebhooks,
        Self::UnverifiedShare,
        Self::UnverifiedSeconds,
        Self::UnrecognizedWebhooks,
        Self::PublishedEvents,
        Self::RecoverySurpluses,
        Self::KeySetAgeSeconds,
        Self::KeySetSecondsLeft,
        Self::TokenSecondsLeft,
        Self::ProviderApiRefused,
        Self::ReconciliationLagSeconds,
        Self::ReconciliationDiscrepancies,
        Self::ListedRows,
        Self::RowsWithoutWebhook,
        Self::SilenceSeconds,
        Self::LastWebhookAgeSeconds,
        Self::ControlTotalsLagSeconds,
        Self::ControlTotalsDifferences,
    ];

    /// The name in CloudWatch.
    pub fn name(self) -> &'static str {
        match self {
            Self::AcceptedWebhooks => "AcceptedWebhooks",
            Self::RefusedWebhooks => "RefusedWebhooks",
            Self::UnverifiedShare => "UnverifiedShare",
            Self::UnverifiedSeconds => "UnverifiedSeconds",
            Self::UnrecognizedWebhooks => "UnrecognizedWebhooks",
            Self::PublishedEvents => "PublishedEvents",
            Self::RecoverySurpluses => "RecoverySurpluses",
            Self::KeySetAgeSeconds => "KeySetAgeSeconds",
            Self::KeySetSecondsLeft => "KeySetSecondsLeft",
            Self::TokenSecondsLeft => "TokenSecondsLeft",
            Self::ProviderApiRefused => "ProviderApiRefused",
            Self::ReconciliationLagSeconds => "ReconciliationLagSeconds",
            Self::ReconciliationDiscrepancies => "ReconciliationDiscrepancies",
            Self::ListedRows => "ListedRows",
            Self::RowsWithoutWebhook => "RowsWithoutWebhook",
            Self::SilenceSeconds => "SilenceSeconds",
            Self::LastWebhookAgeSeconds => "LastWebhookAgeSeconds",
            Self::ControlTotalsLagSeconds => "ControlTotalsLagSeconds",
            Self::ControlTotalsDifferences => "ControlTotalsDifferences",
        }
    }

    /// The unit in CloudWatch.
    fn unit(self) -> &'static str {
        if self.name().ends_with("Seconds") || self.name().ends_with("SecondsLeft") { "Seconds" } else { "Count" }
    }

    fn worst(self) -> Worst {
        match self {
            Self::KeySetSecondsLeft | Self::TokenSecondsLeft => Worst::Least,
            Self::AcceptedWebhooks
            | Self::RefusedWebhooks
            | Self::UnverifiedShare
            | Self::UnverifiedSeconds
            | Self::UnrecognizedWebhooks
            | Self::PublishedEvents
            | Self::RecoverySurpluses
            | Self::KeySetAgeSeconds
            | Self::ProviderApiRefused
            | Self::ReconciliationLagSeconds
            | Self::ReconciliationDiscrepancies
            | Self::ListedRows
            | Self::RowsWithoutWebhook
            | Self::SilenceSeconds
            | Self::LastWebhookAgeSeconds
            | Self::ControlTotalsLagSeconds
            | Self::ControlTotalsDifferences => Worst::Greatest,
        }
    }
}

/// Emits the metrics of one stack.
#[derive(Clone, Debug)]
pub struct Metrics {
    stack: String,
    by_feed: bool,
    lines: Lines,
}

/// Where the lines go.
#[derive(Clone, Debug)]
enum Lines {
    StandardOutput,
    Recorded(Arc<Mutex<Vec<Value>>>),
}

/// The values of one log line: metrics that share their dimensions.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// The metrics and their values.
    pub values: &'a [(Metric, u64)],
    /// The dimensions besides `stack` and those of the feed. The metrics are emitted with them, and with the stack and the
    /// provider alone.
    pub by: &'a [(&'static str, &'a str)],
    /// Further members of the line. They are not dimensions.
    pub fields: Value,
}

impl Metrics {
    /// Metrics of the stack in `FUNDHOOK_STACK`, also for each feed if `FUNDHOOK_METRICS_BY_FEED` is `on`.
    pub fn from_environment(environment: &Environment<'_>) -> Result<Self, SettingError> {
        Ok(Self {
            stack: environment.required("FUNDHOOK_STACK")?,
            by_feed: environment.on_or_off("FUNDHOOK_METRICS_BY_FEED", false)?,
            lines: Lines::StandardOutput,
        })
    }

    /// Metrics of the stack `test`, which are recorded instead of printed, for tests.
    pub fn recorded(by_feed: bool) -> Self {
        Self { stack: "test".to_owned(), by_feed, lines: Lines::Recorded(Arc::default()) }
    }

    /// The recorded lines, for tests.
    pub fn lines(&self) -> Vec<Value> {
        match &self.lines {
            Lines::Recorded(lines) => lines.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            Lines::StandardOutput => Vec::new(),
        }
    }

    /// The lines that were recorded since the last time that they were taken, for tests.
    pub fn take(&self) -> Vec<Value> {
        match &self.lines {
            Lines::Recorded(lines) => std::mem::take(&mut *lines.lock().unwrap_or_else(PoisonError::into_inner)),
            Lines::StandardOutput => Vec::new(),
        }
    }

    /// Emits one value that belongs to no feed, with the dimensions `by` besides the stack.
    pub fn of_stack(&self, now: Timestamp, metric: Metric, value: u64, by: &[(&'static str, &str)]) {
        self.without_feed(now, Line { values: &[(metric, value)], by, fields: json!({}) });
    }

    /// Emits values that belong to no feed in one line, with the dimensions of the line besides the stack.
    pub fn without_feed(&self, now: Timestamp, given: Line<'_>) {
        let mut dimensions = vec![("stack", self.stack.as_str())];
        dimensions.extend(given.by);
        self.print(line(now, given.values, &dimensions, &[names(&dimensions)], given.fields));
    }

    /// Emits values of a feed in one line: for its provider, and for the feed if that is on; and each of those by the
    /// dimensions of the line, too. The line names the feed as its member `feed`.
    pub fn of_feed(&self, now: Timestamp, feed: &Feed, mut given: Line<'_>) {
        let tenant = feed.tenant().map_or(DEFAULT_TENANT, |tenant| tenant.as_str());
        let mut dimensions = self.of_provider(feed.provider());
        let mut sets = vec![names(&dimensions)];
        if self.by_feed {
            dimensions.push(("tenant", tenant));
            sets.push(names(&dimensions));
        }
        if !given.by.is_empty() {
            let further =
                sets.iter().map(|set| set.iter().copied().chain(given.by.iter().map(|(name, _)| *name)).collect());
            let further: Vec<Vec<&str>> = further.collect();
            sets.extend(further);
            dimensions.extend(given.by);
        }
        given.fields["feed"] = json!(feed);
        self.print(line(now, given.values, &dimensions, &sets, given.fields));
    }

    /// Emits a count of a feed.
    pub fn count(&self, now: Timestamp, feed: &Feed, metric: Metric, count: u64, by: &[(&'static str, &str)]) {
        self.of_feed(now, feed, Line { values: &[(metric, count)], by, fields: json!({}) });
    }

    /// Emits the worst value of each provider's feeds, with the name of that feed as the member `feed`. So a fixed number of
    /// alarms watches any number of organizations. If that is on, the value of each feed is emitted too.
    pub fn worst<'a>(&self, now: Timestamp, metric: Metric, values: impl IntoIterator<Item = (&'a Feed, u64)>) {
        let mut of_provider: BTreeMap<Provider, (&Feed, u64)> = BTreeMap::new();
        for (feed, value) in values {
            let worst = of_provider.entry(feed.provider()).or_insert((feed, value));
            let is_worse = match metric.worst() {
                Worst::Least => value < worst.1,
                Worst::Greatest => value > worst.1,
            };
            if is_worse {
                *worst = (feed, value);
            }
            if self.by_feed {
                let tenant = feed.tenant().map_or(DEFAULT_TENANT, |tenant| tenant.as_str());
                let mut dimensions = self.of_provider(feed.provider());
                dimensions.push(("tenant", tenant));
                self.print(line(now, &[(metric, value)], &dimensions, &[names(&dimensions)], json!({})));
            }
        }
        for (provider, (feed, value)) in of_provider {
            let dimensions = self.of_provider(provider);
            let fields = json!({ "feed": feed });
            self.print(line(now, &[(metric, value)], &dimensions, &[names(&dimensions)], fields));
        }
    }

    fn of_provider(&self, provider: Provider) -> Vec<(&'static str, &str)> {
        vec![("stack", self.stack.as_str()), ("provider", provider.as_str())]
    }

    fn print(&self, line: Value) {
        match &self.lines {
            Lines::StandardOutput => println!("{line}"),
            Lines::Recorded(lines) => lines.lock().unwrap_or_else(PoisonError::into_inner).push(line),
        }
    }
}

fn names(dimensions: &[(&'static str, &str)]) -> Vec<&'static str> {
    dimensions.iter().map(|(name, _)| *name).collect()
}

/// One line: `values` with the `dimensions`, of which each of `sets` makes a metric of its own.
fn line(
    now: Timestamp,
    values: &[(Metric, u64)],
    dimensions: &[(&str, &str)],
    sets: &[Vec<&str>],
    fields: Value,
) -> Value {
    let metrics: Vec<Value> =
        values.iter().map(|(metric, _)| json!({ "Name": metric.name(), "Unit": metric.unit() })).collect();
    // Lambda would add a level and a time to a line of the JSON log format that has none.
    let mut line = json!({ "timestamp": now, "level": "INFO", "version": crate::VERSION });
    if let (Value::Object(line), Value::Object(fields)) = (&mut line, fields) {
        line.extend(fields);
    }
    for (name, value) in dimensions {
        line[*name] = json!(value);
    }
    for (metric, value) in values {
        line[metric.name()] = json!(value);
    }
    line["_aws"] = json!({
        "Timestamp": now.unix_seconds() * 1000,
        "CloudWatchMetrics": [{ "Namespace": NAMESPACE, "Dimensions": sets, "Metrics": metrics }],
    });
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_unix_seconds(1_760_484_866).expect("in range")
    }

    fn feed(name: &str) -> Feed {
        name.parse().expect("a feed")
    }

    fn sets(line: &Value) -> String {
        line["_aws"]["CloudWatchMetrics"][0]["Dimensions"].to_string()
    }

    #[test]
    fn a_line_has_the_members_that_cloudwatch_requires_and_the_name_of_the_worst_feed() {
        let metrics = Metrics::recorded(false);
        let (one, acme) = (feed("connect"), feed("connect/acme"));
        metrics.worst(now(), Metric::KeySetAgeSeconds, [(&one, 5), (&acme, 7)]);
        assert_eq!(
            metrics.lines(),
            [json!({
                "_aws": {
                    "Timestamp": 1_760_484_866_000_i64,
                    "CloudWatchMetrics": [{
                        "Namespace": "Fundhook",
                        "Dimensions": [["stack", "provider"]],
                        "Metrics": [{ "Name": "KeySetAgeSeconds", "Unit": "Seconds" }],
                    }],
                },
                "KeySetAgeSeconds": 7,
                "feed": "connect/acme",
                "level": "INFO",
                "provider": "connect",
                "stack": "test",
                "timestamp": "2025-10-14T23:34:26Z",
                "version": env!("CARGO_PKG_VERSION"),
            })]
        );
    }

    #[test]
    fn the_worst_of_a_remaining_time_is_the_least_and_each_provider_has_its_own() {
        let metrics = Metrics::recorded(false);
        let feeds = ["connect", "connect/acme", "zerohash"].map(feed);
        metrics.worst(now(), Metric::TokenSecondsLeft, feeds.iter().zip([9, 3, 1]));
        let worst: Vec<String> =
            metrics.lines().iter().map(|line| format!("{} {}", line["feed"], line["TokenSecondsLeft"])).collect();
        assert_eq!(worst, [r#""connect/acme" 3"#, r#""zerohash" 1"#]);
    }

    #[test]
    fn each_feed_has_metrics_of_its_own_only_where_that_is_on() {
        let (one, acme) = (feed("connect"), feed("connect/acme"));
        let by_feed = Metrics::recorded(true);
        by_feed.worst(now(), Metric::KeySetAgeSeconds, [(&one, 5), (&acme, 7)]);
        let lines = by_feed.lines();
        assert_eq!(
            lines.iter().map(|line| line["tenant"].clone()).collect::<Vec<_>>(),
            [json!("default"), json!("acme"), Value::Null]
        );
        assert_eq!(sets(&lines[0]), r#"[["stack","provider","tenant"]]"#);

        by_feed.count(now(), &acme, Metric::RefusedWebhooks, 1, &[("reason", "body_too_large")]);
        let all = r#"[["stack","provider"],["stack","provider","tenant"],["stack","provider","reason"],["stack","provider","tenant","reason"]]"#;
        assert_eq!(by_feed.lines().last().map(sets).as_deref(), Some(all));

        let by_provider = Metrics::recorded(false);
        by_provider.count(now(), &acme, Metric::RefusedWebhooks, 1, &[("reason", "body_too_large")]);
        let line = by_provider.lines().pop().expect("emitted");
        assert_eq!(sets(&line), r#"[["stack","provider"],["stack","provider","reason"]]"#);
        assert_eq!((line.get("tenant"), &line["feed"]), (None, &json!("connect/acme")), "the line names it");
    }

    #[test]
    fn no_metric_lacks_the_stack_and_all_names_differ() {
        let metrics = Metrics::recorded(true);
        for metric in Metric::ALL {
            metrics.of_stack(now(), metric, 1, &[]);
            metrics.count(now(), &feed("striga"), metric, 1, &[("reason", "x")]);
            metrics.worst(now(), metric, [(&feed("striga/acme"), 1)]);
        }
        for line in metrics.lines() {
            assert_eq!(line["stack"], "test");
            let sets = line["_aws"]["CloudWatchMetrics"][0]["Dimensions"].as_array().expect("sets").clone();
            assert!(!sets.is_empty());
            for set in sets {
                assert_eq!(set[0], "stack", "{line}");
                for name in set.as_array().expect("names") {
                    assert!(line[name.as_str().expect("a name")].is_string(), "{name} has no value in {line}");
                }
            }
        }
        let mut names = Metric::ALL.map(Metric::name).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Metric::ALL.len());
    }
}
