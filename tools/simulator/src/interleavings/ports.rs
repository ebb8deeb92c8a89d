//! The ports of one handler: each call is put on its desk, and waits there for an answer.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use fundhook_domain::{
    Claim, ClaimKey, Event, Fact, Feed, Kind, ListId, ListKind, Provider, Resource, ResourceId, SimilarDeposits,
    SimilarKey, Timestamp,
};
use fundhook_ports::fakes::down;
use fundhook_ports::{
    AccountResources, Advance, Claims, FactPages, GrantedToken, IndexPage, ListError, ListPage, ListQuery, ListSigned,
    ListWithToken, MovementsMarks, OpenQuery, OpenResources, PortError, PublishEvents, QueueMessage, Receipts, Reports,
    RequestToken, Resources, SendMessages, SettledResources, Watermarks, Write, WriteOutcome,
};
use fundhook_reconciliation::{MovementsMark, Receipt, Report, Watermark};
use secrecy::SecretString;

use super::call::{Answer, Call};

/// The desk of one handler, which is its ports. Clones are the same desk.
#[derive(Clone, Debug, Default)]
pub(super) struct Desk(Arc<Mutex<OnDesk>>);

#[derive(Debug, Default)]
struct OnDesk {
    asked: Option<Call>,
    answer: Option<Answer>,
}

impl Desk {
    fn on_desk(&self) -> MutexGuard<'_, OnDesk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The call that waits.
    pub(super) fn asked(&self) -> Option<Call> {
        self.on_desk().asked.clone()
    }

    /// Answers the call that waits.
    pub(super) fn answer(&self, answer: Answer) {
        self.on_desk().answer = Some(answer);
    }

    async fn ask(&self, call: Call) -> Answer {
        let mut call = Some(call);
        let answered = poll_fn(|_| {
            let mut on_desk = self.on_desk();
            if let Some(call) = call.take() {
                on_desk.asked = Some(call);
                return Poll::Pending;
            }
            match on_desk.answer.take() {
                Some(answer) => {
                    on_desk.asked = None;
                    Poll::Ready(answer)
                }
                None => Poll::Pending,
            }
        });
        answered.await
    }
}

/// The error of a call that failed, or was answered with something else than what it asked for.
fn failed() -> PortError {
    down("complete a call")
}

/// The items of a table that were asked for.
fn items<T>(answer: &Answer, read: impl Fn(&super::table::Table) -> Vec<T>) -> Result<Vec<T>, PortError> {
    match answer {
        Answer::Of(table) => Ok(read(table)),
        Answer::Done
        | Answer::Lost(_)
        | Answer::Page(_)
        | Answer::Watermark(_)
        | Answer::Overtaken
        | Answer::Failed => Err(failed()),
    }
}

fn done(answer: &Answer) -> Result<(), PortError> {
    match answer {
        Answer::Done => Ok(()),
        Answer::Of(_)
        | Answer::Lost(_)
        | Answer::Page(_)
        | Answer::Watermark(_)
        | Answer::Overtaken
        | Answer::Failed => Err(failed()),
    }
}

impl Resources for Desk {
    async fn read(&self, ids: &[ResourceId]) -> Result<Vec<Resource>, PortError> {
        let answer = self.ask(Call::ReadResources(ids.to_vec())).await;
        items(&answer, |table| ids.iter().map(|id| table.items().resource(id)).collect())
    }

    /// Each write is a call of its own, as another process may write between two of them.
    async fn write(&self, writes: Vec<Write>, _now: Timestamp) -> Vec<WriteOutcome> {
        let mut outcomes = Vec::with_capacity(writes.len());
        for write in writes {
            outcomes.push(match self.ask(Call::Write(Box::new(write))).await {
                Answer::Done => WriteOutcome::Written,
                Answer::Lost(current) => WriteOutcome::Lost(current.map(|current| *current)),
                Answer::Of(_) | Answer::Page(_) | Answer::Watermark(_) | Answer::Overtaken | Answer::Failed => {
                    WriteOutcome::Failed(failed())
                }
            });
        }
        outcomes
    }
}

impl Claims for Desk {
    async fn claims(&self, keys: &[ClaimKey]) -> Result<Vec<Claim>, PortError> {
        let answer = self.ask(Call::ReadClaims(keys.to_vec())).await;
        items(&answer, |table| keys.iter().map(|key| table.items().claim(key)).collect())
    }

    async fn similar(&self, keys: &[SimilarKey]) -> Result<Vec<SimilarDeposits>, PortError> {
        let answer = self.ask(Call::ReadSimilar(keys.to_vec())).await;
        items(&answer, |table| keys.iter().map(|key| table.items().similar(key)).collect())
    }
}

impl AccountResources for Desk {
    async fn of_account(&self, account: &str, _since: Timestamp) -> Result<Vec<ResourceId>, PortError> {
        let answer = self.ask(Call::ReadAccount(account.to_owned())).await;
        items(&answer, |table| table.of_account(account))
    }
}

