//! The functions, wired as on AWS: by the settings of a deployment, over ports to which anything may happen.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use fan_out::FanOut;
use fundhook_credentials::{KeyCache, KeySettings, RUN_INTERVAL, SecretCache, TokenKeeper};
use fundhook_domain::{Feed, Provider, Timestamp};
use fundhook_ports::fakes::{
    EvidenceBucket, Fake, KeySetApi, KeySetTable, ListApi, ReceiptTable, ReconciliationTable, Stepped, TokenService,
};
use fundhook_providers::zerohash;
use fundhook_runtime::metrics::Metrics;
use fundhook_runtime::settings::{self, ConnectFeed, Environment, ReconcileSettings, SecretFeeds, SettingError};
use publisher::Publisher;
use receiver::{Receiver, Verifier};
use reconciler::{ListReader, Ports, Reconciler, TokenLists};
use refresher::{ApiCheck, CheckedApi, Refresher, Tokens};
use state_updater::StateUpdater;
use tokio::task::JoinSet;

use crate::CannotBegin;
use crate::calls::Calls;
use crate::chance::Chance;
use crate::cloudwatch::CloudWatch;
use crate::functions::Lambda;
use crate::log::Log;
use crate::oracle::{Heard, Oracle};
use crate::provider::{SimulatedReceiver, url};
use crate::published::Published;
use crate::queue::Queue;
use crate::stream::PARTS;
use crate::table::Table;
use crate::topic::Topic;

/// How often the reconciler runs, as in the template.
const RECONCILED_EVERY: Duration = Duration::from_secs(900);

/// How long a run of it may take.
const RUN_MAX: Duration = Duration::from_secs(300);

/// How many receivers there are, each with caches of its own.
const RECEIVERS: usize = 3;

/// The stack: what AWS keeps for the functions.
pub(crate) struct Stack {
    pub(crate) ingress: Queue,
    pub(crate) transfers: Queue,
    pub(crate) accounts: Queue,
    pub(crate) table: Table,
    pub(crate) keys: Fake<KeySetTable>,
    pub(crate) bucket: Fake<EvidenceBucket>,
    pub(crate) topic: Topic,
    pub(crate) metrics: Metrics,
    pub(crate) cloudwatch: CloudWatch,
}

/// The settings of the functions.
struct Settings {
    keys: KeySettings,
    connect: Vec<ConnectFeed>,
    zerohash: Option<SecretFeeds<zerohash::Settings>>,
    reconcile: ReconcileSettings,
}

/// The ports of the reconciler.
pub(crate) struct Simulated;

impl Ports for Simulated {
    type Tokens = Stepped<Fake<TokenService>, Calls>;
    type Connect = Stepped<Fake<ListApi>, Calls>;
    type Zerohash = Stepped<Fake<ListApi>, Calls>;
    type Resources = Stepped<Table, Calls>;
    type ReconciliationStore = Stepped<ReconciliationTable, Calls>;
    type Queue = Stepped<Heard, Calls>;
    type Clock = Box<dyn Fn() -> Timestamp>;
}

/// The stack, the world around it, and the settings of its functions.
pub(crate) struct Deployment {
    pub(crate) stack: Stack,
    pub(crate) published: Published,
    pub(crate) oracle: Oracle,
    pub(crate) calls: Calls,
    pub(crate) log: Log,
    settings: Settings,
}

impl Settings {
    fn read() -> Result<Self, SettingError> {
        let variables = BTreeMap::from([
            ("FUNDHOOK_CONNECT_JWKS_URL", "https://api.connect.xyz/v1/jwks".to_owned()),
            ("FUNDHOOK_CONNECT_WEBHOOK_URLS", url(Provider::Connect)),
            ("FUNDHOOK_ZEROHASH_SECRET_ID", "zerohash".to_owned()),
            ("FUNDHOOK_STRIGA_SECRET_ID", "striga".to_owned()),
            ("FUNDHOOK_ZEROHASH", "on".to_owned()),
            ("FUNDHOOK_STRIGA", "on".to_owned()),
            ("FUNDHOOK_OVERDUE_DEPOSIT_SECONDS", "21600".to_owned()),
        ]);
        let lookup = |name: &str| variables.get(name).cloned();
        let environment = Environment::new(&lookup);
        Ok(Self {
            keys: settings::keys(&environment)?,
            connect: settings::connect(&environment)?,
            zerohash: settings::zerohash(&environment)?,
            reconcile: ReconcileSettings::from_environment(&environment)?,
        })
    }
}

