//! The sparse indexes of a table.

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{Feed, Kind, Resource, ResourceId, Timestamp};
use fundhook_reconciliation::last_movement_received;

use crate::{IndexEntry, IndexPage, OpenQuery};

/// The keys of a resource in the sparse indexes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexKeys {
    /// Of a resource that awaits a further status: whether it was reported overdue, and since when it has its status.
    pub open: Option<(bool, Timestamp)>,
    /// When a credited deposit or a withdrawal was confirmed.
    pub settled: Option<Timestamp>,
    /// The account that it is about.
    pub account: Option<String>,
    /// When the resource was last written.
    pub updated_at: Timestamp,
}

impl IndexKeys {
    /// The keys of `resource`, which was written at `updated_at`.
    pub fn of(resource: &Resource, updated_at: Timestamp) -> Self {
        let current_status = resource.current_status().filter(|current_status| current_status.is_awaited);
        let view = resource.view();
        let settled = view.as_ref().filter(|view| view.is_settled());
        Self {
            open: current_status
                .map(|current_status| (resource.is_overdue(), current_status.since))
                .or_else(|| last_movement_received(resource).map(|received_at| (false, received_at))),
            settled: settled.map(|view| view.occurred_at),
            account: view.as_ref().and_then(|view| view.details.account()).map(str::to_owned),
            updated_at,
        }
    }
}

/// The indexes.
#[derive(Clone, Debug, Default)]
pub struct Indexes {
    keys: BTreeMap<ResourceId, IndexKeys>,
    /// By cursor.
    open: BTreeMap<(Kind, bool), BTreeMap<String, ResourceId>>,
    settled: BTreeMap<(Feed, Kind), BTreeSet<(Timestamp, ResourceId)>>,
    accounts: BTreeMap<String, BTreeSet<(Timestamp, ResourceId)>>,
}

/// The place of a resource among those that are open: the longest in their status come first.
fn cursor(since: Timestamp, id: &ResourceId) -> String {
    format!("{} {id}", since.sortable())
}

impl Indexes {
    /// The keys of a resource; `None` if it was never written.
    pub fn keys(&self, id: &ResourceId) -> Option<&IndexKeys> {
        self.keys.get(id)
    }

    /// Indexes a resource that was written at `now`.
    pub fn index(&mut self, resource: &Resource, now: Timestamp) {
        let (id, keys) = (resource.id(), IndexKeys::of(resource, now));
        let settled_in = || (id.feed().clone(), id.kind());
        if let Some(before) = self.keys.insert(id.clone(), keys.clone()) {
            let IndexKeys { open, settled, account, updated_at } = before;
            if let Some((is_overdue, since)) = open {
                self.open.entry((id.kind(), is_overdue)).or_default().remove(&cursor(since, id));
            }
            if let Some(at) = settled {
                self.settled.entry(settled_in()).or_default().remove(&(at, id.clone()));
            }
            if let Some(of_account) = account.and_then(|account| self.accounts.get_mut(&account)) {
                of_account.remove(&(updated_at, id.clone()));
            }
        }
        let IndexKeys { open, settled, account, updated_at } = keys;
        if let Some((is_overdue, since)) = open {
            self.open.entry((id.kind(), is_overdue)).or_default().insert(cursor(since, id), id.clone());
        }
        if let Some(at) = settled {
            self.settled.entry(settled_in()).or_default().insert((at, id.clone()));
        }
        if let Some(account) = account {
            self.accounts.entry(account).or_default().insert((updated_at, id.clone()));
        }
    }

    pub(super) fn open(&self, query: OpenQuery<'_>, page_size: usize) -> IndexPage {
        // A cursor begins with the time, so the times are its bounds.
        let from = query.from.map(|from| from.sortable()).unwrap_or_default();
        let before = query.before.sortable().max(from.clone());
        let open = self.open.get(&(query.kind, query.overdue));
        let mut left = open
            .into_iter()
            .flat_map(|open| open.range(from.clone()..before.clone()))
            .filter(|(cursor, _)| query.after.is_none_or(|after| cursor.as_str() > after));
        let entry = |(cursor, resource): (&String, &ResourceId)| IndexEntry {
            resource: resource.clone(),
            cursor: cursor.clone(),
        };
        let entries = left.by_ref().take(page_size.min(query.limit.into())).map(entry).collect();
        IndexPage { entries, is_last: left.next().is_none() }
    }

    pub(super) fn settled(&self, feed: &Feed, kind: Kind, from: Timestamp, before: Timestamp) -> Vec<ResourceId> {
        let settled = self.settled.get(&(feed.clone(), kind));
        let from_then = settled.into_iter().flatten().skip_while(|(at, _)| *at < from);
        from_then.take_while(|(at, _)| *at < before).map(|(_, id)| id.clone()).collect()
    }

    pub(super) fn of_account(&self, account: &str, since: Timestamp) -> Vec<ResourceId> {
        let of_account = self.accounts.get(account).into_iter().flatten().rev();
        of_account.take_while(|(updated_at, _)| *updated_at >= since).map(|(_, id)| id.clone()).collect()
    }
}
