//! A whole replay: finds the envelopes, and sends them or tells what they would change.

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{EvidencePointer, Fact, Kind, SeveralFamiliesCredit, Timestamp, digest_hex, json_fault};
use fundhook_ports::{
    Claims, Disposition, ItemsOf, PortError, ReadArchive, Resources, SendMessages, StoredItems, UnreadableItem, chain,
};
use fundhook_providers::{ReadingSettings, facts};
use futures_util::future::join_all;
use serde::Serialize;

use super::archive::{Archived, ArchivedLine, lines_of};
use super::dry_run::{ChangedResource, Counts, DryRun};
use super::record::{InvokeStateUpdater, RecordError, Recorder};
use super::selection::{Selection, day_of, described};
use super::send::{Pace, Sender};
use crate::republish::plural;

/// What is done with the envelopes.
pub enum Mode<Q, P, I> {
    /// They are sent to the ingress queue, and read again.
    Send(Sender<Q, P>),
    /// What they state is recorded in the order of receipt, as it was read when it was received.
    Record(Recorder<I>),
    /// What they would change in this order is found, and nothing is sent or recorded.
    DryRun(Order),
}

/// The order in which envelopes are replayed, and when they count as read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As the archive lists them, by day. What is read is newer than every reading before.
    Archived,
    /// As they were received, and read at that time.
    Received,
}

impl<Q, P, I> Mode<Q, P, I> {
    fn order(&self) -> Order {
        match self {
            Self::Send(_) => Order::Archived,
            Self::Record(_) => Order::Received,
            Self::DryRun(order) => *order,
        }
    }
}

/// A replay from an archive onto what is stored.
pub struct Replay<A, T> {
    pub archive: A,
    pub table: T,
    pub reading: ReadingSettings,
    pub several: SeveralFamiliesCredit,
    /// When the replay began. What it reads is newer than every reading before.
    pub now: Timestamp,
}

/// How many objects are read at the same time. Each has the webhooks of one batch of fan-out, at most ten.
const READ_AT_ONCE: usize = 16;

/// After how many envelopes progress is reported.
const PROGRESS_EVERY: usize = 1_000;

/// Why a replay stopped.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("the archive or the table could not be read")]
    Read(#[source] PortError),
    #[error("the archive could not be read; {again}: {why}")]
    Archive {
        /// How to continue. What was sent already is harmless.
        again: String,
        why: String,
    },
    #[error("the ingress queue did not take all envelopes; {again}")]
    Send {
        /// How to continue. What was sent already is harmless.
        again: String,
        #[source]
        source: PortError,
    },
    #[error("not everything was recorded; {again}")]
    Record {
        /// How to continue. What was recorded already is not recorded a second time.
        again: String,
        #[source]
        source: RecordError,
    },
    #[error("an envelope cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// What was replayed, or in a dry run would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// How many envelopes were selected, each counted once however often it is archived.
    pub envelopes: usize,
    /// How many of them the queue has stored.
    pub sent: usize,
    /// How many statements were recorded, in the order of receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded: Option<usize>,
    /// The envelopes by feed and by the names of their events.
    pub by_type: BTreeMap<String, BTreeMap<String, usize>>,
    /// The lines of the archive that today's code cannot read.
    pub unreadable: Vec<UnreadableLine>,
    /// What their statements add: what a dry run found, or what was to be recorded in the order of receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statements: Option<Counts>,
    /// The resources that would change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Vec<ChangedResource>>,
    /// What cannot be read in the table, or in a dry run not be recorded, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
    /// Which resources and claims in the table were not written together: a backup was made while a transaction was on its
    /// way there. Looked for in a replay in the order of receipt only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub torn: Vec<String>,
}

/// A line of the archive that is not an envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnreadableLine {
    pub place: EvidencePointer,
    pub error: String,
}