impl Deployment {
    pub(crate) fn new(
        stack: Stack,
        published: Published,
        oracle: Oracle,
        calls: Calls,
        log: &Log,
    ) -> Result<Self, CannotBegin> {
        let settings = Settings::read();
        let settings = settings.map_err(|error| CannotBegin::because("a setting is invalid")(error.into()))?;
        Ok(Self { stack, published, oracle, calls, log: log.clone(), settings })
    }

    pub(crate) fn lambda(&self, name: &'static str, concurrency: usize) -> Lambda {
        let (calls, log, cloudwatch) = (self.calls.of_another(), self.log.clone(), self.stack.cloudwatch.clone());
        Lambda { name, calls, log, cloudwatch, concurrency }
    }

    /// Hands over to CloudWatch what the functions report.
    pub(crate) fn report(&self) {
        self.stack.cloudwatch.put_lines(&self.stack.metrics.take());
    }

    /// Starts the functions behind the queues and the stream. They run until the returned set is dropped.
    pub(crate) fn start(&self, chance: &Chance) -> JoinSet<()> {
        let Stack { ingress, transfers, accounts, table, bucket, topic, metrics, .. } = &self.stack;
        let mut functions = JoinSet::new();
        functions.spawn_local(table.clone().keep_indexes(chance.fork()));

        let lambda = self.lambda("fan-out", 4);
        let port = |queue: &Queue| Stepped(queue.clone(), lambda.calls.clone());
        let fan_out = Rc::new(FanOut::new(
            Stepped(bucket.clone(), lambda.calls.clone()),
            port(transfers),
            port(accounts),
            self.settings.reconcile.reading.clone(),
            metrics.clone(),
        ));
        functions.spawn_local(lambda.clone().serve_queue(ingress.clone(), move |event, now| {
            let fan_out = Rc::clone(&fan_out);
            async move { fan_out.handle(event, now).await }
        }));

        for queue in [transfers, accounts] {
            let lambda = self.lambda("state-updater", 6);
            let table = Stepped(table.clone(), lambda.calls.clone());
            let pauses = self.calls.of_another();
            let pause = async move |attempt: u32| pauses.pause(attempt).await;
            let updater = Rc::new(StateUpdater::new(table, pause));
            functions.spawn_local(lambda.serve_queue(queue.clone(), move |event, now| {
                let updater = Rc::clone(&updater);
                async move { updater.handle(event, now).await }
            }));
        }

        for part in 0..PARTS {
            let lambda = self.lambda("publisher", 1);
            let calls = || lambda.calls.clone();
            let receipts: &Fake<ReceiptTable> = &table.store.receipts;
            let publisher = Rc::new(Publisher::to_topic(
                Stepped(topic.clone(), calls()),
                Stepped(receipts.clone(), calls()),
                Stepped(table.clone(), calls()),
                metrics.clone(),
            ));
            functions.spawn_local(lambda.clone().serve_stream(table.stream.clone(), part, move |event, now| {
                let publisher = Rc::clone(&publisher);
                async move { publisher.handle(event, now).await }
            }));
        }
        functions
    }

