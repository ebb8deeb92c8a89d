//! What is stored in the end: every resource, and every archived object.

use fundhook::target::{Target, TargetError};
use fundhook_adapters::{Bucket, ResourceTable};
use fundhook_domain::{Resource, ResourceId, Timestamp, TimestampError};
use fundhook_ports::{ItemsOf, PortError, ReadArchive as _, Resources as _, StoredItems as _};

/// How many resources are read at a time (DynamoDB quota of `BatchGetItem`).
const READ_MAX: usize = 100;

/// Why what is stored was not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error(transparent)]
    Port(#[from] PortError),
    #[error(transparent)]
    Time(#[from] TimestampError),
    #[error("the item {0} cannot be read: {1}")]
    Item(String, String),
}

/// Every resource in the table.
pub(super) async fn resources(target: &Target) -> Result<Vec<Resource>, ReadError> {
    let table = ResourceTable::new(&target.aws, target.output("TableName")?.to_owned());
    let all = ItemsOf::WrittenSince(Timestamp::from_unix_seconds(0)?);
    let (mut ids, mut from): (Vec<ResourceId>, Option<String>) = (Vec::new(), None);
    loop {
        let page = table.scan(all, from).await?;
        if let Some(unreadable) = page.unreadable.into_iter().next() {
            return Err(ReadError::Item(unreadable.key, unreadable.why));
        }
        ids.extend(page.items.into_iter().map(|item| item.id));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let mut resources = Vec::with_capacity(ids.len());
    for some in ids.chunks(READ_MAX) {
        resources.extend(table.read(some).await?);
    }
    Ok(resources)
}

/// Every archived object, with its key.
pub(super) async fn archive(target: &Target) -> Result<Vec<(String, Vec<u8>)>, ReadError> {
    let bucket = Bucket::new(&target.aws, target.output("EvidenceBucketName")?.to_owned());
    let mut objects = Vec::new();
    let mut after = String::new();
    loop {
        let keys = bucket.objects(&after).await?;
        let Some(last) = keys.last() else { return Ok(objects) };
        after.clone_from(last);
        for key in keys {
            let content = bucket.content(&key).await?;
            objects.push((key, content));
        }
    }
}
