//! What happened, as a digest and as counts.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::clock::Clock;

/// The log of a run: each line is hashed with the milliseconds of virtual time before it. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    clock: Clock,
    written: Arc<Mutex<Written>>,
}

#[derive(Debug, Default)]
struct Written {
    digest: Sha256,
    counts: BTreeMap<&'static str, u64>,
}

impl Log {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, written: Arc::default() }
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that `what` happened, to `whom`.
    pub(crate) fn note(&self, what: &'static str, whom: impl Display) {
        let ms = self.clock.elapsed().as_millis();
        let mut written = self.written();
        *written.counts.entry(what).or_default() += 1;
        written.digest.update(format!("{ms} {what} {whom}\n"));
    }

    /// How often each thing happened.
    pub(crate) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.written().counts.clone()
    }

    /// The digest of all lines: 64 hex digits.
    pub(crate) fn digest(&self) -> String {
        hex::encode(self.written().digest.clone().finalize())
    }
}
