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
use super::selection::{Selection, day_of, described};
use super::send::{Pace, Sender};
use crate::republish::plural;

/// What is done with the envelopes.
pub enum Mode<Q, P> {
    /// They are sent to the ingress queue.
    Send(Sender<Q, P>),
    /// What they would change is found, and nothing is sent.
    DryRun,
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
    /// The envelopes by feed and by the names of their events.
    pub by_type: BTreeMap<String, BTreeMap<String, usize>>,
    /// The lines of the archive that today's code cannot read.
    pub unreadable: Vec<UnreadableLine>,
    /// What a dry run found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statements: Option<Counts>,
    /// The resources that would change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Vec<ChangedResource>>,
    /// What cannot be read in the table, or in a dry run not be recorded, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
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
    pub async fn run<Q: SendMessages, P: Pace>(
        &self,
        selection: &Selection,
        mode: Mode<Q, P>,
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
struct Run<'a, A, T, Q, P> {
    replay: &'a Replay<A, T>,
    selection: &'a Selection,
    mode: Mode<Q, P>,
    dry_run: DryRun<T>,
    replayed: Replayed,
    /// Digests of the envelopes that were replayed: one may be archived several times.
    seen: BTreeSet<String>,
    /// The day of the archive that is being replayed.
    day: Option<String>,
    progress: &'a dyn Fn(String),
}

impl<A, T, Q, P> Run<'_, A, T, Q, P>
where
    A: ReadArchive,
    T: Resources + Claims,
    Q: SendMessages,
    P: Pace,
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
        let Archived { place, envelope } = match line.read() {
            Ok(archived) => archived,
            Err(error) => {
                self.replayed.unreadable.push(UnreadableLine { place: line.place.clone(), error });
                return Ok(());
            }
        };
        let received = serde_json::to_string(&envelope)?;
        let envelope = envelope.replayed(self.replay.now);
        let facts = facts(&envelope, place, &self.replay.reading);
        if !self.selection.selects(&envelope, &facts) || !self.seen.insert(digest_hex(received.as_bytes())) {
            return Ok(());
        }
        self.replayed.envelopes += 1;
        if self.replayed.envelopes.is_multiple_of(PROGRESS_EVERY) {
            (self.progress)(format!("{} so far", plural(self.replayed.envelopes, "envelope")));
        }
        let named = described(&envelope, &facts);
        let of_feed = self.replayed.by_type.entry(envelope.feed().to_string()).or_default();
        *of_feed.entry(named).or_default() += 1;
        match &mut self.mode {
            Mode::DryRun => self.dry_run.record(&facts).await.map_err(ReplayError::Read),
            Mode::Send(sender) => {
                let sent = sender.send(serde_json::to_string(&envelope)?).await;
                sent.map_err(|source| self.not_sent(source))
            }
        }
    }

    async fn flush(&mut self) -> Result<(), ReplayError> {
        match &mut self.mode {
            Mode::DryRun => Ok(()),
            Mode::Send(sender) => {
                let sent = sender.flush().await;
                sent.map_err(|source| self.not_sent(source))
            }
        }
    }

    fn not_sent(&self, source: PortError) -> ReplayError {
        ReplayError::Send { again: self.again(), source }
    }

    /// How to continue a replay that stops.
    fn again(&self) -> String {
        let midnight = self.day.as_ref().and_then(|day| format!("{day}T00:00:00Z").parse::<Timestamp>().ok());
        let from = midnight.map(|midnight| self.selection.from.map_or(midnight, |from| from.max(midnight)));
        format!("run it again{}", from.map(|from| format!(" with --from {from}")).unwrap_or_default())
    }

    async fn finish(mut self) -> Result<Replayed, ReplayError> {
        self.flush().await?;
        let mut replayed = self.replayed;
        match self.mode {
            Mode::Send(sender) => replayed.sent = sender.sent(),
            Mode::DryRun => {
                replayed.statements = Some(self.dry_run.counts());
                replayed.changes = Some(self.dry_run.changes());
                replayed.refused.extend_from_slice(self.dry_run.refused());
            }
        }
        Ok(replayed)
    }
}
