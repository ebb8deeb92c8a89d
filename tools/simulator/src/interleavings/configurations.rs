//! What is explored: which processes work on which webhooks.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use fundhook_domain::{NewFact, SeveralFamiliesCredit, Stored, Timestamp};

use super::handlers::Handlers;
use super::promises::Summary;
use super::state::{Computed, Inbox, PARTS, Row, State};
use super::system::{Bounds, Role, System};
use super::webhooks::{AMOUNT, Word, facts_of, messages_of_row, row, row_of_coin};

/// When everything begins: 2026-01-05T12:00:00Z.
const BEGINS: i64 = 1_767_614_400;

/// A few processes, and what there is to do for them.
#[derive(Clone, Debug)]
pub struct Configuration {
    begins: Timestamp,
    /// The messages of each updater.
    inboxes: Vec<Inbox>,
    has_publishers: bool,
    reconcilers: usize,
    /// The provider's list.
    rows: Vec<Row>,
    /// The row that the provider adds at some time.
    late: Option<Row>,
    /// Whether nothing is recorded, so that each row must be queued.
    is_list_alone: bool,
    several: SeveralFamiliesCredit,
    /// Whether every step has a place among the steps of the others.
    is_all_noticed: bool,
}

impl Configuration {
    /// Updaters that have these webhooks each, and nothing else.
    fn of(batches: &[&[Word]]) -> Self {
        let begins = Timestamp::from_unix_seconds(BEGINS).expect("it is in range");
        let inbox = |(updater, words): (usize, &&[Word])| {
            let messages = words.iter().enumerate().flat_map(|(number, word)| {
                let messages = word.messages(begins.minus(Duration::from_secs(3600)));
                messages.into_iter().enumerate().map(move |(part, body)| (format!("{updater}-{number}-{part}"), body))
            });
            messages.collect()
        };
        Self {
            begins,
            inboxes: batches.iter().enumerate().map(inbox).collect(),
            has_publishers: false,
            reconcilers: 0,
            rows: Vec::new(),
            late: None,
            is_list_alone: false,
            several: SeveralFamiliesCredit::default(),
            is_all_noticed: false,
        }
    }

    fn with_publishers(self) -> Self {
        Self { has_publishers: true, ..self }
    }

    /// The list has a row about the coin, and a reconciler reads it.
    fn with_reconciler(self) -> Self {
        let at = self.begins.minus(Duration::from_secs(3600));
        let row = Row { at, id: "c1".to_owned(), json: row_of_coin(at), is_late: false };
        Self { reconcilers: 1, rows: vec![row], ..self }
    }

    /// Whether each row must be queued.
    pub(super) fn must_queue(&self) -> bool {
        self.is_list_alone
    }

    pub(super) fn has_publishers(&self) -> bool {
        self.has_publishers
    }

    pub(super) fn handlers(&self) -> Handlers {
        Handlers::new(self.several.clone(), self.begins)
    }

    pub(super) fn computed(&self) -> Computed {
        Computed::of_coin(AMOUNT.parse().ok().filter(|_| !self.is_list_alone))
    }

    /// The processes before they begin.
    pub(super) fn begin(&self, bounds: Bounds) -> System {
        let (inboxes, rows) = (self.inboxes.iter().cloned().map(Arc::new).collect(), Arc::new(self.rows.clone()));
        let state = State::new(inboxes, rows);
        let updaters = (0..self.inboxes.len()).map(Role::Updater);
        let publishers = (0..PARTS).filter(|_| self.has_publishers).map(Role::Publisher);
        let reconcilers = (0..self.reconcilers).map(|_| Role::Reconciler(self.begins));
        let provider = self.late.clone().map(|row| Role::Provider(Arc::new(row)));
        let next_run = Role::NextRun(self.begins.plus(Duration::from_secs(900)));
        let next_run = (self.reconcilers > 0).then_some(next_run);
        let roles = updaters.chain(publishers).chain(reconcilers).chain(provider).chain(next_run);
        System::new(state, roles, bounds, self.is_all_noticed)
    }

