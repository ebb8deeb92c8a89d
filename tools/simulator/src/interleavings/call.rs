//! Calls and their answers as data, so that a state of the exploration can be copied and compared.

use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::sync::Arc;

use fundhook_domain::{ClaimKey, Event, Resource, ResourceId, SimilarKey, Write};
use fundhook_ports::{ListPage, ListQuery};
use fundhook_reconciliation::Watermark;
use serde::Serialize;

use super::table::Table;

/// A call of a port.
#[derive(Clone, Debug)]
pub(super) enum Call {
    ReadResources(Vec<ResourceId>),
    ReadClaims(Vec<ClaimKey>),
    ReadSimilar(Vec<SimilarKey>),
    ReadAccount(String),
    Write(Box<Write>),
    Publish(Box<Event>),
    NoteReceipts,
    ReadPage(ListQuery),
    LoadWatermark,
    Advance(Box<Watermark>),
    Send(String),
}

/// What a call is answered.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// With the items that were asked for, as this table has them.
    Of(Arc<Table>),
    /// It is done.
    Done,
    /// The write lost; this is the resource that has changed, if the table returned one.
    Lost(Option<Box<Resource>>),
    Page(ListPage),
    Watermark(Option<Box<Watermark>>),
    /// Another run advanced the watermark.
    Overtaken,
    /// With an error that may be retried.
    Failed,
}

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// It takes effect, and is answered.
    Given,
    /// It takes no effect, and is answered with an error.
    Refused,
    /// It takes effect, and is answered with an error: the reply was lost.
    Lost,
    /// It takes effect twice, and is answered with the second reply: the SDK repeated a call whose first reply was lost.
    OfSecondCall,
}

impl Reply {
    /// Every way in which a call can go wrong.
    pub(super) const FAULTS: [Self; 3] = [Self::Refused, Self::Lost, Self::OfSecondCall];

    /// Whether it differs from the other ways for a call. One that only reads has no effect.
    pub(super) fn concerns(self, call: &Call) -> bool {
        match self {
            Self::Given | Self::Refused => true,
            Self::Lost | Self::OfSecondCall => call.has_effect(),
        }
    }

    /// What a schedule says about it.
    pub(super) fn described(self) -> &'static str {
        match self {
            Self::Given => "",
            Self::Refused => " (refused)",
            Self::Lost => " (the reply is lost)",
            Self::OfSecondCall => " (made twice)",
        }
    }
}

impl Call {
    fn has_effect(&self) -> bool {
        match self {
            Self::ReadResources(_)
            | Self::ReadClaims(_)
            | Self::ReadSimilar(_)
            | Self::ReadAccount(_)
            | Self::NoteReceipts
            | Self::ReadPage(_)
            | Self::LoadWatermark => false,
            Self::Write(_) | Self::Publish(_) | Self::Advance(_) | Self::Send(_) => true,
        }
    }

    /// What a schedule says about it.
    pub(super) fn described(&self) -> String {
        match self {
            Self::ReadResources(ids) => format!("reads {}", joined(ids)),
            Self::ReadClaims(keys) => format!("reads {} claims", keys.len()),
            Self::ReadSimilar(keys) => format!("reads {} items of similar deposits", keys.len()),
            Self::ReadAccount(account) => format!("reads the deposits of {account}"),
            Self::Write(write) => {
                let versions = write.resources.iter().map(|it| format!("{} at {}", it.item.id(), it.read_version));
                let claims = write.claims.iter().map(|it| format!("its claim at {}", it.read_version));
                format!("writes {}", joined(&versions.chain(claims).collect::<Vec<_>>()))
            }
            Self::Publish(event) => format!("publishes {} as {}", event.id, event.event_type),
            Self::NoteReceipts => "stores receipts".to_owned(),
            Self::ReadPage(query) => match query {
                ListQuery::Dated { page, .. } | ListQuery::Whole { page } => format!("reads page {page} of the list"),
                ListQuery::Id(id) => format!("reads the row {id}"),
            },
            Self::LoadWatermark => "reads the watermark".to_owned(),
            Self::Advance(to) => format!("advances the watermark to revision {}", to.revision),
            Self::Send(_) => "queues a row".to_owned(),
        }
    }

    /// A digest of the call with all that it says.
    pub(super) fn digest(&self) -> u64 {
        match self {
            Self::Write(write) => {
                let resources = write.resources.iter().map(|it| (digest_of(&it.item.facts()), it.read_version));
                let claims = write.claims.iter().map(|it| (digest_of(&it.item), it.read_version));
                let similar = write.similar.iter().map(|it| (digest_of(&it.item), it.read_version));
                digest(resources.chain(claims).chain(similar).collect::<Vec<_>>())
            }
            Self::Publish(event) => digest_of(event.as_ref()),
            Self::Advance(to) => digest_of(to.as_ref()),
            Self::Send(message) => digest(message),
            Self::ReadResources(_)
            | Self::ReadClaims(_)
            | Self::ReadSimilar(_)
            | Self::ReadAccount(_)
            | Self::NoteReceipts
            | Self::ReadPage(_)
            | Self::LoadWatermark => digest(format!("{self:?}")),
        }
    }
}

/// The digest of `content`, the same in every run.
pub(super) fn digest(content: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}

/// The digest of the JSON of `content`.
pub(super) fn digest_of(content: &impl Serialize) -> u64 {
    digest(serde_json::to_string(content).unwrap_or_default())
}

fn joined(items: &[impl ToString]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
