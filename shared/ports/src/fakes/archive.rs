//! The evidence bucket.

use super::{Fail, Fake};
use crate::{Archive, Disposition, PortError, ReadArchive};

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

/// How many keys one page has. A bucket has more; few make tests read several.
const PAGE: usize = 2;

impl ReadArchive for Fake<EvidenceBucket> {
    async fn objects(&self, after: &str) -> Result<Vec<String>, PortError> {
        let bucket = self.now();
        let keys = bucket.objects.iter().map(|(key, _)| key).filter(|key| key.as_str() > after);
        let mut keys: Vec<String> = keys.cloned().collect();
        keys.sort();
        keys.dedup();
        keys.truncate(PAGE);
        Ok(keys)
    }

    async fn content(&self, key: &str) -> Result<Vec<u8>, PortError> {
        let bucket = self.now();
        let found = bucket.objects.iter().find(|(stored, _)| stored == key).map(|(_, content)| content.clone());
        found.ok_or_else(|| PortError::new("read an object", Disposition::DeadLetter, "it does not exist"))
    }
}
