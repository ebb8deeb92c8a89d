//! How recorded resources are reconciled with the providers' lists, and how long a status may last.

use std::collections::BTreeSet;
use std::time::Duration;

use fundhook_domain::{Feed, Kind, Provider};
use fundhook_providers::ReadingSettings;

use super::environment::{Environment, SettingError};
use super::reading::reading;
use super::tenants::Tenants;

#[derive(Clone, Debug)]
pub struct ReconcileSettings {
    /// The provider whose deposits have the rows' `fund_id` as their id: Connect, or zerohash (fund webhooks).
    pub rows_are: Provider,
    /// The enabled feeds of Connect and zerohash: an organization with both may receive webhooks about the same coin from both.
    pub feeds: BTreeSet<Feed>,
    /// Rows younger than this are skipped: their webhooks may still arrive.
    pub grace: Duration,
    /// How far each run reads behind the watermark, for rows that appear late or move between pages during a run.
    pub overlap: Duration,
    /// How far back the first run reads.
    pub lookback: Duration,
    pub overdue: OverdueLimits,
    /// How rows are read.
    pub reading: ReadingSettings,
}

/// How long a resource may keep a status that is not final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverdueLimits {
    pub deposit: Duration,
    /// Of withdrawals and exchanges.
    pub withdrawal: Duration,
    pub recovery: Duration,
}

impl OverdueLimits {
    /// The limit for `kind`; `None` for kinds whose status is always final.
    pub fn of(&self, kind: Kind) -> Option<Duration> {
        match kind {
            Kind::Deposit => Some(self.deposit),
            Kind::Withdrawal | Kind::Exchange => Some(self.withdrawal),
            Kind::Recovery => Some(self.recovery),
            Kind::Fee | Kind::Participant | Kind::ExternalAccount | Kind::Balance | Kind::Unrecognized => None,
        }
    }
}

const DAY: u64 = 86_400;
const YEAR: u64 = 365 * DAY;

impl ReconcileSettings {
    /// Reads `FUNDHOOK_CONNECT_TRANSACTIONS_ARE`, `FUNDHOOK_RECONCILE_…` and `FUNDHOOK_OVERDUE_…`.
    pub fn from_environment(environment: &Environment<'_>) -> Result<Self, SettingError> {
        let whose = [("connect", Provider::Connect), ("zerohash", Provider::Zerohash)];
        let tenants = Tenants::from_environment(environment)?;
        let mut feeds = BTreeSet::new();
        for (provider, name, default) in
            [(Provider::Connect, "FUNDHOOK_CONNECT", true), (Provider::Zerohash, "FUNDHOOK_ZEROHASH", false)]
        {
            if environment.on_or_off(name, default)? {
                feeds.extend(tenants.feeds(provider));
            }
        }
        Ok(Self {
            reading: reading(environment)?,
            feeds,
            rows_are: environment.one_of("FUNDHOOK_CONNECT_TRANSACTIONS_ARE", Provider::Connect, &whose)?,
            grace: environment.seconds("FUNDHOOK_RECONCILE_GRACE_SECONDS", 900, 0..=DAY)?,
            overlap: environment.seconds("FUNDHOOK_RECONCILE_OVERLAP_SECONDS", 3600, 0..=7 * DAY)?,
            lookback: environment.seconds("FUNDHOOK_RECONCILE_LOOKBACK_SECONDS", 3 * DAY, 3600..=YEAR)?,
            overdue: OverdueLimits {
                deposit: environment.seconds("FUNDHOOK_OVERDUE_DEPOSIT_SECONDS", DAY, 1..=YEAR)?,
                withdrawal: environment.seconds("FUNDHOOK_OVERDUE_WITHDRAWAL_SECONDS", DAY, 1..=YEAR)?,
                recovery: environment.seconds("FUNDHOOK_OVERDUE_RECOVERY_SECONDS", 7 * DAY, 1..=YEAR)?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_documentation() {
        let settings = ReconcileSettings::from_environment(&Environment::new(&|_| None)).expect("valid");
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        assert_eq!((settings.grace, settings.overlap), (hours(1) / 4, hours(1)));
        assert_eq!((settings.lookback, settings.rows_are), (hours(72), Provider::Connect));
        let limits = Kind::ALL.map(|kind| settings.overdue.of(kind));
        let awaited =
            [Some(hours(24)), Some(hours(24)), None, Some(hours(24)), Some(hours(168)), None, None, None, None];
        assert_eq!(limits, awaited);
    }

    #[test]
    fn an_invalid_value_is_reported_with_the_expected_one() {
        for (name, value, hint) in [
            ("FUNDHOOK_CONNECT_TRANSACTIONS_ARE", "striga", "connect or zerohash"),
            ("FUNDHOOK_OVERDUE_DEPOSIT_SECONDS", "0", "from 1"),
            ("FUNDHOOK_RECONCILE_LOOKBACK_SECONDS", "3d", "whole seconds"),
        ] {
            let lookup = |asked: &str| (asked == name).then(|| value.to_owned());
            let error = ReconcileSettings::from_environment(&Environment::new(&lookup)).expect_err(name).to_string();
            assert!(error.contains(name) && error.contains(hint), "{error}");
        }
    }
}
