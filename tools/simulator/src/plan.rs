//! What a simulation does.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What a simulation does. Everything else follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// From which all random numbers are drawn.
    pub seed: u64,
    /// How many webhooks the providers tell, without repetitions and forgeries.
    pub webhooks: u64,
    /// How much goes wrong.
    pub faults: FaultLevel,
    /// Within which virtual time the webhooks are told.
    pub within: Duration,
}

/// How much goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultLevel {
    /// Nothing.
    None,
    /// About one call in a thousand.
    Light,
    /// About one call in twenty.
    Heavy,
}

impl FaultLevel {
    const ALL: [Self; 3] = [Self::None, Self::Light, Self::Heavy];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Light => "light",
            Self::Heavy => "heavy",
        }
    }

    /// How often each fault happens.
    pub(crate) fn rates(self) -> Rates {
        match self {
            Self::None => Rates::default(),
            Self::Light => Rates {
                throttled: 2_000,
                lost_request: 2_000,
                lost_reply: 2_000,
                late_reply: 1_000,
                killed: 500,
                doubled_message: 200,
                repeated: 50,
                delayed: 50,
                forged: 50,
                altered: 50,
                outage: 400,
                rotated: 2_000,
            },
            Self::Heavy => Rates {
                throttled: 100,
                lost_request: 100,
                lost_reply: 60,
                late_reply: 50,
                killed: 15,
                doubled_message: 20,
                repeated: 8,
                delayed: 8,
                forged: 10,
                altered: 10,
                outage: 40,
                rotated: 150,
            },
        }
    }
}

impl fmt::Display for FaultLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FaultLevel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let level = Self::ALL.into_iter().find(|level| level.as_str() == text);
        level.ok_or_else(|| format!("{text:?} is not a level of faults; expected none, light or heavy"))
    }
}

/// How often each fault happens: once in so many cases. 0 is never.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rates {
    /// A call is refused, and has no effect.
    pub(crate) throttled: u64,
    /// A call times out before it takes effect.
    pub(crate) lost_request: u64,
    /// A call times out after it took effect.
    pub(crate) lost_reply: u64,
    /// A call is answered seconds late.
    pub(crate) late_reply: u64,
    /// A function is killed between two awaits.
    pub(crate) killed: u64,
    /// A queue delivers a message twice.
    pub(crate) doubled_message: u64,
    /// A provider sends a webhook twice although it was accepted.
    pub(crate) repeated: u64,
    /// A webhook is sent hours late.
    pub(crate) delayed: u64,
    /// Beside a webhook, another one is sent that its provider did not sign.
    pub(crate) forged: u64,
    /// Beside a webhook, its body is sent with another amount and the same signature.
    pub(crate) altered: u64,
    /// In a period of ten minutes, every call fails.
    pub(crate) outage: u64,
    /// After a webhook, the operator and a provider rotate their secret.
    pub(crate) rotated: u64,
}