impl<A, T> Replay<A, T>
where
    A: ReadArchive,
    T: Resources + Claims + StoredItems + Clone,
{
    /// Replays what `selection` selects. Calls `progress` with a line for people, after each day of the archive and each
    /// thousand envelopes.
    pub async fn run<Q: SendMessages, P: Pace, I: InvokeStateUpdater>(
        &self,
        selection: &Selection,
        mode: Mode<Q, P, I>,
        progress: impl Fn(String),
    ) -> Result<Replayed, ReplayError> {
        let mut run = Run {
            replay: self,
            selection,
            mode,
            dry_run: DryRun::on(self.table.clone(), self.several.clone()),
            replayed: Replayed::default(),
            seen: BTreeSet::new(),
            day: None,
            of_day: BTreeMap::new(),
            progress: &progress,
        };
        if selection.unrecognized {
            let (recorded, unreadable) = self.unrecognized().await?;
            run.replayed.refused = unreadable;
            for (key, places) in recorded {
                let lines = lines_of(&self.archive, &key).await;
                run.object(&key, lines.as_deref(), Some(&places)).await?;
            }
        } else {
            let mut after = selection.after_key();
            'pages: loop {
                let listed = self.archive.objects(&after).await;
                let keys = listed.map_err(|error| ReplayError::Archive { again: run.again(), why: chain(&error) })?;
                let Some(last) = keys.last().cloned() else {
                    break;
                };
                for keys in keys.chunks(READ_AT_ONCE) {
                    let reached = keys.iter().take_while(|key| selection.reaches(key));
                    let objects = join_all(reached.map(async |key| (key, lines_of(&self.archive, key).await))).await;
                    for (key, lines) in &objects {
                        run.day(day_of(key)).await?;
                        run.object(key, lines.as_deref(), None).await?;
                    }
                    if objects.len() < keys.len() {
                        break 'pages;
                    }
                }
                after = last;
            }
        }
        run.finish().await
    }

    /// The places in the archive of what is recorded as unrecognized, by object; and what of it cannot be read in the table.
    async fn unrecognized(&self) -> Result<(BTreeMap<String, BTreeSet<u32>>, Vec<String>), ReplayError> {
        let (mut places, mut next) = (BTreeMap::<String, BTreeSet<u32>>::new(), None);
        let mut unreadable = Vec::new();
        loop {
            let page = self.table.scan(ItemsOf::Kind(Kind::Unrecognized), next).await.map_err(ReplayError::Read)?;
            unreadable.extend(page.unreadable.into_iter().map(|UnreadableItem { key, why }| format!("{key}: {why}")));
            for item in page.items {
                for text in &item.facts {
                    let fact: Fact = match serde_json::from_str(text) {
                        Ok(fact) => fact,
                        Err(error) => {
                            unreadable.push(format!("{}: a fact cannot be parsed: {}", item.id, json_fault(&error)));
                            continue;
                        }
                    };
                    let EvidencePointer { object, line } = fact.content.evidence().archived.clone();
                    places.entry(object).or_default().insert(line);
                }
            }
            next = page.next;
            if next.is_none() {
                return Ok((places, unreadable));
            }
        }
    }
}

/// A replay that runs.
struct Run<'a, A, T, Q, P, I> {
    replay: &'a Replay<A, T>,
    selection: &'a Selection,
    mode: Mode<Q, P, I>,
    dry_run: DryRun<T>,
    replayed: Replayed,
    /// Digests of the envelopes that were replayed: one may be archived several times.
    seen: BTreeSet<String>,
    /// The day of the archive that is being replayed.
    day: Option<String>,
    /// What was read of that day and is to be replayed in the order of receipt, by when it was received and its digest.
    of_day: BTreeMap<(Timestamp, String), Archived>,
    progress: &'a dyn Fn(String),
}

