//! What may happen to a call of a port: it takes time, it fails before or after it took effect, or it is late.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fundhook_domain::Timestamp;
use fundhook_ports::fakes::Around;
use fundhook_ports::{Disposition, PortError};
use tokio::time::sleep;

use crate::chance::Chance;
use crate::clock::Clock;
use crate::log::Log;
use crate::plan::Rates;

/// How long a caller waits for an answer, with the repetitions of the SDK.
const TIMEOUT: Duration = Duration::from_secs(3);

/// How far a clock may be off.
const CLOCK_OFF_MAX_SECONDS: u64 = 120;

/// How long an outage lasts.
const OUTAGE_SECONDS: u64 = 600;

/// What happens around the calls of one function.
#[derive(Clone, Debug)]
pub(crate) struct Calls {
    clock: Clock,
    chance: Chance,
    log: Log,
    rates: Rates,
    /// Decides in which periods every call fails. It is the same for all functions.
    outages: u64,
    calm: Arc<AtomicBool>,
}

impl Calls {
    pub(crate) fn new(clock: Clock, chance: &Chance, log: &Log, rates: Rates) -> Self {
        let outages = chance.between(0..u64::MAX);
        Self { clock, chance: chance.fork(), log: log.clone(), rates, outages, calm: Arc::default() }
    }

    /// The same for another function.
    pub(crate) fn of_another(&self) -> Self {
        Self { chance: self.chance.fork(), ..self.clone() }
    }

    /// From now on, nothing goes wrong.
    pub(crate) fn calm_down(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }

    fn rates(&self) -> Rates {
        if self.calm.load(Ordering::Relaxed) { Rates::default() } else { self.rates }
    }

    /// How long a function may run before it is killed, less than `within`; `None` if it is not killed.
    pub(crate) fn killed_after(&self, within: Duration) -> Option<Duration> {
        let within = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
        self.chance.one_in(self.rates().killed).then(|| self.chance.ms(0..within))
    }

    /// How long work waits for a function: a stream is polled four times a second, and now and then it waits for minutes.
    pub(crate) fn poll_pause(&self, function: &str) -> Duration {
        if self.chance.one_in(self.rates().stalled) {
            self.log.note("function not invoked for minutes", function);
            return self.chance.seconds(30..300);
        }
        self.chance.ms(0..250)
    }

    /// How often a function is invoked for one tick of its schedule.
    pub(crate) fn invocations(&self) -> usize {
        if self.chance.one_in(self.rates().doubled_message) { 2 } else { 1 }
    }

    /// The time by the clock of a function.
    pub(crate) fn now(&self) -> Timestamp {
        let now = self.clock.now();
        if !self.chance.one_in(self.rates().clock_off) {
            return now;
        }
        let off = self.chance.seconds(1..CLOCK_OFF_MAX_SECONDS);
        if self.chance.one_in(2) { now.plus(off) } else { now.minus(off) }
    }

    /// Waits before the attempt after this many.
    pub(crate) async fn pause(&self, attempts: u32) {
        sleep(self.chance.ms(1..u64::from(attempts) * 50 + 2)).await;
    }

    fn is_outage(&self, rates: &Rates) -> bool {
        let period = self.clock.now().unix_seconds().unsigned_abs() / OUTAGE_SECONDS;
        Chance::of(self.outages ^ period).one_in(rates.outage)
    }

    fn failed(&self, what: &'static str, call: &str) -> PortError {
        self.log.note(what, call);
        PortError::new("complete a call", Disposition::Retry, what)
    }
}

impl Around for Calls {
    async fn around<T: Send, E: From<PortError> + Send>(
        &self,
        call: &str,
        effect: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E> {
        sleep(self.chance.ms(1..8)).await;
        let rates = self.rates();
        if self.is_outage(&rates) {
            return Err(self.failed("call in an outage", call).into());
        }
        if self.chance.one_in(rates.throttled) {
            return Err(self.failed("call throttled", call).into());
        }
        if self.chance.one_in(rates.lost_request) {
            sleep(TIMEOUT).await;
            return Err(self.failed("request lost", call).into());
        }
        let done = effect.await;
        if self.chance.one_in(rates.lost_reply) {
            sleep(TIMEOUT).await;
            return Err(self.failed("reply lost", call).into());
        }
        if self.chance.one_in(rates.late_reply) {
            self.log.note("reply late", call);
            sleep(self.chance.ms(500..2_500)).await;
        }
        sleep(self.chance.ms(1..8)).await;
        done
    }
}