    /// Starts the functions that run on a schedule. They run until the returned set is dropped.
    pub(crate) fn schedule(&self) -> JoinSet<()> {
        let mut functions = JoinSet::new();

        let lambda = self.lambda("reconciler", 1);
        let reconciler = Rc::new(self.reconciler(&lambda.calls));
        let published = self.published.clone();
        functions.spawn_local(lambda.serve_schedule(RECONCILED_EVERY, move || {
            let (reconciler, published) = (Rc::clone(&reconciler), published.clone());
            async move {
                published.tick();
                reconciler.handle((reconciler.clock)().plus(RUN_MAX)).await.is_ok()
            }
        }));

        let lambda = self.lambda("refresher", 1);
        let calls = || lambda.calls.clone();
        let keeper = self.token_keeper(&lambda.calls);
        let refresher = Rc::new(Refresher::new(
            Stepped(self.stack.keys.clone(), calls()),
            Stepped(self.published.keys.clone(), calls()),
            self.settings.connect.iter().map(|connect| connect.feed.clone()).collect(),
            self.settings.keys.last_good_max,
            Tokens::Kept(keeper),
            self.stack.metrics.clone(),
        ));
        let access = CheckedApi::Checked(Stepped(self.published.access.clone(), calls()));
        let check = Rc::new(ApiCheck::new(access, self.stack.metrics.clone()));
        let (published, clock) = (self.published.clone(), calls());
        functions.spawn_local(lambda.clone().serve_schedule(RUN_INTERVAL, move || {
            let (refresher, check) = (Rc::clone(&refresher), Rc::clone(&check));
            let (published, clock) = (published.clone(), clock.clone());
            async move {
                published.tick();
                let refreshed = refresher.handle(|| clock.now()).await.is_ok();
                refreshed & check.check(|| clock.now()).await.is_ok()
            }
        }));
        functions
    }

    fn token_keeper(
        &self,
        calls: &Calls,
    ) -> TokenKeeper<Stepped<Fake<TokenService>, Calls>, Stepped<Fake<ListApi>, Calls>> {
        let Published { tokens, lists, .. } = &self.published;
        let feeds = vec![Feed::from(Provider::Connect)];
        TokenKeeper::new(Stepped(tokens.clone(), calls.clone()), Stepped(lists.clone(), calls.clone()), feeds)
    }

    /// A reconciler.
    pub(crate) fn reconciler(&self, calls: &Calls) -> Reconciler<Simulated> {
        let Stack { ingress, table, metrics, .. } = &self.stack;
        let heard = Heard { queue: ingress.clone(), oracle: self.oracle.clone() };
        let clock = calls.clone();
        Reconciler {
            list_reader: ListReader {
                connect: Some(TokenLists::new(self.token_keeper(calls))),
                zerohash: Some(Stepped(self.published.lists.clone(), calls.clone())),
            },
            resources: Stepped(table.clone(), calls.clone()),
            store: Stepped(table.store.clone(), calls.clone()),
            ingress: Stepped(heard, calls.clone()),
            settings: self.settings.reconcile.clone(),
            clock: Box::new(move || clock.now()),
            metrics: metrics.clone(),
        }
    }

    /// The receivers behind the gateway, each with caches of its own.
    pub(crate) fn receivers(&self) -> Vec<SimulatedReceiver> {
        (0..RECEIVERS).map(|_| self.receiver()).collect()
    }

    fn receiver(&self) -> SimulatedReceiver {
        let calls = self.calls.of_another();
        let Settings { keys, connect, zerohash, .. } = &self.settings;
        let secrets = |provider: Provider| {
            let vault = self.published.vaults.get(&provider).cloned().unwrap_or_default();
            Arc::new(SecretCache::new(provider, *keys, Stepped(vault, calls.clone())))
        };
        let connect = connect.iter().map(|ConnectFeed { feed, settings, .. }| {
            let stored: Stepped<Fake<KeySetTable>, Calls> = Stepped(self.stack.keys.clone(), calls.clone());
            let published: Stepped<Fake<KeySetApi>, Calls> = Stepped(self.published.keys.clone(), calls.clone());
            (feed.clone(), Verifier::Connect(settings.clone(), KeyCache::new(feed.clone(), *keys, stored, published)))
        });
        let zerohash = zerohash.iter().map(|zerohash| {
            let verifier = Verifier::Zerohash(zerohash.settings.clone(), secrets(Provider::Zerohash));
            (Feed::from(Provider::Zerohash), verifier)
        });
        let striga = (Feed::from(Provider::Striga), Verifier::Striga(secrets(Provider::Striga)));
        let verifiers = connect.chain(zerohash).chain([striga]).collect();
        let queue = Heard { queue: self.stack.ingress.clone(), oracle: self.oracle.clone() };
        Receiver::new(Stepped(queue, calls), verifiers, self.stack.metrics.clone())
    }
}
