//! Whether zerohash's API accepts the calls of this deployment. It is asked in each run, and logged when the answer changes.
//!
//! The provider accepts calls from listed static addresses only [zerohash-api-security], and its keys expire. Webhooks are
//! not affected by either, so without this check a refusal would show only when a missing deposit is looked for.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fundhook_domain::{Feed, Provider, Timestamp};
use fundhook_ports::{ApiAccessError, CheckApiAccess, ProviderClock, chain};
use fundhook_runtime::metrics::{Line, Metric, Metrics};
use futures_util::future::join_all;
use serde_json::json;
use tracing::{error, info, warn};

/// What does not change is logged again after this time, so that the log of any hour shows it.
const LOGGED_AGAIN_AFTER: Duration = Duration::from_secs(3600);

/// Whether zerohash's API is checked.
#[derive(Debug)]
pub enum CheckedApi<C> {
    /// The API is not used.
    Unused,
    /// The API is enabled, and its settings are invalid for this reason.
    Invalid(String),
    Checked(C),
}

impl<C> CheckedApi<C> {
    /// Invalid settings are logged in each run, and do not stop the renewal of key sets and tokens.
    pub fn of<E: AsRef<dyn std::error::Error + Send + Sync>>(api: Result<Option<C>, E>) -> Self {
        match api {
            Ok(Some(api)) => Self::Checked(api),
            Ok(None) => Self::Unused,
            Err(invalid) => Self::Invalid(chain(invalid.as_ref())),
        }
    }
}

/// The API cannot be called, whatever the provider says.
#[derive(Debug, thiserror::Error)]
#[error("zerohash's API is not used because its settings are invalid: {0}")]
pub struct InvalidZerohashSettings(String);

/// Checks zerohash's API.
#[derive(Debug)]
pub struct ApiCheck<C> {
    api: CheckedApi<C>,
    metrics: Metrics,
    /// What was logged last about each subject, and when.
    logged: Mutex<BTreeMap<Subject, (Access, Timestamp)>>,
}

/// What the answer is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    /// The address that the calls come from, and the clock: the same for all organizations.
    Caller,
    /// The credentials of an organization.
    Organization(Feed),
}

/// Whether calls are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Accepted,
    Refused(Reason),
    /// There was no answer that tells.
    Unknown,
}

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    Address,
    Credentials,
    Clock,
}

impl Reason {
    /// The value of the metric's dimension `reason`.
    fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Credentials => "credentials",
            Self::Clock => "clock",
        }
    }
}

/// What was found about a subject.
#[derive(Debug)]
struct Finding {
    access: Access,
    /// The error, or the clock skew.
    detail: String,
}

impl Finding {
    fn of(outcome: Result<(), ApiAccessError>) -> Self {
        let access = match &outcome {
            Ok(()) => Access::Accepted,
            Err(ApiAccessError::Address(_)) => Access::Refused(Reason::Address),
            Err(ApiAccessError::Credentials(_)) => Access::Refused(Reason::Credentials),
            Err(ApiAccessError::Port(_)) => Access::Unknown,
        };
        Self { access, detail: outcome.err().map(|error| chain(&error)).unwrap_or_default() }
    }

    /// A provider that tells its time accepts the address. It refuses signatures of another time than its own.
    fn of_clock(provider: ProviderClock, now: Timestamp) -> Self {
        let (ahead, behind) = (now.since(provider.time), provider.time.since(now));
        let (skew, direction) = if ahead > behind { (ahead, "ahead of") } else { (behind, "behind") };
        let is_accepted = skew <= provider.tolerance;
        let access = if is_accepted { Access::Accepted } else { Access::Refused(Reason::Clock) };
        let (ms, tolerance) = (skew.as_millis(), provider.tolerance.as_secs());
        let detail =
            format!("this function's clock is {ms} ms {direction} zerohash's; at most {tolerance} s are accepted");
        Self { access, detail }
    }
}

type Findings = BTreeMap<Subject, Finding>;

impl<C: CheckApiAccess> ApiCheck<C> {
    pub fn new(api: CheckedApi<C>, metrics: Metrics) -> Self {
        Self { api, metrics, logged: Mutex::default() }
    }

    /// Asks whether the address is accepted and, if it is, reads once for each organization. Emits the answer, and logs it if
    /// it differs from the last one. A refusal is not an error of the run.
    pub async fn check(&self, clock: impl Fn() -> Timestamp) -> Result<(), InvalidZerohashSettings> {
        let api = match &self.api {
            CheckedApi::Checked(api) => api,
            CheckedApi::Unused => return Ok(()),
            CheckedApi::Invalid(why) => {
                let invalid = InvalidZerohashSettings(why.clone());
                error!(error = chain(&invalid), "zerohash's API is not checked; correct FUNDHOOK_ZEROHASH_API_…");
                return Err(invalid);
            }
        };
        let findings = find(api, &clock).await;
        self.emit(&findings, clock());
        self.log(&findings, clock());
        Ok(())
    }

