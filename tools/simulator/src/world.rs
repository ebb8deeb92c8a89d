//! One run: the world is made, the providers tell, the functions finish, and the oracle checks.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use fan_out::FanOut;
use fundhook_credentials::{KeyCache, SecretCache};
use fundhook_domain::{Feed, Provider};
use fundhook_ports::fakes::{EvidenceBucket, Fake, KeySetApi, KeySetTable, ReceiptTable, SecretVault, Stepped};
use fundhook_providers::ReadingSettings;
use fundhook_runtime::metrics::Metrics;
use fundhook_runtime::settings::{self, Environment};
use publisher::Publisher;
use receiver::{Receiver, Verifier};
use state_updater::StateUpdater;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::sleep;

use crate::CannotBegin;
use crate::calls::Calls;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::functions::Lambda;
use crate::lives::{Life, Lives};
use crate::log::Log;
use crate::oracle::{Ingress, Oracle};
use crate::outcome::{Outcome, Sent};
use crate::plan::Plan;
use crate::provider::{Providers, SimulatedReceiver, url};
use crate::queue::Queue;
use crate::signing::Signer;
use crate::stream::{PARTS, Stream};
use crate::table::Table;
use crate::topic::Topic;

/// How long the functions may take to finish.
const FINISH_WITHIN: Duration = Duration::from_secs(3 * 86_400);

/// How often dead letters are sent again, when nothing goes wrong any more.
const REDRIVES_MAX: usize = 3;

/// Everything that a run consists of.
struct World {
    clock: Clock,
    log: Log,
    calls: Calls,
    oracle: Oracle,
    queues: [Queue; 3],
    table: Table,
    bucket: Fake<EvidenceBucket>,
    receipts: Fake<ReceiptTable>,
    topic: Topic,
    metrics: Metrics,
    reading: ReadingSettings,
}

pub(crate) async fn run(plan: &Plan, progress: &dyn Fn(u64)) -> Result<Outcome, CannotBegin> {
    let chance = Chance::of(plan.seed);
    let world = World::new(plan, &chance, Clock::started()?);
    LocalSet::new().run_until(world.run(plan, &chance, progress)).await
}

impl World {
    fn new(plan: &Plan, chance: &Chance, clock: Clock) -> Self {
        let rates = plan.rates();
        let log = Log::new(clock);
        let queue = |name| Queue::new(name, clock, chance, &log, rates.doubled_message);
        Self {
            clock,
            calls: Calls::new(clock, chance, &log, rates),
            oracle: Oracle::default(),
            queues: [queue("ingress"), queue("transfers"), queue("accounts")],
            table: Table::default(),
            bucket: Fake::default(),
            receipts: Fake::default(),
            topic: Topic::new(&log),
            metrics: Metrics::recorded(false),
            reading: ReadingSettings::default(),
            log,
        }
    }

    async fn run(self, plan: &Plan, chance: &Chance, progress: &dyn Fn(u64)) -> Result<Outcome, CannotBegin> {
        let providers = Rc::new(self.providers(plan, chance)?);
        let functions = self.start();
        let (told, lives) = self.tell(plan, &providers, &Lives::of(plan), progress).await;
        self.finish("after the last webhook").await;
        self.calls.calm_down();
        for _ in 0..REDRIVES_MAX {
            self.queues.iter().for_each(Queue::redrive);
            self.finish("after a redrive").await;
        }
        for queue in self.queues.iter().filter(|queue| queue.dead() > 0) {
            self.oracle.broke(format!("{} messages are in a dead-letter queue after redrives", queue.dead()));
        }
        drop(functions);
        Ok(self.outcome(plan, told, lives))
    }

    fn lambda(&self, name: &'static str, concurrency: usize) -> Lambda {
        Lambda { name, clock: self.clock, calls: self.calls.of_another(), log: self.log.clone(), concurrency }
    }

