//! What the processes share: the table with its stream, the topic, the queue of statements, a provider's list and its
//! watermark.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fundhook_domain::{DecimalValue, Event, EvidencePointer, Provider, ResourceId, Timestamp, Write, events_after};
use fundhook_ports::{ListPage, ListQuery};
use fundhook_providers::{Envelope, ReadingSettings, facts};
use fundhook_reconciliation::{PageKey, Watermark};

use super::call::{Answer, Call, digest, digest_of};
use super::promises;
use super::table::{Change, Made, Table};
use crate::books::Sums;

/// How many parts the stream has. The deposits of each feed are in one of them.
pub(super) const PARTS: usize = 2;

/// How many rows a page of the list has.
const PAGE_SIZE: usize = 1;

/// The messages for one updater, by their ids.
pub(super) type Inbox = BTreeMap<String, Arc<str>>;

/// A row of the provider's list.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) at: Timestamp,
    pub(super) id: String,
    pub(super) json: String,
    /// Whether the provider added it while the list was read.
    pub(super) is_late: bool,
}

/// What was published.
#[derive(Clone, Debug, Default)]
pub(super) struct Published {
    /// The content of each event, by resource and sequence.
    pub(super) events: BTreeMap<(ResourceId, u64), u64>,
    /// What a subscriber books of each resource.
    pub(super) books: BTreeMap<ResourceId, Sums>,
}

/// What the processes share.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) table: Arc<Table>,
    pub(super) parts: [Vec<Arc<Change>>; PARTS],
    pub(super) published: Arc<Published>,
    /// A digest of the events, whatever their order.
    events_digest: u64,
    pub(super) inboxes: Vec<Arc<Inbox>>,
    /// A digest of the messages, whatever their order.
    messages_digest: u64,
    /// The ids of the rows that were queued.
    pub(super) queued: BTreeSet<String>,
    pub(super) rows: Arc<Vec<Row>>,
    pub(super) watermark: Option<Arc<Watermark>>,
    watermark_digest: u64,
}

/// What follows from what was seen before, so that it is computed once.
#[derive(Debug, Default)]
pub(super) struct Computed {
    /// How much the coin is worth: more is never credited.
    coin: Option<DecimalValue>,
    /// What writes made of tables, by the digests of both.
    made: BTreeMap<(u64, u64), Made>,
    /// Whether tables justify events, by the digests of both.
    justified: BTreeMap<(u64, u64), bool>,
    /// The messages of rows that were queued, and the ids of the rows in the list.
    rows: BTreeMap<u64, Vec<Arc<str>>>,
    /// The broken promises that were seen last.
    pub(super) broken: Vec<String>,
}

impl Computed {
    /// Nothing is computed yet. One coin is worth this much.
    pub(super) fn of_coin(coin: Option<DecimalValue>) -> Self {
        Self { coin, ..Self::default() }
    }

    fn made(&mut self, table: &Arc<Table>, write: &Write, write_digest: u64) -> Made {
        let coin = self.coin.as_ref();
        self.made.entry((table.digest(), write_digest)).or_insert_with(|| table.written(write, coin)).clone()
    }

    fn is_justified(&mut self, table: &Table, event: &Event, content: u64) -> bool {
        *self.justified.entry((table.digest(), content)).or_insert_with(|| {
            let derived = events_after(&table.items().resource(&event.data.resource), 0);
            derived.iter().any(|derived| derived.id == event.id && digest_of(derived) == content)
        })
    }
}

impl State {
    /// Nothing is recorded yet.
    pub(super) fn new(inboxes: Vec<Arc<Inbox>>, rows: Arc<Vec<Row>>) -> Self {
        let ids = inboxes.iter().enumerate().flat_map(|(number, inbox)| inbox.keys().map(move |id| (number, id)));
        let messages_digest = ids.map(digest).fold(0, std::ops::BitXor::bitxor);
        Self { inboxes, messages_digest, rows, ..Self::default() }
    }

