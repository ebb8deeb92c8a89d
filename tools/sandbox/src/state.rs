//! What a running sandbox provider knows, shared by its answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::api::Api;
use super::{KeyError, SandboxSecrets, SigningKey};

/// Its keys: the last published one signs.
pub(super) struct Keys {
    pub(super) published: Vec<SigningKey>,
    /// Never published: what a forger would sign with.
    foreign: SigningKey,
    pub(super) secrets: SandboxSecrets,
}

impl Keys {
    /// The key that signs now: the newest one, or the forger's.
    pub(super) fn signing(&self, forge: bool) -> &SigningKey {
        let newest = self.published.last().filter(|_| !forge);
        newest.unwrap_or(&self.foreign)
    }
}

/// All that it knows. Who holds the keys does not ask for the API: the other order is the one that is used.
pub(super) struct Inner {
    keys: RwLock<Keys>,
    api: Mutex<Api>,
}

pub(super) type Shared = Arc<Inner>;

impl Inner {
    /// A sandbox with new keys, secrets and credentials.
    pub(super) fn generate() -> Result<Self, KeyError> {
        let keys = Keys {
            published: vec![SigningKey::generate()?],
            foreign: SigningKey::generate()?,
            secrets: SandboxSecrets::generate()?,
        };
        let api = Api::new(format!("{:032x}", fastrand::u128(..)));
        Ok(Self { keys: RwLock::new(keys), api: Mutex::new(api) })
    }

    pub(super) fn keys(&self) -> RwLockReadGuard<'_, Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn keys_mut(&self) -> RwLockWriteGuard<'_, Keys> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn api(&self) -> MutexGuard<'_, Api> {
        self.api.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