/// No resource has so many facts that some are on pages.
impl FactPages for Desk {
    async fn paged_facts(&self, _id: &ResourceId, _pages: u32) -> Result<Vec<Fact>, PortError> {
        Err(failed())
    }
}

impl PublishEvents for Desk {
    async fn publish(&self, events: &[Event]) -> Vec<Result<(), PortError>> {
        let mut outcomes = Vec::with_capacity(events.len());
        for event in events {
            outcomes.push(done(&self.ask(Call::Publish(Box::new(event.clone()))).await));
        }
        outcomes
    }
}

/// Nothing that is explored reads a receipt.
impl Receipts for Desk {
    async fn note(&self, _receipts: &[Receipt]) -> Result<(), PortError> {
        done(&self.ask(Call::NoteReceipts).await)
    }

    async fn receipts(&self, _resources: &[ResourceId]) -> Result<Vec<Receipt>, PortError> {
        Ok(Vec::new())
    }
}

impl SendMessages for Desk {
    async fn send_all(&self, messages: Vec<QueueMessage>) -> Vec<Result<(), PortError>> {
        let mut outcomes = Vec::with_capacity(messages.len());
        for message in messages {
            outcomes.push(done(&self.ask(Call::Send(message.body)).await));
        }
        outcomes
    }
}

impl Desk {
    async fn page(&self, query: &ListQuery) -> Result<ListPage, PortError> {
        match self.ask(Call::ReadPage(query.clone())).await {
            Answer::Page(page) => Ok(page),
            Answer::Of(_)
            | Answer::Done
            | Answer::Lost(_)
            | Answer::Watermark(_)
            | Answer::Overtaken
            | Answer::Failed => Err(failed()),
        }
    }
}

/// Connect has one organization, whose token is stored.
impl RequestToken for Desk {
    async fn feeds(&self) -> Result<Vec<Feed>, PortError> {
        Ok(vec![Provider::Connect.into()])
    }

    async fn request(&self, _feed: &Feed) -> Result<GrantedToken, PortError> {
        Err(failed())
    }
}

impl ListWithToken for Desk {
    async fn list(&self, _list: &ListId, _token: &SecretString, query: &ListQuery) -> Result<ListPage, ListError> {
        Ok(self.page(query).await?)
    }
}

/// Only Connect's list is read.
impl ListSigned for Desk {
    async fn lists(&self) -> Result<Vec<ListId>, PortError> {
        Ok(Vec::new())
    }

    async fn list(&self, _list: &ListId, query: &ListQuery) -> Result<ListPage, PortError> {
        self.page(query).await
    }
}

impl Watermarks for Desk {
    async fn load(&self, list: &ListId) -> Result<Option<Watermark>, PortError> {
        if list.kind() != ListKind::ConnectTransactions {
            return Ok(None);
        }
        match self.ask(Call::LoadWatermark).await {
            Answer::Watermark(stored) => Ok(stored.map(|stored| *stored)),
            Answer::Of(_) | Answer::Done | Answer::Lost(_) | Answer::Page(_) | Answer::Overtaken | Answer::Failed => {
                Err(failed())
            }
        }
    }

    async fn advance(&self, _list: &ListId, to: &Watermark) -> Result<Advance, PortError> {
        match self.ask(Call::Advance(Box::new(to.clone()))).await {
            Answer::Done => Ok(Advance::Stored),
            Answer::Overtaken => Ok(Advance::Lost),
            Answer::Of(_) | Answer::Lost(_) | Answer::Page(_) | Answer::Watermark(_) | Answer::Failed => Err(failed()),
        }
    }
}

/// No balance is recorded, so there are no movements to check.
impl MovementsMarks for Desk {
    async fn movements_mark(&self) -> Result<Option<MovementsMark>, PortError> {
        Ok(None)
    }

    async fn advance_movements_mark(&self, _to: &MovementsMark) -> Result<Advance, PortError> {
        Ok(Advance::Stored)
    }
}

/// Nothing is overdue yet.
impl OpenResources for Desk {
    async fn open(&self, _query: OpenQuery<'_>) -> Result<IndexPage, PortError> {
        Ok(IndexPage { entries: Vec::new(), is_last: true })
    }
}

/// No hour is over yet, so none is totalled.
impl SettledResources for Desk {
    async fn settled(
        &self,
        _feed: &Feed,
        _kind: Kind,
        _from: Timestamp,
        _before: Timestamp,
    ) -> Result<Vec<ResourceId>, PortError> {
        Ok(Vec::new())
    }
}

impl Reports for Desk {
    async fn put(&self, _report: &Report) -> Result<(), PortError> {
        Ok(())
    }

    async fn of_day(&self, _list: &ListId, _day: Timestamp) -> Result<Vec<Report>, PortError> {
        Ok(Vec::new())
    }
}
