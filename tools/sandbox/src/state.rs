//! The state of a running sandbox provider, shared by its handlers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::connect::Connect;
use crate::keys::{KeyError, SandboxKey};
use crate::secrets::SandboxSecrets;
use crate::zerohash::Zerohash;

/// The signing keys and shared secrets.
pub(super) struct Keys {
    /// The last one signs.
    pub(super) published: Vec<SandboxKey>,
    /// A forger's key, never published.
    foreign: SandboxKey,
    pub(super) secrets: SandboxSecrets,
}

impl Keys {
    /// The newest key, or the forger's.
    pub(super) fn signing(&self, forge: bool) -> &SandboxKey {
        let newest = self.published.last().filter(|_| !forge);
        newest.unwrap_or(&self.foreign)
    }
}

/// Lock order: `connect` or `zerohash` before `keys`. No handler locks either while it holds `keys`, or both.
pub(super) struct Inner {
    keys: RwLock<Keys>,
    connect: Mutex<Connect>,
    zerohash: Mutex<Zerohash>,
}

pub(super) type Shared = Arc<Inner>;

impl Inner {
    /// A sandbox with new keys, secrets and credentials.
    pub(super) fn generate() -> Result<Self, KeyError> {
        let keys = Keys {
            published: vec![SandboxKey::generate()?],
            foreign: SandboxKey::generate()?,
            secrets: SandboxSecrets::generate()?,
        };
        let seed = || format!("{:032x}", fastrand::u128(..));
        let (connect, zerohash) = (Connect::new(seed()), Zerohash::new(seed()));
        Ok(Self { keys: RwLock::new(keys), connect: Mutex::new(connect), zerohash: Mutex::new(zerohash) })
    }

    pub(super) fn keys(&self) -> RwLockReadGuard<'_, Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn keys_mut(&self) -> RwLockWriteGuard<'_, Keys> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn connect(&self) -> MutexGuard<'_, Connect> {
        self.connect.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn zerohash(&self) -> MutexGuard<'_, Zerohash> {
        self.zerohash.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
