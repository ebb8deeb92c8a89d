//! CloudWatch: the metrics of the stack by the minute, and the alarms of its template.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fundhook_domain::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::CannotBegin;
use crate::clock::Clock;

/// The template that is deployed.
const TEMPLATE: &str = include_str!("../../../infra/template.yaml");

/// The conditions of the template that hold for the simulated stack.
const HOLD: [&str; 5] = ["ConnectIsOn", "ConnectApiIsOn", "StrigaIsOn", "ZerohashApiIsOn", "ZerohashIsOn"];

/// The function of which a single failure alarms.
pub(crate) const RECEIVER: &str = "receiver";

const MINUTE: Duration = Duration::from_secs(60);

/// The metrics, and the alarms that watch them. Clones share them.
#[derive(Clone)]
pub(crate) struct CloudWatch {
    clock: Clock,
    alarms: &'static [Alarm],
    reported: Arc<Mutex<Reported>>,
}

#[derive(Default)]
struct Reported {
    points: BTreeMap<Metric, BTreeMap<i64, Minute>>,
    /// What went wrong, by the alarm that should ring because of it: the minutes.
    troubles: BTreeMap<String, BTreeSet<i64>>,
}

/// A metric: its name and its dimensions other than the stack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Metric {
    name: String,
    dimensions: BTreeMap<String, String>,
}

/// The values of a metric in one minute.
#[derive(Clone, Copy, Debug)]
struct Minute {
    sum: u64,
    least: u64,
    greatest: u64,
}

/// An alarm of the template.
#[derive(Debug)]
pub(crate) struct Alarm {
    /// Its logical id.
    pub(crate) name: String,
    metric: Metric,
    properties: Properties,
}

