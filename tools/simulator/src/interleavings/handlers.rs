//! The deployed handlers. What one does next follows from what it was given and from the answers that it got. So each such
//! moment is computed once, by running the handler up to it.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use aws_lambda_events::dynamodb::Event as StreamEvent;
use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use fundhook_credentials::TokenKeeper;
use fundhook_domain::{Feed, Provider, SeveralFamiliesCredit, Timestamp};
use fundhook_ports::fakes::{Clock, Fake, TokenService};
use fundhook_providers::ReadingSettings;
use fundhook_runtime::metrics::Metrics;
use fundhook_runtime::settings::{OverdueLimits, ReconcileSettings};
use publisher::Publisher;
use reconciler::{ListReader, Ports, Reconciler, TokenLists};
use state_updater::StateUpdater;

use super::call::{Answer, Call, digest};
use super::ports::Desk;
use super::state::Inbox;
use super::table::Change;
use crate::stream::record_of;

/// What a handler is invoked with.
#[derive(Clone, Debug)]
pub(super) enum Given {
    /// Messages, for a state updater.
    Messages(Arc<Inbox>),
    /// Records of the stream, for a publisher.
    Records(Vec<Arc<Change>>),
    /// The time, for a reconciler.
    Run(Timestamp),
}

/// What a handler returned.
#[derive(Clone, Debug)]
pub(super) enum Returned {
    /// The messages that failed, of those that it was given.
    Messages { given: Vec<String>, failed: Vec<String> },
    /// How many records it finished, of those that it was given.
    Records { given: usize, finished: usize },
    /// Whether the run succeeded.
    Run { is_well: bool },
}

/// What a handler does next.
#[derive(Clone, Debug)]
pub(super) enum Next {
    /// It makes this call; beside it, the digest of the call.
    Call(Arc<Call>, u64),
    /// It returned this.
    Returned(Arc<Returned>),
}

/// A moment of a handler: the number under which it is known.
pub(super) type Moment = usize;

struct Known {
    given: Given,
    /// The moment before it, and the answer that led here.
    before: Option<(Moment, Answer)>,
    next: Next,
    /// Whether another run advanced the watermark.
    is_overtaken: bool,
    /// The handler at this moment, until it goes on.
    handler: Option<Running>,
}

/// All moments of handlers that were reached.
pub(super) struct Handlers {
    several: SeveralFamiliesCredit,
    now: Timestamp,
    known: Vec<Known>,
    numbers: BTreeMap<(Option<Moment>, u64), Moment>,
    /// The broken promises that were seen last.
    pub(super) broken: Vec<String>,
}

impl Given {
    fn digest(&self) -> u64 {
        match self {
            Self::Messages(inbox) => digest((0, inbox.keys().collect::<Vec<_>>())),
            Self::Records(changes) => digest((1, changes.iter().map(|change| change.digest).collect::<Vec<_>>())),
            Self::Run(now) => digest((2, now.unix_seconds())),
        }
    }
}

impl Handlers {
    /// None was invoked yet. It is `now`.
    pub(super) fn new(several: SeveralFamiliesCredit, now: Timestamp) -> Self {
        Self { several, now, known: Vec::new(), numbers: BTreeMap::new(), broken: Vec::new() }
    }

    /// How many moments were computed.
    pub(super) fn moments(&self) -> usize {
        self.known.len()
    }

    /// What a handler does next.
    pub(super) fn next(&self, moment: Moment) -> &Next {
        &self.known[moment].next
    }

    /// The moment of a handler that was invoked with this, before its first call.
    pub(super) fn invoked(&mut self, given: Given) -> Moment {
        let key = (None, given.digest());
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let handler = self.begin(&given);
        self.add(key, given, None, false, handler)
    }

    /// The moment after its call was answered.
    pub(super) fn answered(&mut self, moment: Moment, answer: Answer, answer_digest: u64) -> Moment {
        let key = (Some(moment), answer_digest);
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let mut handler = self.known[moment].handler.take().unwrap_or_else(|| self.repeated(moment));
        handler.go_on(answer.clone());
        let is_overtaken = self.known[moment].is_overtaken || matches!(answer, Answer::Overtaken);
        let given = self.known[moment].given.clone();
        self.add(key, given, Some((moment, answer)), is_overtaken, handler)
    }

    fn add(
        &mut self,
        key: (Option<Moment>, u64),
        given: Given,
        before: Option<(Moment, Answer)>,
        is_overtaken: bool,
        handler: Running,
    ) -> Moment {
        let next = handler.next();
        if let Next::Call(call, _) = &next
            && is_overtaken
            && matches!(**call, Call::ReadPage(_) | Call::Send(_) | Call::Advance(_))
        {
            self.broken.push(format!("a run {} after another one advanced the watermark", call.described()));
        }
        let number = self.known.len();
        self.known.push(Known { given, before, next, is_overtaken, handler: Some(handler) });
        self.numbers.insert(key, number);
        number
    }