    fn add_message(&mut self, inbox: usize, id: String, message: Arc<str>) {
        self.messages_digest ^= digest((inbox, &id));
        Arc::make_mut(&mut self.inboxes[inbox]).insert(id, message);
    }

    /// Deletes a message that was acknowledged.
    pub(super) fn delete_message(&mut self, inbox: usize, id: &String) {
        self.messages_digest ^= digest((inbox, id));
        Arc::make_mut(&mut self.inboxes[inbox]).remove(id);
    }

    /// A digest of everything that a process may read, and of everything that is checked in the end.
    pub(super) fn digest(&self) -> u64 {
        let changes = |part: &Vec<Arc<Change>>| part.iter().map(|change| change.digest).collect::<Vec<_>>();
        let stream: Vec<Vec<u64>> = self.parts.iter().map(changes).collect();
        let list = (&self.queued, self.rows.len(), self.watermark_digest);
        digest((self.table.digest(), stream, self.messages_digest, self.events_digest, list))
    }

    /// The effect of a call, and its answer with a digest of it.
    pub(super) fn answer(&mut self, call: &Call, call_digest: u64, computed: &mut Computed) -> (Answer, u64) {
        let of_table = |table: &Arc<Table>| Answer::Of(Arc::clone(table));
        match call {
            Call::ReadResources(ids) => (of_table(&self.table), self.table.digest_of_resources(ids)),
            Call::ReadClaims(keys) => (of_table(&self.table), self.table.digest_of_claims(keys)),
            Call::ReadSimilar(keys) => (of_table(&self.table), self.table.digest_of_similar(keys)),
            Call::ReadAccount(_) => (of_table(&self.table), self.table.digest()),
            Call::Write(write) => {
                let Made { table, answer, answer_digest, changes, broken } =
                    computed.made(&self.table, write, call_digest);
                self.table = table;
                changes.into_iter().for_each(|change| self.parts[part_of(change.after.id())].push(change));
                computed.broken.extend(broken);
                (answer, answer_digest)
            }
            Call::Publish(event) => {
                self.publish(event, call_digest, computed);
                (Answer::Done, 0)
            }
            Call::NoteReceipts => (Answer::Done, 0),
            Call::ReadPage(query) => {
                let page = self.page(query);
                let known = digest((&page.rows, page.next.as_ref().map(ToString::to_string)));
                (Answer::Page(page), known)
            }
            Call::LoadWatermark => {
                let stored = self.watermark.as_ref().map(|stored| Box::new(Watermark::clone(stored)));
                (Answer::Watermark(stored), self.watermark_digest)
            }
            Call::Advance(to) => self.advance(to, call_digest, computed),
            Call::Send(message) => {
                self.send(message, call_digest, computed);
                (Answer::Done, 0)
            }
        }
    }

    /// The topic accepts an event.
    fn publish(&mut self, event: &Event, content: u64, computed: &mut Computed) {
        if !computed.is_justified(&self.table, event, content) {
            computed.broken.push(format!("the event {} was published, and the table does not justify it", event.id));
        }
        let published = Arc::make_mut(&mut self.published);
        let resource = &event.data.resource;
        match published.events.insert((resource.clone(), event.sequence), content) {
            None => {
                self.events_digest ^= digest(content);
                published.books.entry(resource.clone()).or_default().post(&event.data.postings);
            }
            Some(known) if known != content => {
                computed.broken.push(format!("the event {} was published with two contents", event.id));
            }
            Some(_) => {}
        }
    }

