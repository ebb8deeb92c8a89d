//! Rows of the provider's list.

use fundhook_domain::{EvidencePointer, Feed, Kind, Provider, ResourceId, Statement, Timestamp};
use fundhook_ports::{Disposition, ListPage, PortError};
use fundhook_providers::{ReadingSettings, connect, normalise};

/// A row of the provider's list and its statement.
pub(crate) struct ListedRow {
    text: String,
    url: String,
    /// The provider's date, which windows are read by; `None` for a row without one, such as one that is not understood.
    pub(crate) dated: Option<Timestamp>,
    pub(crate) statement: Statement,
}

impl ListedRow {
    /// The rows of a page of the list of `feed`, read at `now` with these settings.
    pub(crate) fn of_page(feed: &Feed, page: ListPage, now: Timestamp, settings: &ReadingSettings) -> Vec<Self> {
        let ListPage { rows, url, .. } = page;
        rows.into_iter().filter_map(|text| Self::read(feed, text, &url, now, settings)).collect()
    }

    fn read(feed: &Feed, text: String, url: &str, now: Timestamp, settings: &ReadingSettings) -> Option<Self> {
        let envelope = connect::listed(connect::RawRow { feed, json: text.clone(), url, read_at: now });
        // The row is archived only when it is queued and processed like a webhook.
        let not_archived = EvidencePointer { object: String::new(), line: 0 };
        let statement = normalise(&envelope, not_archived, settings).into_iter().next()?;
        // A row without a time is normalised as happening now.
        let dated =
            connect::deposited_at(&text).or_else(|| Some(statement.content.occurred_at).filter(|at| *at != now));
        Some(Self { text, url: url.to_owned(), dated, statement })
    }

    /// The envelope that sends the row to the ingress queue, about a deposit of `feed`.
    pub(crate) fn envelope(&self, feed: &Feed, now: Timestamp) -> Result<String, PortError> {
        let envelope = connect::listed(connect::RawRow { feed, json: self.text.clone(), url: &self.url, read_at: now });
        serde_json::to_string(&envelope)
            .map_err(|error| PortError::new("write the envelope of a row", Disposition::DeadLetter, error))
    }
}

/// The statements of `rows`.
pub(crate) fn statements_of(rows: &[ListedRow]) -> Vec<Statement> {
    rows.iter().map(|row| row.statement.clone()).collect()
}

/// The ids under which a row's deposit may be recorded: in its own feed and in the organization's other one.
pub(crate) fn possible_ids(row: &Statement) -> impl Iterator<Item = ResourceId> + use<> {
    let id = row.resource.clone();
    let others = [Provider::Connect, Provider::Zerohash].into_iter().filter_map(move |provider| {
        let feed = id.feed().of(provider);
        (id.kind() == Kind::Deposit).then(|| ResourceId::new(Kind::Deposit, feed, id.native()).ok()).flatten()
    });
    let own = row.resource.clone();
    std::iter::once(own.clone()).chain(others.filter(move |other| *other != own))
}
