//! What there is when a signature did not verify.

use std::sync::Arc;

/// A key set or secrets other than those that did not verify a signature.
#[derive(Clone, Debug)]
pub enum Newer<K> {
    /// There are others.
    Found(Arc<K>),
    /// There are none, or it is too early to ask again.
    None,
    /// They could not be read or fetched, so there may be others.
    Unread,
}

impl<K> Newer<K> {
    pub(crate) fn of(found: Option<Arc<K>>, is_unread: bool) -> Self {
        match found {
            Some(found) => Self::Found(found),
            None if is_unread => Self::Unread,
            None => Self::None,
        }
    }

    /// The others, if there are any.
    pub fn found(self) -> Option<Arc<K>> {
        match self {
            Self::Found(found) => Some(found),
            Self::None | Self::Unread => None,
        }
    }
}