    /// What clean passes record, of all messages and of those of `rows` that were queued.
    pub(super) fn clean_passes(&self, rows: &[Row], queued: &BTreeSet<String>) -> Vec<Summary> {
        let messages: BTreeSet<Arc<str>> = self.inboxes.iter().flat_map(|inbox| inbox.values().cloned()).collect();
        let rows = rows.iter().filter(|row| queued.contains(&row.id));
        let of_rows = rows.flat_map(|row| messages_of_row(&row.json, self.begins));
        let messages: Vec<Arc<str>> = messages.into_iter().chain(of_rows).collect();
        let facts: Vec<NewFact> = facts_of(&messages);
        Summary::of_clean_passes(&Stored::remembering(self.several.clone()), &facts)
    }
}

/// The configurations.
impl Configuration {
    /// The same, where every step has a place among the steps of the others, even one that no other process can notice.
    /// There are many more schedules, which end in the same states.
    #[must_use]
    pub fn step_by_step(self) -> Self {
        Self { is_all_noticed: true, ..self }
    }

    /// The claim protocol: three updaters, and two webhooks of two feeds that credit one coin. One of them came twice.
    pub fn a_coin_of_two_feeds() -> Self {
        let (one, other) = (Word::Connect("confirmed"), Word::Deposit("completed"));
        Self::of(&[&[one], &[other], &[one]])
    }

    /// The claim protocol: three updaters, and three webhooks about one coin that cannot all be true.
    pub fn a_coin_in_conflict() -> Self {
        Self::of(&[&[Word::Connect("confirmed")], &[Word::Deposit("completed")], &[Word::Deposit("quarantined")]])
    }

    /// The claim protocol: a deposit that was confirmed fails, while another feed credits its coin.
    pub fn a_coin_that_fails() -> Self {
        Self::of(&[&[Word::Connect("confirmed")], &[Word::Connect("failed")], &[Word::Deposit("completed")]])
    }

    /// The claim protocol with recoveries: two feeds report that one coin is to be returned, and a third family credits it.
    pub fn a_coin_to_return() -> Self {
        Self::of(&[&[Word::Connect("unexpected")], &[Word::Deposit("recovery_quarantine")], &[Word::Fund("")]])
    }

    /// The protocol of similar deposits: three updaters, and three webhooks about one coin, of which one does not name the
    /// transaction.
    pub fn a_coin_without_a_transaction() -> Self {
        let mut all =
            Self::of(&[&[Word::ConnectWithoutHash("confirmed")], &[Word::Deposit("completed")], &[Word::Fund("")]]);
        all.several = SeveralFamiliesCredit::of([None]);
        all
    }

    /// The watermark protocol: two reconcilers read a list of two pages, and the provider adds a row.
    pub fn a_list_of_two_pages() -> Self {
        let mut all = Self::of(&[]);
        let at = |minutes: u64| all.begins.minus(Duration::from_secs(60 * minutes));
        let row_at = |id: &str, minutes: u64, is_late| Row {
            at: at(minutes),
            id: id.to_owned(),
            json: row(id, &format!("0x{id:0>64}"), at(minutes)),
            is_late,
        };
        let (rows, late) = (vec![row_at("a1", 60, false), row_at("a2", 40, false)], row_at("a3", 30, true));
        (all.rows, all.late) = (rows, Some(late));
        (all.reconcilers, all.is_list_alone) = (2, true);
        all
    }

    /// All of it, about a coin that two feeds credit: three updaters, two publishers, and a reconciler that reads a list
    /// with a row about the coin. One of its webhooks came twice, and one of them not at all.
    pub fn everything_about_a_credited_coin() -> Self {
        let completed = Word::Deposit("completed");
        Self::of(&[&[Word::Connect("submitted")], &[completed], &[Word::Deposit("confirmed"), completed]])
            .with_publishers()
            .with_reconciler()
    }

    /// All of it, about a coin that one feed credits and another one puts into quarantine. One of its webhooks came twice.
    pub fn everything_about_a_coin_in_conflict() -> Self {
        let quarantined = Word::Deposit("quarantined");
        Self::of(&[&[Word::Connect("confirmed")], &[quarantined], &[Word::Connect("submitted"), quarantined]])
            .with_publishers()
            .with_reconciler()
    }
}