    /// Starts the functions. They run until the returned set is dropped.
    fn start(&self) -> JoinSet<()> {
        let mut functions = JoinSet::new();
        let [ingress, transfers, accounts] = &self.queues;

        let lambda = self.lambda("fan-out", 4);
        let port = |queue: &Queue| Stepped(queue.clone(), lambda.calls.clone());
        let fan_out = Rc::new(FanOut::new(
            Stepped(self.bucket.clone(), lambda.calls.clone()),
            port(transfers),
            port(accounts),
            self.reading.clone(),
            self.metrics.clone(),
        ));
        functions.spawn_local(lambda.clone().serve_queue(ingress.clone(), move |event, now| {
            let fan_out = Rc::clone(&fan_out);
            async move { fan_out.handle(event, now).await }
        }));

        for queue in [transfers, accounts] {
            let lambda = self.lambda("state-updater", 6);
            let table = Stepped(self.table.clone(), lambda.calls.clone());
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
            let publisher = Rc::new(Publisher::to_topic(
                Stepped(self.topic.clone(), calls()),
                Stepped(self.receipts.clone(), calls()),
                Stepped(self.table.clone(), calls()),
                self.metrics.clone(),
            ));
            let stream: Stream = self.table.stream.clone();
            functions.spawn_local(lambda.clone().serve_stream(stream, part, move |event, now| {
                let publisher = Rc::clone(&publisher);
                async move { publisher.handle(event, now).await }
            }));
        }
        functions
    }

    fn providers(&self, plan: &Plan, chance: &Chance) -> Result<Providers, CannotBegin> {
        let signer = Signer::of(plan.seed)?;
        let keys = Fake::new(KeySetApi {
            serves: Some(signer.key_set()),
            fresh_for: Some(Duration::from_secs(3600)),
            ..KeySetApi::default()
        });
        let vault =
            |provider| Fake::new(SecretVault { holds: Some(signer.stored(provider)), ..SecretVault::default() });
        let (stored, zerohash, striga) = (Fake::default(), vault(Provider::Zerohash), vault(Provider::Striga));
        let receivers: Result<Vec<SimulatedReceiver>, CannotBegin> =
            (0..3).map(|_| self.receiver(&stored, &keys, &zerohash, &striga)).collect();
        Ok(Providers {
            receivers: receivers?,
            signer,
            calls: self.calls.of_another(),
            clock: self.clock,
            chance: chance.fork(),
            log: self.log.clone(),
            rates: plan.rates(),
            oracle: self.oracle.clone(),
            vaults: BTreeMap::from([(Provider::Zerohash, zerohash), (Provider::Striga, striga)]),
            rotating: Semaphore::new(1),
        })
    }

    /// A receiver with caches of its own, wired by the settings of a deployment.
    fn receiver(
        &self,
        stored: &Fake<KeySetTable>,
        published: &Fake<KeySetApi>,
        zerohash: &Fake<SecretVault>,
        striga: &Fake<SecretVault>,
    ) -> Result<SimulatedReceiver, CannotBegin> {
        let variables = BTreeMap::from([
            ("FUNDHOOK_CONNECT_JWKS_URL", "https://api.connect.xyz/v1/jwks".to_owned()),
            ("FUNDHOOK_CONNECT_WEBHOOK_URLS", url(Provider::Connect)),
            ("FUNDHOOK_ZEROHASH_SECRET_ID", "zerohash".to_owned()),
            ("FUNDHOOK_STRIGA_SECRET_ID", "striga".to_owned()),
            ("FUNDHOOK_ZEROHASH", "on".to_owned()),
            ("FUNDHOOK_STRIGA", "on".to_owned()),
        ]);
        let lookup = |name: &str| variables.get(name).cloned();
        let environment = Environment::new(&lookup);
        let invalid = |error: settings::SettingError| CannotBegin::because("a setting is invalid")(error.into());
        let calls = self.calls.of_another();
        let keys = settings::keys(&environment).map_err(invalid)?;
        let secrets = |provider, vault: &Fake<SecretVault>| {
            Arc::new(SecretCache::new(provider, keys, Stepped(vault.clone(), calls.clone())))
        };
        let mut verifiers = BTreeMap::new();
        for connect in settings::connect(&environment).map_err(invalid)? {
            let (stored, published) =
                (Stepped(stored.clone(), calls.clone()), Stepped(published.clone(), calls.clone()));
            let cache = KeyCache::new(connect.feed.clone(), keys, stored, published);
            verifiers.insert(connect.feed, Verifier::Connect(connect.settings, cache));
        }
        if let Some(of_zerohash) = settings::zerohash(&environment).map_err(invalid)? {
            let verifier = Verifier::Zerohash(of_zerohash.settings, secrets(Provider::Zerohash, zerohash));
            verifiers.insert(Feed::from(Provider::Zerohash), verifier);
        }
        verifiers.insert(Feed::from(Provider::Striga), Verifier::Striga(secrets(Provider::Striga, striga)));
        let ingress = Ingress { queue: self.queues[0].clone(), oracle: self.oracle.clone() };
        Ok(Receiver::new(Stepped(ingress, calls), verifiers, self.metrics.clone()))
    }

