//! The evidence bucket.

use super::{Fail, Fake};
use crate::{Archive, PortError};

/// A bucket that keeps every object that it receives.
#[derive(Clone, Debug, Default)]
pub struct EvidenceBucket {
    /// The key and content of each object that was stored, in order; one that was stored twice is there twice.
    pub objects: Vec<(String, Vec<u8>)>,
    /// How often an object was to be stored.
    pub puts: usize,
    /// Which calls fail.
    pub on_put: Fail,
}

impl Archive for Fake<EvidenceBucket> {
    async fn put(&self, key: &str, content: Vec<u8>) -> Result<(), PortError> {
        let mut bucket = self.now();
        bucket.puts += 1;
        bucket.on_put.outcome("store an object")?;
        bucket.objects.push((key.to_owned(), content));
        Ok(())
    }
}
