//! Rows of the provider's list.

use fundhook_domain::{
    Backfill, EvidencePointer, FactId, Feed, Kind, ListKind, ListedAt, Provider, Resource, ResourceId, Statement,
    Timestamp,
};
use fundhook_ports::{Disposition, ListPage, PortError};
use fundhook_providers::{Envelope, RawRow, ReadingSettings, listed, listed_at, normalise};
use fundhook_reconciliation::{ClosedWindow, History, names};

/// A row of a provider's list and what it states about the resource that it lists. When the row is queued, it also states what
/// that means for a recovery.
pub(crate) struct ListedRow {
    list: ListKind,
    text: String,
    url: String,
    /// The provider's date, which windows are read by.
    pub(crate) dated: ListedAt,
    /// Whether the row says when it became what it states.
    states_its_time: bool,
    /// What it states now.
    pub(crate) statement: Statement,
    /// The statuses that the resource has left, if the row has a history, oldest first.
    left: Vec<Statement>,
}

impl ListedRow {
    /// The rows of a page of `list`, about resources of `feed`, read at `now` with these settings.
    pub(crate) fn of_page(
        list: ListKind,
        feed: &Feed,
        page: ListPage,
        now: Timestamp,
        settings: &ReadingSettings,
    ) -> Vec<Self> {
        let ListPage { rows, url, .. } = page;
        rows.into_iter().filter_map(|text| Self::read(list, feed, text, &url, now, settings)).collect()
    }

    fn read(
        list: ListKind,
        feed: &Feed,
        text: String,
        url: &str,
        now: Timestamp,
        settings: &ReadingSettings,
    ) -> Option<Self> {
        let envelope = listed(RawRow { list, feed, json: text.clone(), url, read_at: now });
        // The row is archived only when it is queued and processed like a webhook.
        let not_archived = EvidencePointer { object: String::new(), line: 0 };
        let mut about = normalise(&envelope, not_archived, settings);
        let resource = about.first()?.resource.clone();
        about.retain(|statement| statement.resource == resource);
        let (statement, left) = (about.pop()?, about);
        let listed_at = listed_at(list, &text);
        // A row without a time is normalised as happening now.
        let states_its_time = statement.content.occurred_at != now;
        let dated = match listed_at {
            ListedAt::Missing if states_its_time => ListedAt::At(statement.content.occurred_at),
            ListedAt::At(_) | ListedAt::AsRequested | ListedAt::Missing => listed_at,
        };
        Some(Self { list, text, url: url.to_owned(), dated, states_its_time, statement, left })
    }

    /// Whether this fact is one of the row's.
    pub(crate) fn states(&self, fact: &FactId) -> bool {
        self.statement.content.id == *fact || self.left.iter().any(|left| left.content.id == *fact)
    }

    /// What it states now, with what the resource has left.
    pub(crate) fn history(&self) -> History<'_> {
        History { newest: &self.statement, left: &self.left }
    }

    /// Whether the row is dated in `window`, or has no date. Of a list that is read whole, rows from before the window count too.
    pub(crate) fn may_be_in(&self, window: ClosedWindow) -> bool {
        match self.dated {
            ListedAt::At(at) if self.list.is_dated() => window.contains(at),
            ListedAt::At(at) => at < window.before,
            ListedAt::AsRequested | ListedAt::Missing => true,
        }
    }

    /// Whether a row of a list that is read whole says something new: about what is `recorded`, or about something that is dated
    /// in `window`. What a row without a time states may be older than a statement that was received since the window ended.
    pub(crate) fn is_news_in(&self, window: ClosedWindow, recorded: &[Resource]) -> bool {
        let recorded = recorded.iter().find(|resource| *resource.id() == self.statement.resource);
        let received =
            |resource: &Resource| resource.facts().iter().map(|fact| fact.content.evidence().received_at).max();
        match (recorded.and_then(received), self.dated) {
            (Some(received), _) => self.states_its_time || received < window.before,
            (None, ListedAt::At(at)) => window.contains(at),
            // What is not understood is recorded once, and never lost.
            (None, ListedAt::AsRequested | ListedAt::Missing) => self.statement.resource.kind() == Kind::Unrecognized,
        }
    }

    /// The envelope that sends the row to the ingress queue, about a resource of `feed`.
    pub(crate) fn envelope(&self, feed: &Feed, now: Timestamp) -> Result<String, PortError> {
        as_message(&self.sealed(feed, now))
    }

    /// The same, of a row that a backfill read.
    pub(crate) fn backfilled(&self, feed: &Feed, now: Timestamp, mark: Backfill) -> Result<String, PortError> {
        as_message(&self.sealed(feed, now).read_by(mark))
    }

    fn sealed(&self, feed: &Feed, now: Timestamp) -> Envelope {
        listed(RawRow { list: self.list, feed, json: self.text.clone(), url: &self.url, read_at: now })
    }
}

fn as_message(envelope: &Envelope) -> Result<String, PortError> {
    serde_json::to_string(envelope)
        .map_err(|error| PortError::new("write the envelope of a row", Disposition::DeadLetter, error))
}

/// The statements of `rows`.
pub(crate) fn statements_of(rows: &[ListedRow]) -> Vec<Statement> {
    rows.iter().map(|row| row.statement.clone()).collect()
}

/// The ids under which a row's resource may be recorded: a payment under each of its names, a deposit in its own feed and in
/// the organization's other one.
pub(crate) fn possible_ids(row: &Statement) -> impl Iterator<Item = ResourceId> + use<'_> {
    let id = &row.resource;
    let others = [Provider::Connect, Provider::Zerohash].into_iter().filter_map(move |provider| {
        let feed = id.feed().of(provider);
        (id.kind() == Kind::Deposit).then(|| ResourceId::new(Kind::Deposit, feed, id.native()).ok()).flatten()
    });
    names(row).cloned().chain(others.filter(move |other| other != id))
}
