//! Which alarms should ring, and which should not.

use std::ops::Range;

use fundhook_domain::Timestamp;

use crate::cloudwatch::{Alarm, CloudWatch, Minutes, minute_of};

/// The alarms that ring while the functions with a schedule do not run: missing data is bad news for them.
const OF_SCHEDULES: [&str; 7] = [
    "ConnectKeySetAgeAlarm",
    "ConnectTokenAlarm",
    "ControlTotalsLagAlarm",
    "ReconciliationLagAlarm",
    "ZerohashApiRefusedAlarm",
    "ZerohashControlTotalsLagAlarm",
    "ZerohashReconciliationLagAlarm",
];

/// How long after the last run of those functions they ring at the latest, and how long after their next run they may still ring.
const OF_SCHEDULES_WITHIN: i64 = 60;

/// The alarms about money that differs. After the functions stood still, an hour is totalled before what was missed in it is
/// recorded, and then once more.
const OF_TOTALS: [&str; 2] = ["ControlTotalsAlarm", "ZerohashControlTotalsAlarm"];

/// How many minutes before or after something went wrong a function may report it: its clock may be off, and one that is killed
/// reports it when it tries again.
const CLOCKS_OFF: i64 = 3;
const REPORTED_WITHIN: i64 = 60;

/// For how long after the last fault an alarm may ring because of it.
const FAULTS_LAST: i64 = 120;

/// Is told a promise, whether it holds, and what happened otherwise.
pub(crate) type Check<'a> = dyn FnMut(&'static str, bool, &dyn Fn() -> String) + 'a;

/// The times that decide which alarms may ring.
pub(crate) struct Phases {
    pub(crate) begins: Timestamp,
    /// From when on nothing goes wrong; the beginning, if nothing ever does.
    pub(crate) calm_from: Timestamp,
    /// When the functions with a schedule do not run.
    pub(crate) stand_still: Range<Timestamp>,
    pub(crate) ends: Timestamp,
}

impl CloudWatch {
    /// Checks every alarm.
    pub(crate) fn check(&self, phases: &Phases, check: &mut Check<'_>) {
        let (troubles, ringing) = (self.troubles(), self.ringing(phases.begins, phases.ends));
        for (alarm, minutes) in &troubles {
            let found = ringing.iter().find(|(known, _)| known.name == *alarm);
            let before_end = minutes.range(..minute_of(phases.ends) - REPORTED_WITHIN);
            for minute in before_end {
                let rings = found.is_some_and(|(alarm, ringing)| {
                    let latest = minute + alarm.looks_back() + REPORTED_WITHIN;
                    ringing.iter().any(|range| range.start <= latest && range.end > minute - CLOCKS_OFF)
                });
                check("an alarm rings where something went wrong", rings, &|| {
                    format!("{alarm} does not ring at {}", time(*minute))
                });
            }
        }
        let still = minute_of(phases.stand_still.start)..minute_of(phases.stand_still.end);
        for name in OF_SCHEDULES {
            let found = ringing.iter().find(|(alarm, _)| alarm.name == name);
            let looks_back = found.map_or(0, |(alarm, _)| alarm.looks_back());
            let all = still.start + OF_SCHEDULES_WITHIN..still.end - looks_back;
            let rings = found.is_some_and(|(_, ringing)| {
                ringing.iter().any(|range| range.start <= all.start && range.end >= all.end)
            });
            check("an alarm rings while functions with a schedule do not run", rings, &|| {
                format!("{name} does not ring from {} to {}", time(all.start), time(all.end))
            });
        }
        for (alarm, ranges) in &ringing {
            for range in ranges {
                let is_explained = match troubles.get(&alarm.name) {
                    Some(minutes) => {
                        let from = range.start - alarm.looks_back() - REPORTED_WITHIN;
                        minutes.range(from..range.end + CLOCKS_OFF).next().is_some()
                    }
                    None => phases.explain(alarm, range),
                };
                check("no alarm rings without a reason", is_explained, &|| {
                    format!(
                        "{} rings from {} to {}, and nothing was wrong",
                        alarm.name,
                        time(range.start),
                        time(range.end)
                    )
                });
            }
        }
    }
}

impl Phases {
    /// Whether the alarm may ring in these minutes.
    fn explain(&self, alarm: &Alarm, range: &Minutes) -> bool {
        let still = &self.stand_still;
        let of_schedule = OF_SCHEDULES.contains(&alarm.name.as_str())
            && range.start >= minute_of(still.start)
            && range.end <= minute_of(still.end) + OF_SCHEDULES_WITHIN;
        let had_faults = self.calm_from > self.begins;
        let of_totals = OF_TOTALS.contains(&alarm.name.as_str()) && range.start >= minute_of(still.end);
        of_schedule || had_faults && (of_totals || range.start < minute_of(self.calm_from) + FAULTS_LAST)
    }
}

fn time(minute: i64) -> String {
    Timestamp::from_unix_seconds(minute * 60).map(|time| time.to_string()).unwrap_or_default()
}