    /// A handler that is run again up to this moment.
    fn repeated(&mut self, moment: Moment) -> Running {
        let mut answers = Vec::new();
        let mut at = moment;
        while let Some((before, answer)) = &self.known[at].before {
            answers.push(answer.clone());
            at = *before;
        }
        let given = self.known[moment].given.clone();
        let mut handler = self.begin(&given);
        answers.into_iter().rev().for_each(|answer| handler.go_on(answer));
        let is_same = match (handler.next(), &self.known[moment].next) {
            (Next::Call(_, one), Next::Call(_, other)) => one == *other,
            (Next::Returned(_), Next::Returned(_)) => true,
            (Next::Call(_, _), Next::Returned(_)) | (Next::Returned(_), Next::Call(_, _)) => false,
        };
        if !is_same {
            self.broken.push("a handler does not always do the same after the same answers".to_owned());
        }
        handler
    }

    fn begin(&self, given: &Given) -> Running {
        let (desk, now) = (Desk::default(), self.now);
        let ports = desk.clone();
        let future: Pin<Box<dyn Future<Output = Returned>>> = match given.clone() {
            Given::Messages(inbox) => {
                let several = self.several.clone();
                Box::pin(async move {
                    let given = inbox.keys().cloned().collect();
                    let mut event = SqsEvent::default();
                    event.records = inbox.iter().map(|(id, body)| message(id, body)).collect();
                    let updater = StateUpdater::new(ports, async |_| {}).where_several_families_credit(several);
                    let failed = updater.handle(event, now).await.batch_item_failures;
                    let failed = failed.into_iter().map(|failure| failure.item_identifier).collect();
                    Returned::Messages { given, failed }
                })
            }
            Given::Records(changes) => Box::pin(async move {
                let record =
                    |(number, change): (u64, &Arc<Change>)| record_of(number, change.before.as_ref(), &change.after);
                let mut event = StreamEvent::default();
                event.records = (0..).zip(&changes).map(record).collect();
                let publisher = Publisher::to_topic(ports.clone(), ports.clone(), ports, Metrics::recorded(false));
                let failed = publisher.handle(event, now).await.batch_item_failures;
                let first_failed = failed.into_iter().next().and_then(|failure| failure.item_identifier);
                let first_failed = first_failed.and_then(|number| number.parse().ok());
                let given = changes.len();
                Returned::Records { given, finished: first_failed.unwrap_or(given) }
            }),
            Given::Run(now) => Box::pin(async move {
                let is_well = reconciler(ports, now).handle(now.plus(Duration::from_secs(300))).await.is_ok();
                Returned::Run { is_well }
            }),
        };
        let mut handler = Running { desk, future, returned: None };
        handler.poll();
        handler
    }
}

/// A handler at some moment.
struct Running {
    desk: Desk,
    future: Pin<Box<dyn Future<Output = Returned>>>,
    returned: Option<Arc<Returned>>,
}

impl Running {
    /// Runs until the next call, or to the end.
    fn poll(&mut self) {
        match self.future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(returned) => self.returned = Some(Arc::new(returned)),
            Poll::Pending => {}
        }
    }

    fn go_on(&mut self, answer: Answer) {
        self.desk.answer(answer);
        self.poll();
    }

    /// What it does next.
    ///
    /// # Panics
    ///
    /// If the handler waits for something other than its ports: then it cannot be run by hand.
    fn next(&self) -> Next {
        if let Some(returned) = &self.returned {
            return Next::Returned(Arc::clone(returned));
        }
        let call = self.desk.asked().expect("a handler that waits for its ports alone");
        let call_digest = call.digest();
        Next::Call(Arc::new(call), call_digest)
    }
}

fn message(id: &str, body: &str) -> SqsMessage {
    let mut message = SqsMessage::default();
    (message.message_id, message.body) = (Some(id.to_owned()), Some(body.to_owned()));
    message
}

/// The types that a reconciler works with.
struct Explored;

impl Ports for Explored {
    type Tokens = Fake<TokenService>;
    type Connect = Desk;
    type Zerohash = Desk;
    type Resources = Desk;
    type ReconciliationStore = Desk;
    type Queue = Desk;
    type Clock = Box<dyn Fn() -> Timestamp>;
}

/// A reconciler that reads Connect's list at `now`, of an organization that receives webhooks of both feeds.
fn reconciler(ports: Desk, now: Timestamp) -> Reconciler<Explored> {
    let (connect, zerohash) = (Feed::from(Provider::Connect), Feed::from(Provider::Zerohash));
    let day = Duration::from_secs(86_400);
    let tokens = Fake::new(TokenService::new(Clock::at(now), day, [connect.clone()]));
    drop(tokens.store_granted(&connect, now));
    let keeper = TokenKeeper::new(tokens, ports.clone(), vec![connect.clone()]);
    Reconciler {
        list_reader: ListReader { connect: Some(TokenLists::new(keeper)), zerohash: None },
        resources: ports.clone(),
        store: ports.clone(),
        ingress: ports,
        settings: ReconcileSettings {
            rows_are: Provider::Connect,
            feeds: [connect, zerohash].into(),
            grace: Duration::from_secs(900),
            overlap: Duration::from_secs(3600),
            lookback: 3 * day,
            overdue: OverdueLimits { deposit: day, withdrawal: day, recovery: 7 * day },
            reading: ReadingSettings::default(),
        },
        clock: Box::new(move || now),
        metrics: Metrics::recorded(false),
    }
}