impl<A, T, Q, P, I> Run<'_, A, T, Q, P, I>
where
    A: ReadArchive,
    T: Resources + Claims,
    Q: SendMessages,
    P: Pace,
    I: InvokeStateUpdater,
{
    /// Begins with the objects of `day`, after everything before it was sent.
    async fn day(&mut self, day: Option<&str>) -> Result<(), ReplayError> {
        let day = day.map(|day| day.replace('/', "-"));
        if day != self.day {
            self.flush().await?;
            if let Some(done) = &self.day {
                (self.progress)(format!("{done} is done: {} so far", plural(self.replayed.envelopes, "envelope")));
            }
            self.day = day;
        }
        Ok(())
    }

    /// Replays the envelopes of an object, or those on these lines of it. An object that is damaged, or that is not there any
    /// more, is reported, and the others are replayed.
    async fn object(
        &mut self,
        key: &str,
        lines: Result<&[ArchivedLine], &PortError>,
        wanted: Option<&BTreeSet<u32>>,
    ) -> Result<(), ReplayError> {
        let lines = match lines {
            Ok(lines) => lines,
            Err(error) => {
                let why = chain(error);
                return match error.disposition() {
                    Disposition::Retry => Err(ReplayError::Archive { again: self.again(), why }),
                    Disposition::DeadLetter => {
                        let place = EvidencePointer { object: key.to_owned(), line: 0 };
                        self.replayed.unreadable.push(UnreadableLine { place, error: why });
                        Ok(())
                    }
                };
            }
        };
        for line in lines {
            if wanted.is_none_or(|wanted| wanted.contains(&line.place.line)) {
                self.line(line).await?;
            }
        }
        Ok(())
    }

    async fn line(&mut self, line: &ArchivedLine) -> Result<(), ReplayError> {
        let archived = match line.read() {
            Ok(archived) => archived,
            Err(error) => {
                self.replayed.unreadable.push(UnreadableLine { place: line.place.clone(), error });
                return Ok(());
            }
        };
        let received_at = archived.envelope.received_at();
        if !self.selection.includes(received_at) {
            return Ok(());
        }
        let digest = digest_hex(serde_json::to_string(&archived.envelope)?.as_bytes());
        match self.mode.order() {
            Order::Archived => self.envelope(archived, digest).await,
            Order::Received => {
                // Facts name the place in the archive that they were first recorded from.
                let known = self.of_day.entry((received_at, digest)).or_insert_with(|| archived.clone());
                if known.is_replay && !archived.is_replay {
                    *known = archived;
                }
                Ok(())
            }
        }
    }

    /// Replays an envelope, unless it was replayed before.
    async fn envelope(&mut self, archived: Archived, digest: String) -> Result<(), ReplayError> {
        let Archived { place, envelope, .. } = archived;
        let envelope = match self.mode.order() {
            Order::Archived => envelope.replayed(self.replay.now),
            Order::Received => envelope,
        };
        let facts = facts(&envelope, place, &self.replay.reading);
        if !self.selection.selects(&envelope, &facts) || !self.seen.insert(digest) {
            return Ok(());
        }
        self.replayed.envelopes += 1;
        if self.replayed.envelopes.is_multiple_of(PROGRESS_EVERY) {
            (self.progress)(format!("{} so far", plural(self.replayed.envelopes, "envelope")));
        }
        let named = described(&envelope, &facts);
        let of_feed = self.replayed.by_type.entry(envelope.feed().to_string()).or_default();
        *of_feed.entry(named).or_default() += 1;
        match self.mode.order() {
            Order::Archived => {}
            Order::Received => self.dry_run.check(&facts).await.map_err(ReplayError::Read)?,
        }
        match &mut self.mode {
            Mode::DryRun(_) => {
                self.dry_run.record(&facts).await.map_err(ReplayError::Read)?;
            }
            Mode::Record(recorder) => {
                for (fact, write) in self.dry_run.record(&facts).await.map_err(ReplayError::Read)? {
                    let recorded = recorder.record(fact, &write).await;
                    recorded.map_err(|source| not_recorded(&self.day, self.selection, source))?;
                }
            }
            Mode::Send(sender) => {
                let sent = sender.send(serde_json::to_string(&envelope)?).await;
                sent.map_err(|source| not_sent(&self.day, self.selection, source))?;
            }
        }
        Ok(())
    }

    /// Replays what was read in the order of receipt, and sends or records what waits.
    async fn flush(&mut self) -> Result<(), ReplayError> {
        for ((_, digest), archived) in std::mem::take(&mut self.of_day) {
            self.envelope(archived, digest).await?;
        }
        match &mut self.mode {
            Mode::DryRun(_) => Ok(()),
            Mode::Record(recorder) => {
                let recorded = recorder.flush().await;
                recorded.map_err(|source| not_recorded(&self.day, self.selection, source))
            }
            Mode::Send(sender) => {
                let sent = sender.flush().await;
                sent.map_err(|source| not_sent(&self.day, self.selection, source))
            }
        }
    }

    fn again(&self) -> String {
        again(&self.day, self.selection)
    }

    async fn finish(mut self) -> Result<Replayed, ReplayError> {
        self.flush().await?;
        let mut replayed = self.replayed;
        let found = |replayed: &mut Replayed| {
            replayed.statements = Some(self.dry_run.counts());
            replayed.refused.extend_from_slice(self.dry_run.refused());
            replayed.torn.extend_from_slice(self.dry_run.torn());
        };
        match self.mode {
            Mode::Send(sender) => replayed.sent = sender.sent(),
            Mode::Record(recorder) => {
                replayed.recorded = Some(recorder.recorded());
                found(&mut replayed);
            }
            Mode::DryRun(_) => {
                replayed.changes = Some(self.dry_run.changes());
                found(&mut replayed);
            }
        }
        Ok(replayed)
    }
}

/// How to continue a replay that stops on this day.
fn again(day: &Option<String>, selection: &Selection) -> String {
    let midnight = day.as_ref().and_then(|day| format!("{day}T00:00:00Z").parse::<Timestamp>().ok());
    let from = midnight.map(|midnight| selection.from.map_or(midnight, |from| from.max(midnight)));
    format!("run it again{}", from.map(|from| format!(" with --from {from}")).unwrap_or_default())
}

fn not_sent(day: &Option<String>, selection: &Selection, source: PortError) -> ReplayError {
    ReplayError::Send { again: again(day, selection), source }
}

fn not_recorded(day: &Option<String>, selection: &Selection, source: RecordError) -> ReplayError {
    ReplayError::Record { again: again(day, selection), source }
}
