//! What a simulation does.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a simulation does. Everything else follows from it. In JSON, it can be kept and simulated again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// From which all random numbers are drawn.
    pub seed: u64,
    /// How many webhooks the providers tell, without repetitions and forgeries.
    pub webhooks: u64,
    /// How much goes wrong.
    pub faults: FaultLevel,
    /// In how many hours of virtual time the webhooks are told.
    pub hours: u64,
    /// Faults that do not happen, although the level has them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub without: BTreeSet<Fault>,
    /// The numbers of the lives that are told, counted from 0; all, if there are none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub only: BTreeSet<u64>,
}

impl Plan {
    /// A plan with all lives, and all faults of a level.
    pub fn new(seed: u64, webhooks: u64, faults: FaultLevel, hours: u64) -> Self {
        Self { seed, webhooks, faults, hours, without: BTreeSet::new(), only: BTreeSet::new() }
    }

    /// How many webhooks a world has at most: what a world remembers grows with them.
    pub const OF_WORLD_MAX: u64 = 20_000;

    /// The worlds of this plan, each with a plan of its own: one, unless it has many webhooks. Each world has a seed that follows
    /// from this plan's.
    pub fn worlds(&self) -> Vec<Self> {
        let count = self.webhooks.div_ceil(Self::OF_WORLD_MAX);
        if count <= 1 || !self.only.is_empty() {
            return vec![self.clone()];
        }
        let mut seeds = fastrand::Rng::with_seed(self.seed);
        let world = |number| {
            let webhooks = self.webhooks / count + u64::from(number < self.webhooks % count);
            Self { seed: seeds.u64(..), webhooks, ..self.clone() }
        };
        (0..count).map(world).collect()
    }

    /// How often each fault happens.
    pub(crate) fn rates(&self) -> Rates {
        let mut rates = self.faults.rates();
        self.without.iter().for_each(|fault| *rates.of(*fault) = 0);
        rates
    }
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// A call is refused, and has no effect.
    Throttled,
    /// A call times out before it takes effect.
    LostRequest,
    /// A call times out after it took effect.
    LostReply,
    /// A call is answered seconds late.
    LateReply,
    /// A function is killed between two awaits.
    Killed,
    /// A function is not invoked for minutes, while work is waiting for it.
    Stalled,
    /// A queue delivers a message twice.
    DoubledMessage,
    /// A queue gets a message that no function can read.
    Poison,
    /// A provider sends a webhook twice although it was accepted.
    Repeated,
    /// A webhook is sent hours late.
    Delayed,
    /// A webhook is never sent.
    Dropped,
    /// A provider lists something minutes to hours late.
    ListedLate,
    /// The clock of a function is minutes ahead or behind.
    ClockOff,
    /// Beside a webhook, another one is sent that its provider did not sign.
    Forged,
    /// Beside a webhook, its body is sent with another byte and the same signature.
    Altered,
    /// In a period of ten minutes, every call fails.
    Outage,
    /// A provider rotates its secret or its key, and the former one is accepted for a while longer.
    Rotated,
    /// A provider rotates its secret or its key at once.
    RotatedAtOnce,
}

impl Fault {
    /// All faults.
    pub const ALL: [Self; 18] = [
        Self::Throttled,
        Self::LostRequest,
        Self::LostReply,
        Self::LateReply,
        Self::Killed,
        Self::Stalled,
        Self::DoubledMessage,
        Self::Poison,
        Self::Repeated,
        Self::Delayed,
        Self::Dropped,
        Self::ListedLate,
        Self::ClockOff,
        Self::Forged,
        Self::Altered,
        Self::Outage,
        Self::Rotated,
        Self::RotatedAtOnce,
    ];
}

/// How much goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

    fn rates(self) -> Rates {
        match self {
            Self::None => Rates::default(),
            Self::Light => Rates {
                throttled: 2_000,
                lost_request: 2_000,
                lost_reply: 2_000,
                late_reply: 1_000,
                killed: 500,
                stalled: 5_000,
                doubled_message: 200,
                poison: 2_000,
                repeated: 50,
                delayed: 50,
                dropped: 50,
                listed_late: 100,
                clock_off: 500,
                forged: 50,
                altered: 50,
                outage: 400,
                rotated: 2_000,
                rotated_at_once: 4_000,
            },
            Self::Heavy => Rates {
                throttled: 100,
                lost_request: 100,
                lost_reply: 60,
                late_reply: 50,
                killed: 15,
                stalled: 150,
                doubled_message: 20,
                poison: 100,
                repeated: 8,
                delayed: 8,
                dropped: 8,
                listed_late: 15,
                clock_off: 20,
                forged: 10,
                altered: 10,
                outage: 40,
                rotated: 150,
                rotated_at_once: 300,
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
    pub(crate) throttled: u64,
    pub(crate) lost_request: u64,
    pub(crate) lost_reply: u64,
    pub(crate) late_reply: u64,
    pub(crate) killed: u64,
    pub(crate) stalled: u64,
    pub(crate) doubled_message: u64,
    pub(crate) poison: u64,
    pub(crate) repeated: u64,
    pub(crate) delayed: u64,
    pub(crate) dropped: u64,
    pub(crate) listed_late: u64,
    pub(crate) clock_off: u64,
    pub(crate) forged: u64,
    pub(crate) altered: u64,
    pub(crate) outage: u64,
    pub(crate) rotated: u64,
    pub(crate) rotated_at_once: u64,
}

impl Rates {
    fn of(&mut self, fault: Fault) -> &mut u64 {
        match fault {
            Fault::Throttled => &mut self.throttled,
            Fault::LostRequest => &mut self.lost_request,
            Fault::LostReply => &mut self.lost_reply,
            Fault::LateReply => &mut self.late_reply,
            Fault::Killed => &mut self.killed,
            Fault::Stalled => &mut self.stalled,
            Fault::DoubledMessage => &mut self.doubled_message,
            Fault::Poison => &mut self.poison,
            Fault::Repeated => &mut self.repeated,
            Fault::Delayed => &mut self.delayed,
            Fault::Dropped => &mut self.dropped,
            Fault::ListedLate => &mut self.listed_late,
            Fault::ClockOff => &mut self.clock_off,
            Fault::Forged => &mut self.forged,
            Fault::Altered => &mut self.altered,
            Fault::Outage => &mut self.outage,
            Fault::Rotated => &mut self.rotated,
            Fault::RotatedAtOnce => &mut self.rotated_at_once,
        }
    }
}