    /// Emits 1 if any call is refused, also by reason, and 0 if all are accepted. Nothing is emitted while an
    /// organization's calls have no clear answer and none are refused: an alarm notices when that lasts.
    fn emit(&self, findings: &Findings, now: Timestamp) {
        let provider = Feed::from(Provider::Zerohash);
        let mut refusals: BTreeMap<Reason, u64> = BTreeMap::new();
        let mut values = Vec::new();
        for (subject, finding) in findings {
            let feed = match subject {
                Subject::Organization(feed) => feed,
                // Whether the credentials are accepted too is in the other findings.
                Subject::Caller if finding.access == Access::Accepted => continue,
                Subject::Caller => &provider,
            };
            match finding.access {
                Access::Accepted => values.push((feed, 0)),
                Access::Refused(reason) => {
                    values.push((feed, 1));
                    *refusals.entry(reason).or_default() += 1;
                }
                Access::Unknown => {}
            }
        }
        let is_unknown = |(subject, finding): (&Subject, &Finding)| {
            matches!(subject, Subject::Organization(_)) && finding.access == Access::Unknown
        };
        if refusals.is_empty() && findings.iter().any(is_unknown) {
            return;
        }
        self.metrics.worst(now, Metric::ProviderApiRefused, values);
        for (reason, count) in refusals {
            let by = [("provider", Provider::Zerohash.as_str()), ("reason", reason.as_str())];
            let values = [(Metric::ProviderApiRefused, count)];
            self.metrics.without_feed(now, Line { values: &values, by: &by, fields: json!({}) });
        }
    }

    fn log(&self, findings: &Findings, now: Timestamp) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        // While no credentials were tried, what was logged about them stays.
        let were_tried = findings.keys().any(|subject| *subject != Subject::Caller);
        logged.retain(|subject, _| !were_tried || findings.contains_key(subject));
        for (subject, finding) in findings {
            let is_due = logged.get(subject).is_none_or(|(access, at)| {
                *access != finding.access || finding.access != Access::Accepted && now.since(*at) >= LOGGED_AGAIN_AFTER
            });
            if is_due {
                logged.insert(subject.clone(), (finding.access, now));
                log(subject, finding);
            }
        }
    }
}

async fn find(api: &impl CheckApiAccess, clock: impl Fn() -> Timestamp) -> Findings {
    let mut findings = Findings::new();
    let caller = match api.provider_clock().await {
        Ok(provider) => Finding::of_clock(provider, clock()),
        Err(error) => Finding::of(Err(error)),
    };
    let is_accepted = caller.access == Access::Accepted;
    findings.insert(Subject::Caller, caller);
    if !is_accepted {
        // A read would fail for the same reason.
        return findings;
    }
    match api.feeds().await {
        Ok(feeds) => {
            // Side by side, so that a check takes no longer than the slowest of them.
            let reads = feeds.into_iter().map(async |feed| {
                let read = api.read(&feed).await;
                (Subject::Organization(feed), Finding::of(read))
            });
            findings.extend(join_all(reads).await);
        }
        Err(error) => {
            let default = Subject::Organization(Provider::Zerohash.into());
            findings.insert(default, Finding::of(Err(error)));
        }
    }
    findings
}

/// Logs one line: what was found and, unless calls are accepted, what to do.
fn log(subject: &Subject, Finding { access, detail }: &Finding) {
    let feed = match subject {
        Subject::Caller => Feed::from(Provider::Zerohash),
        Subject::Organization(feed) => feed.clone(),
    };
    match access {
        Access::Accepted => match subject {
            Subject::Caller => info!(%feed, "zerohash's API accepts the address of this function; {detail}"),
            Subject::Organization(feed) => info!(%feed, "zerohash's API accepts the credentials of {feed}"),
        },
        Access::Refused(reason) => {
            let remedy = Remedy { reason: *reason, feed: &feed, detail };
            error!(%feed, reason = reason.as_str(), error = detail, "{remedy}");
        }
        Access::Unknown => warn!(
            %feed,
            error = detail,
            "it is not known whether zerohash's API accepts the calls of {feed}: {detail}. If it stays so and SubnetIds is set, \
             check that the subnets have a route to a NAT gateway and that the security groups allow port 443"
        ),
    }
}

/// What is refused, and what to do.
struct Remedy<'a> {
    reason: Reason,
    feed: &'a Feed,
    detail: &'a str,
}

impl fmt::Display for Remedy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reason, feed, detail } = self;
        match reason {
            Reason::Address => f.write_str(
                "zerohash's API refuses the address that this function calls it from. Have zerohash list the static address \
                 through which the traffic of the subnets in SubnetIds leaves, for this environment; without SubnetIds, the \
                 address changes",
            ),
            Reason::Credentials => write!(
                f,
                "zerohash's API cannot be read with the credentials of {feed}. Check its entry in ZerohashApiSecret, the \
                 permissions of the key, and that the key has not expired"
            ),
            Reason::Clock => write!(f, "zerohash's API refuses what is signed at the wrong time: {detail}"),
        }
    }
}