    /// Has the providers tell the plan's webhooks, and waits until the last one is accepted or given up. Returns how many were
    /// told, and how many lives the plan has.
    async fn tell(&self, plan: &Plan, providers: &Rc<Providers>, lives: &Lives, progress: &dyn Fn(u64)) -> (u64, u64) {
        let step = (plan.webhooks / 100).max(1);
        let begins = self.clock.now();
        let within = Duration::from_secs(plan.hours * 3600);
        let apart = within / u32::try_from(plan.webhooks / 2).unwrap_or(u32::MAX).max(1);
        let (mut drawn, mut told, mut number) = (0, 0, 0_u64);
        let mut telling = JoinSet::new();
        while drawn < plan.webhooks {
            let at = begins.plus(apart * u32::try_from(number).unwrap_or(u32::MAX));
            sleep(at.since(self.clock.now())).await;
            let Life { told: webhooks, ends } = lives.draw(number, at);
            let is_told = plan.only.is_empty() || plan.only.contains(&number);
            number += 1;
            if let Some((resource, status)) = ends.filter(|_| is_told) {
                self.oracle.expects(resource, status, &webhooks);
            }
            for webhook in webhooks {
                drawn += 1;
                if drawn % step == 0 {
                    progress(drawn);
                }
                if is_told {
                    told += 1;
                    let (providers, wait) = (Rc::clone(providers), webhook.at.since(at));
                    telling.spawn_local(async move {
                        sleep(wait).await;
                        providers.tell(webhook.provider, webhook.body).await;
                    });
                }
            }
            while telling.try_join_next().is_some() {}
            self.metrics.take();
        }
        while telling.join_next().await.is_some() {}
        (told, number)
    }

    /// Waits until nothing is on its way.
    async fn finish(&self, when: &str) {
        let until = self.clock.now().plus(FINISH_WITHIN);
        while self.clock.now() < until {
            sleep(Duration::from_secs(1)).await;
            if self.queues.iter().all(Queue::is_empty) && self.table.stream.is_empty() {
                return;
            }
        }
        self.oracle.broke(format!("something is still on its way {when}"));
    }

    fn outcome(&self, plan: &Plan, told: u64, lives: u64) -> Outcome {
        let (table, received, bucket) = (self.table.resources.now(), self.topic.received(), self.bucket.now());
        let (broken, checked) = self.oracle.check(&table, &received, &bucket);
        let resources: BTreeSet<_> = table.resources.keys().collect();
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let sent = Sent {
            told,
            lives,
            resources: count(resources.len()),
            facts: table.resources.values().map(|resource| count(resource.facts().len())).sum(),
            events: received.events.values().map(|events| count(events.len())).sum(),
        };
        let counts = self.log.counts();
        Outcome { plan: plan.clone(), sent, counts, checked, broken, digest: self.log.digest() }
    }
}