    /// The ingress queue accepts a row: fan-out reads it, and sends its statements to the first updater.
    fn send(&mut self, message: &str, call_digest: u64, computed: &mut Computed) {
        let envelope = match Envelope::from_json(message) {
            Ok(envelope) => envelope,
            Err(error) => return computed.broken.push(format!("what was queued is not an envelope: {error}")),
        };
        let body = envelope.body();
        match self.rows.iter().find(|row| row.json.as_bytes() == body.as_ref()) {
            Some(row) => self.queued.insert(row.id.clone()),
            None => return computed.broken.push("a row was queued that is not in the list".to_owned()),
        };
        let messages = computed.rows.entry(call_digest).or_insert_with(|| messages(&envelope));
        let Some(inbox) = self.inboxes.first() else {
            return;
        };
        let id = |number, copy| format!("row-{call_digest}-{number}-{copy}");
        let is_new = |number: usize, copy: &u32| !inbox.contains_key(&id(number, *copy));
        let copy = |number| (0..).find(|copy| is_new(number, copy)).unwrap_or_default();
        let messages: Vec<(String, Arc<str>)> =
            messages.iter().enumerate().map(|(number, it)| (id(number, copy(number)), Arc::clone(it))).collect();
        messages.into_iter().for_each(|(id, message)| self.add_message(0, id, message));
    }

    /// A page of the list, newest rows first.
    fn page(&self, query: &ListQuery) -> ListPage {
        let (rows, number) = match query {
            ListQuery::Id(id) => (self.rows_that(|row| row.id == *id), 1),
            ListQuery::Dated { from, before, page } => {
                (self.rows_that(|row| (*from..*before).contains(&row.at)), number_of(page))
            }
            ListQuery::Whole { page } => (self.rows_that(|_| true), number_of(page)),
        };
        let is_last = rows.len() <= number * PAGE_SIZE;
        let of_page = rows.into_iter().skip(number.saturating_sub(1) * PAGE_SIZE).take(PAGE_SIZE);
        ListPage {
            rows: of_page.map(|row| row.json.clone()).collect(),
            next: (!is_last).then(|| PageKey::Number(u32::try_from(number + 1).unwrap_or(u32::MAX))),
            url: "https://api.provider.example/transactions".to_owned(),
        }
    }

    /// The rows for which `is_one` holds, newest first.
    fn rows_that(&self, is_one: impl Fn(&Row) -> bool) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.rows.iter().filter(|row| is_one(row)).collect();
        rows.sort_by_key(|row| std::cmp::Reverse((row.at, &row.id)));
        rows
    }

    /// The rows that the list has in this window on the pages before `page`.
    pub(super) fn rows_before(&self, from: Timestamp, until: Timestamp, page: &PageKey) -> Vec<&Row> {
        let mut rows = self.rows_that(|row| (from..until).contains(&row.at));
        rows.truncate(number_of(page).saturating_sub(1) * PAGE_SIZE);
        rows
    }

    /// Stores the watermark, if it is the next one after the stored one.
    fn advance(&mut self, to: &Watermark, call_digest: u64, computed: &mut Computed) -> (Answer, u64) {
        let stored = self.watermark.as_ref().map_or(0, |stored| stored.revision);
        if to.revision != stored + 1 {
            return (Answer::Overtaken, 1);
        }
        computed.broken.extend(promises::of_watermark(self, to));
        self.watermark = Some(Arc::new(to.clone()));
        self.watermark_digest = call_digest;
        (Answer::Done, 0)
    }
}

/// The messages of the statements in an envelope.
pub(super) fn messages(envelope: &Envelope) -> Vec<Arc<str>> {
    let archived = EvidencePointer { object: "evidence/v1/x.ndjson.gz".to_owned(), line: 0 };
    let facts = facts(envelope, archived, &ReadingSettings::default());
    facts.into_iter().filter_map(|fact| fact.to_message().ok()).map(Arc::from).collect()
}

fn part_of(id: &ResourceId) -> usize {
    usize::from(id.feed().provider() == Provider::Zerohash)
}

fn number_of(page: &PageKey) -> usize {
    match page {
        PageKey::Number(number) => usize::try_from(*number).unwrap_or(usize::MAX),
        PageKey::Cursor(_) => 1,
    }
}