#[derive(Debug, Deserialize)]
struct Template {
    #[serde(rename = "Resources")]
    resources: BTreeMap<String, Resource>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Resource {
    #[serde(rename = "Type")]
    of_type: String,
    condition: Option<String>,
    #[serde(default)]
    properties: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Properties {
    metric_name: String,
    dimensions: Vec<Dimension>,
    statistic: Statistic,
    period: u64,
    evaluation_periods: u64,
    datapoints_to_alarm: Option<u64>,
    comparison_operator: Comparison,
    threshold: u64,
    treat_missing_data: Missing,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Dimension {
    name: String,
    value: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
enum Statistic {
    Sum,
    Minimum,
    Maximum,
}

#[derive(Clone, Copy, Debug, Deserialize)]
enum Comparison {
    #[serde(rename = "GreaterThanThreshold")]
    Above,
    #[serde(rename = "GreaterThanOrEqualToThreshold")]
    AtLeast,
    #[serde(rename = "LessThanOrEqualToThreshold")]
    AtMost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Missing {
    Breaching,
    NotBreaching,
}

/// The alarms that the simulated stack has.
static ALARMS: LazyLock<Result<Vec<Alarm>, String>> = LazyLock::new(|| alarms_of(TEMPLATE));

fn alarms_of(template: &str) -> Result<Vec<Alarm>, String> {
    let template: Template = serde_saphyr::from_str(template).map_err(|error| error.to_string())?;
    let holds = |resource: &Resource| resource.condition.as_deref().is_none_or(|condition| HOLD.contains(&condition));
    let of_stack = template.resources.into_iter().filter(|(_, resource)| holds(resource));
    let alarms = of_stack.filter(|(_, resource)| resource.of_type == "AWS::CloudWatch::Alarm");
    let read = |(name, resource): (String, Resource)| {
        let properties: Properties =
            serde_json::from_value(resource.properties).map_err(|error| format!("{name}: {error}"))?;
        let dimensions = properties.dimensions.iter().map(|Dimension { name, value }| {
            // `!GetAtt IngressDlq.QueueName` is read as its text.
            (name.clone(), value.split('.').next().unwrap_or_default().to_owned())
        });
        let metric = Metric::new(&properties.metric_name, dimensions);
        Ok(Alarm { name, metric, properties })
    };
    alarms.map(read).collect()
}

impl Metric {
    fn new(name: &str, dimensions: impl IntoIterator<Item = (String, String)>) -> Self {
        let of_stack = dimensions.into_iter().filter(|(name, _)| name != "stack").collect();
        Self { name: name.to_owned(), dimensions: of_stack }
    }
}

impl Minute {
    fn of(value: u64) -> Self {
        Self { sum: value, least: value, greatest: value }
    }

    fn and(self, other: Self) -> Self {
        Self {
            sum: self.sum + other.sum,
            least: self.least.min(other.least),
            greatest: self.greatest.max(other.greatest),
        }
    }
}

/// The logical id of a resource of the template: that of the function `fan-out` is `FanOutFunction`.
fn logical_id(name: &str, kind: &str) -> String {
    let capital = |part: &str| {
        let mut letters = part.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    name.split('-').map(capital).chain([kind.to_owned()]).collect()
}

pub(crate) fn minute_of(at: Timestamp) -> i64 {
    at.unix_seconds().div_euclid(60)
}

impl CloudWatch {
    /// No metrics yet.
    pub(crate) fn of_template(clock: Clock) -> Result<Self, CannotBegin> {
        let alarms = ALARMS.as_deref();
        let alarms = alarms.map_err(|error| CannotBegin::because("an alarm cannot be read")(error.as_str().into()))?;
        Ok(Self { clock, alarms, reported: Arc::default() })
    }

    fn reported(&self) -> MutexGuard<'_, Reported> {
        self.reported.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something goes wrong because of which an alarm should ring.
    pub(crate) fn should_ring(&self, alarm: String) {
        let minute = minute_of(self.clock.now());
        self.reported().troubles.entry(alarm).or_default().insert(minute);
    }

    /// What went wrong, by the alarm that should ring because of it: the minutes.
    pub(crate) fn troubles(&self) -> BTreeMap<String, BTreeSet<i64>> {
        self.reported().troubles.clone()
    }

    fn put(&self, metric: Metric, minute: i64, value: u64) {
        let mut reported = self.reported();
        let minutes = reported.points.entry(metric).or_default();
        let known = minutes.get(&minute).copied();
        minutes.insert(minute, known.map_or(Minute::of(value), |known| known.and(Minute::of(value))));
    }

    /// Adds a value of a metric about a part of the stack, as AWS itself reports it.
    fn put_of(&self, name: &str, dimension: &str, part: String, value: u64) {
        self.put(Metric::new(name, [(dimension.to_owned(), part)]), minute_of(self.clock.now()), value);
    }

    /// A function failed: it crashed, was killed, returned an error or took too long.
    pub(crate) fn function_failed(&self, function: &str) {
        self.put_of("Errors", "FunctionName", logical_id(function, "Function"), 1);
        if function == RECEIVER {
            self.should_ring(logical_id(function, "ErrorsAlarm"));
        }
    }

    /// A function got a batch of a stream whose oldest record has waited for `age`.
    pub(crate) fn batch_waited(&self, function: &str, age: Duration) {
        let ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        self.put_of("IteratorAge", "FunctionName", logical_id(function, "Function"), ms);
    }

    /// The API answered with 5xx.
    pub(crate) fn api_failed(&self) {
        self.put_of("5xx", "ApiId", "HttpApi".to_owned(), 1);
        self.should_ring("ApiErrorsAlarm".to_owned());
    }

    /// So many messages are in the dead-letter queue of a queue.
    pub(crate) fn dead_letters(&self, queue: &str, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        if count > 0 {
            self.should_ring(logical_id(queue, "DlqAlarm"));
        }
        self.put_of("ApproximateNumberOfMessagesVisible", "QueueName", logical_id(queue, "Dlq"), count);
    }

    /// The oldest message of a queue has waited for `age`.
    pub(crate) fn message_waits(&self, queue: &str, age: Duration) {
        self.put_of("ApproximateAgeOfOldestMessage", "QueueName", logical_id(queue, "Queue"), age.as_secs());
    }

    /// Adds what functions report of themselves, in lines of the embedded metric format.
    pub(crate) fn put_lines(&self, lines: &[Value]) {
        let watched: BTreeSet<&str> = self.alarms.iter().map(|alarm| alarm.metric.name.as_str()).collect();
        for line in lines {
            let minute = line["_aws"]["Timestamp"].as_i64().unwrap_or_default().div_euclid(60_000);
            for of_line in line["_aws"]["CloudWatchMetrics"].as_array().into_iter().flatten() {
                let names = of_line["Metrics"].as_array().into_iter().flatten();
                for name in names.filter_map(|metric| metric["Name"].as_str()).filter(|name| watched.contains(name)) {
                    let value = line[name].as_u64().unwrap_or_default();
                    for set in of_line["Dimensions"].as_array().into_iter().flatten() {
                        let dimensions = set.as_array().into_iter().flatten().filter_map(Value::as_str);
                        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
                        let metric = Metric::new(name, dimensions.map(|name| (name.to_owned(), text(name))));
                        self.put(metric, minute, value);
                    }
                }
            }
        }
    }

    /// The periods in which each alarm rings between `from` and `until`, by their beginnings, as CloudWatch evaluates it. An alarm
    /// looks at no period before `from`.
    pub(crate) fn ringing(&self, from: Timestamp, until: Timestamp) -> Vec<(&'static Alarm, Vec<Minutes>)> {
        let Reported { points, .. } = &*self.reported();
        let none = BTreeMap::new();
        let of_alarm = |alarm: &'static Alarm| {
            let minutes = points.get(&alarm.metric).unwrap_or(&none);
            (alarm, alarm.ringing(minutes, minute_of(from)..minute_of(until)))
        };
        self.alarms.iter().map(of_alarm).collect()
    }
}

/// Minutes since 1970.
pub(crate) type Minutes = Range<i64>;

impl Alarm {
    /// How many minutes it looks back.
    pub(crate) fn looks_back(&self) -> i64 {
        self.minutes_of_period() * i64::try_from(self.properties.evaluation_periods).unwrap_or(1)
    }

    fn minutes_of_period(&self) -> i64 {
        i64::try_from(self.properties.period / MINUTE.as_secs()).unwrap_or(1).max(1)
    }

    fn is_breaching(&self, value: Option<Minute>) -> bool {
        let Properties { statistic, comparison_operator, threshold, treat_missing_data, .. } = &self.properties;
        let Some(value) = value else {
            return *treat_missing_data == Missing::Breaching;
        };
        let value = match statistic {
            Statistic::Sum => value.sum,
            Statistic::Minimum => value.least,
            Statistic::Maximum => value.greatest,
        };
        match comparison_operator {
            Comparison::Above => value > *threshold,
            Comparison::AtLeast => value >= *threshold,
            Comparison::AtMost => value <= *threshold,
        }
    }

    /// The periods at whose ends it rings. Neighbours are united.
    fn ringing(&self, minutes: &BTreeMap<i64, Minute>, within: Minutes) -> Vec<Minutes> {
        let length = self.minutes_of_period();
        let of_period = |period: i64| {
            let values = minutes.range(period * length..(period + 1) * length).map(|(_, value)| *value);
            values.reduce(Minute::and)
        };
        let periods = self.properties.evaluation_periods;
        let needed = self.properties.datapoints_to_alarm.unwrap_or(periods);
        let mut latest = VecDeque::new();
        let mut ringing: Vec<Minutes> = Vec::new();
        let first = within.start.div_euclid(length) + 1;
        for period in first..within.end.div_euclid(length) {
            latest.push_back(self.is_breaching(of_period(period)));
            if latest.len() as u64 > periods {
                latest.pop_front();
            }
            let breaching = latest.iter().filter(|is_breaching| **is_breaching).count() as u64;
            if breaching < needed {
                continue;
            }
            let rings = period * length..(period + 1) * length;
            match ringing.last_mut().filter(|last| last.end == rings.start) {
                Some(last) => last.end = rings.end,
                None => ringing.push(rings),
            }
        }
        ringing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An alarm with these properties over a metric of the queue `IngressQueue`, in periods of two minutes.
    fn alarm(properties: &[&str]) -> Alarm {
        let properties = properties.join("\n      ");
        let template = format!(
            "Resources:
  Other: {{ Type: AWS::SQS::Queue }}
  NotDeployed: {{ Type: AWS::CloudWatch::Alarm, Condition: DeploysGradually, Properties: {{ Threshold: 0.05 }} }}
  OneAlarm:
    Type: AWS::CloudWatch::Alarm
    Condition: ConnectIsOn
    Properties:
      MetricName: Age
      Dimensions: [{{ Name: stack, Value: !Ref AWS::StackName }}, {{ Name: QueueName, Value: !GetAtt IngressQueue.QueueName }}]
      Period: 120
      {properties}
"
        );
        let mut alarms = alarms_of(&template).expect("a template");
        assert_eq!(alarms.len(), 1, "{alarms:?}");
        alarms.remove(0)
    }

    /// The periods in which it rings, by their numbers, with one value in the first minute of each period.
    fn rings(evaluation: &[&str], values: [Option<u64>; 6]) -> Vec<i64> {
        let minutes = (0..).step_by(2).zip(values).filter_map(|(minute, value)| Some((minute, Minute::of(value?))));
        let properties = ["Statistic: Maximum", "Threshold: 5", "ComparisonOperator: GreaterThanThreshold"];
        let ringing = alarm(&[&properties, evaluation].concat()).ringing(&minutes.collect(), -1..12);
        ringing.into_iter().flat_map(|range| range.start / 2..range.end / 2).collect()
    }

    #[test]
    fn an_alarm_rings_when_enough_of_the_latest_periods_are_breaching() {
        let one = ["EvaluationPeriods: 1", "TreatMissingData: notBreaching"];
        assert_eq!(rings(&one, [Some(5), Some(6), Some(7), None, Some(9), None]), [1, 2, 4]);
        let two = ["EvaluationPeriods: 2", "TreatMissingData: notBreaching"];
        assert_eq!(rings(&two, [Some(6), None, Some(6), Some(6), Some(6), None]), [3, 4], "two in a row");
        let some = ["EvaluationPeriods: 3", "DatapointsToAlarm: 2", "TreatMissingData: notBreaching"];
        assert_eq!(rings(&some, [Some(6), None, Some(6), None, None, None]), [2], "two of the last three");
        let missing = ["EvaluationPeriods: 2", "TreatMissingData: breaching"];
        assert_eq!(rings(&missing, [Some(1), None, None, Some(1), Some(6), None]), [2, 5]);
    }

    #[test]
    fn a_period_has_the_values_of_all_its_minutes() {
        let of = |statistic: &str, threshold: u64| {
            let (statistic, threshold) = (format!("Statistic: {statistic}"), format!("Threshold: {threshold}"));
            let others = [
                "ComparisonOperator: GreaterThanOrEqualToThreshold",
                "EvaluationPeriods: 1",
                "TreatMissingData: notBreaching",
            ];
            let minutes = BTreeMap::from([(2, Minute::of(3).and(Minute::of(1))), (3, Minute::of(2))]);
            let ringing = alarm(&[&[statistic.as_str(), &threshold], &others[..]].concat()).ringing(&minutes, -1..12);
            ringing.into_iter().flatten().collect::<Vec<_>>()
        };
        for (statistic, value) in [("Sum", 6), ("Maximum", 3), ("Minimum", 1)] {
            assert_eq!((of(statistic, value), of(statistic, value + 1)), (vec![2, 3], vec![]), "{statistic}");
        }
    }

    #[test]
    fn what_functions_report_is_found_by_the_alarms_of_the_template() {
        let clock = Clock::started().expect("a time");
        let cloudwatch = CloudWatch::of_template(clock).expect("alarms");
        let metrics = fundhook_runtime::metrics::Metrics::recorded(true);
        let feed = fundhook_domain::Feed::from(fundhook_domain::Provider::Connect);
        let unrecognized = fundhook_runtime::metrics::Metric::UnrecognizedWebhooks;
        metrics.count(clock.now().plus(MINUTE * 10), &feed, unrecognized, 2, &[]);
        cloudwatch.put_lines(&metrics.take());
        let ringing = cloudwatch.ringing(clock.now(), clock.now().plus(MINUTE * 30));
        let ringing = ringing.into_iter().filter(|(_, ranges)| !ranges.is_empty());
        let first = minute_of(clock.now());
        let found: Vec<(&str, Minutes)> = ringing
            .map(|(alarm, ranges)| (alarm.name.as_str(), ranges[0].start - first..ranges[0].end - first))
            .filter(|(_, range)| range.start == 10)
            .collect();
        assert_eq!(found, [("UnrecognizedConnectAlarm", 10..15)]);
    }
}
