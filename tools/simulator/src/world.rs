//! One run: the world is made, the providers tell, the functions finish, and the oracle checks.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use fundhook_domain::Timestamp;
use fundhook_ports::chain;
use fundhook_runtime::metrics::Metrics;
use reconciler::{ReconcileRequest, ReconcileResponse};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::sleep;

use crate::CannotBegin;
use crate::alarms::Phases;
use crate::calls::Calls;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::cloudwatch::{CloudWatch, RECEIVER};
use crate::deployment::{Deployment, Stack};
use crate::lives::{Life, Lives};
use crate::log::Log;
use crate::oracle::Oracle;
use crate::outcome::{Outcome, Sent};
use crate::plan::{FaultLevel, Plan};
use crate::provider::Providers;
use crate::published::Published;
use crate::queue::Queue;
use crate::signing::Signer;
use crate::table::Table;
use crate::topic::Topic;

/// How long the stack is deployed before the first webhook: the hour of the first run is not totalled.
const DEPLOYED_BEFORE: Duration = Duration::from_secs(2 * 3600);

/// How long the functions may take to finish.
const FINISH_WITHIN: Duration = Duration::from_secs(86_400);

/// How often dead letters are sent again, when nothing goes wrong any more.
const REDRIVES_MAX: usize = 3;

/// How often the operator sends them again while things go wrong.
const REDRIVEN_EVERY: Duration = Duration::from_secs(5 * 3600);

/// For how long the reconciler goes on while things go wrong.
const RECONCILED_FOR: Duration = Duration::from_secs(86_400);

/// For how long it then stands still.
const STANDS_STILL_FOR: Duration = Duration::from_secs(2 * 86_400);

/// For how long it goes on after that, when nothing goes wrong any more: every hour is totalled a second time three days later,
/// which finds what was listed hours late.
const REVISED_FOR: Duration = Duration::from_secs(6 * 3600);

/// The time that a report may take.
const REPORT_MAX: Duration = Duration::from_secs(6 * 3600);

/// Everything that a run consists of.
struct World {
    clock: Clock,
    deployment: Deployment,
}

pub(crate) async fn run(plan: &Plan, progress: &dyn Fn(u64)) -> Result<Outcome, CannotBegin> {
    let chance = Chance::of(plan.seed);
    let world = World::new(plan, &chance, Clock::started()?)?;
    LocalSet::new().run_until(world.run(plan, &chance, progress)).await
}

/// The operator sends dead letters again from time to time, for ever.
async fn redriven(queues: [Queue; 3]) {
    loop {
        sleep(REDRIVEN_EVERY).await;
        queues.iter().for_each(Queue::redrive);
    }
}

/// The queues report to CloudWatch each minute, for ever.
async fn reported(queues: [Queue; 3]) {
    loop {
        sleep(Duration::from_secs(60)).await;
        queues.iter().for_each(Queue::report);
    }
}

impl World {
    fn new(plan: &Plan, chance: &Chance, clock: Clock) -> Result<Self, CannotBegin> {
        let rates = plan.rates();
        let log = Log::new(clock);
        let cloudwatch = CloudWatch::of_template(clock)?;
        let queue = |name| Queue::new(name, clock, chance, &log, &cloudwatch, rates.doubled_message);
        let stack = Stack {
            ingress: queue("ingress"),
            transfers: queue("transfers"),
            accounts: queue("accounts"),
            table: Table::default(),
            keys: Default::default(),
            bucket: Default::default(),
            // Half of the worlds have a FIFO topic.
            topic: Topic::new(clock, &log, &cloudwatch, chance.one_in(2)),
            metrics: Metrics::recorded(false),
            cloudwatch: cloudwatch.clone(),
        };
        let published = Published::new(clock, Signer::of(plan.seed)?);
        let calls = Calls::new(clock, chance, &log, rates);
        let deployment = Deployment::new(stack, published, Oracle::default(), calls, &log)?;
        Ok(Self { clock, deployment })
    }

    fn queues(&self) -> [&Queue; 3] {
        let Stack { ingress, transfers, accounts, .. } = &self.deployment.stack;
        [ingress, transfers, accounts]
    }

    async fn run(self, plan: &Plan, chance: &Chance, progress: &dyn Fn(u64)) -> Result<Outcome, CannotBegin> {
        let Deployment { stack, oracle, calls, .. } = &self.deployment;
        let begins = self.clock.now();
        let mut functions = self.deployment.start(chance);
        functions.spawn_local(redriven(self.queues().map(Queue::clone)));
        functions.spawn_local(reported(self.queues().map(Queue::clone)));
        let schedules = self.deployment.schedule();
        let providers = Rc::new(self.providers(plan, chance));
        self.pass(DEPLOYED_BEFORE).await;
        let (told, lives) = self.tell(plan, &providers, &Lives::of(plan), progress).await;
        self.pass(RECONCILED_FOR).await;
        drop(schedules);
        let stops = self.clock.now();
        self.finish("after the last webhook").await;
        calls.calm_down();
        self.redrive().await;
        let calm_from = if plan.faults == FaultLevel::None { begins } else { self.clock.now() };
        self.pass(STANDS_STILL_FOR).await;
        let stand_still = stops..self.clock.now();
        let schedules = self.deployment.schedule();
        self.pass(REVISED_FOR).await;
        drop(schedules);
        let ends = self.clock.now();
        self.finish("after the last run of the reconciler").await;
        self.redrive().await;
        self.queues().into_iter().for_each(|queue| oracle.died(queue.name, &queue.dead()));
        self.total(begins).await;
        drop(functions);
        self.deployment.report();
        oracle.alarmed(&stack.cloudwatch, &Phases { begins, calm_from, stand_still, ends });
        Ok(self.outcome(plan, told, lives))
    }

    fn providers(&self, plan: &Plan, chance: &Chance) -> Providers {
        let Deployment { published, oracle, log, .. } = &self.deployment;
        Providers {
            receivers: self.deployment.receivers(),
            published: published.clone(),
            lambda: self.deployment.lambda(RECEIVER, 1),
            clock: self.clock,
            chance: chance.fork(),
            log: log.clone(),
            rates: plan.rates(),
            oracle: oracle.clone(),
            rotated_at_once: Default::default(),
            rotating: Semaphore::new(1),
        }
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
            let life = lives.draw(number, at);
            let is_told = plan.only.is_empty() || plan.only.contains(&number);
            number += 1;
            for _ in &life.told {
                drawn += 1;
                if drawn % step == 0 {
                    progress(drawn);
                }
            }
            if is_told {
                told += self.live(providers, life, at, &mut telling);
            }
            while telling.try_join_next().is_some() {}
            self.deployment.report();
        }
        while telling.join_next().await.is_some() {}
        (told, number)
    }

    /// Has the providers tell and list a life that begins at `at`. Returns how many webhooks it has.
    fn live(&self, providers: &Rc<Providers>, life: Life, at: Timestamp, telling: &mut JoinSet<()>) -> u64 {
        let Life { told, rows, ends, coin } = life;
        if let Some(body) = providers.poison() {
            let queues = self.queues();
            let queue = providers.chance.pick(&queues);
            self.deployment.oracle.poisoned(queue.name, &body);
            queue.poison(&body);
        }
        if !coin.is_empty() {
            self.deployment.oracle.expects_one_coin(coin);
        }
        for listing in rows {
            let (providers, wait) = (Rc::clone(providers), listing.at.since(at));
            telling.spawn_local(async move {
                sleep(wait).await;
                providers.list(listing).await;
            });
        }
        let dropped: Vec<bool> = told.iter().map(|webhook| providers.drops(webhook.provider)).collect();
        if let Some(end) = ends {
            self.deployment.oracle.expects(end, &told, dropped.contains(&true));
        }
        let count = told.len();
        for (webhook, _) in told.into_iter().zip(dropped).filter(|(_, is_dropped)| !is_dropped) {
            let (providers, wait) = (Rc::clone(providers), webhook.at.since(at));
            telling.spawn_local(async move {
                sleep(wait).await;
                providers.tell(webhook.provider, webhook.body).await;
            });
        }
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    /// Lets time pass.
    async fn pass(&self, time: Duration) {
        sleep(time).await;
        self.deployment.report();
    }

    /// Waits until nothing is on its way.
    async fn finish(&self, when: &str) {
        let until = self.clock.now().plus(FINISH_WITHIN);
        while self.clock.now() < until {
            sleep(Duration::from_secs(1)).await;
            if self.queues().into_iter().all(Queue::is_empty) && self.deployment.stack.table.is_quiet() {
                return;
            }
        }
        self.deployment.oracle.broke(format!("something is still on its way {when}"));
    }

    /// Sends dead letters again, when nothing goes wrong any more.
    async fn redrive(&self) {
        for _ in 0..REDRIVES_MAX {
            self.queues().into_iter().for_each(Queue::redrive);
            self.finish("after a redrive").await;
        }
    }

    /// Totals every day since `begins` once more.
    async fn total(&self, begins: Timestamp) {
        let Deployment { oracle, calls, published, .. } = &self.deployment;
        let reconciler = self.deployment.reconciler(calls);
        let mut day = begins.day_start();
        while day < self.clock.now() {
            published.tick();
            let deadline = self.clock.now().plus(REPORT_MAX);
            match reconciler.answer(ReconcileRequest::ReportDay(day), deadline).await {
                Ok(ReconcileResponse::Reports(reports)) => reports.reports.iter().for_each(|it| oracle.totalled(it)),
                Ok(other) => oracle.broke(format!("instead of a report, the reconciler answered {other:?}")),
                Err(failed) => oracle.broke(format!("the day {day} cannot be totalled: {}", chain(&failed))),
            }
            day = day.plus(Duration::from_secs(86_400));
        }
    }

    fn outcome(&self, plan: &Plan, told: u64, lives: u64) -> Outcome {
        let Deployment { stack: Stack { table, topic, bucket, .. }, oracle, log, .. } = &self.deployment;
        let (table, received, bucket) = (table.store.resources.now(), topic.received(), bucket.now());
        let (broken, checked) = oracle.check(&table, &received, &bucket);
        let resources: BTreeSet<_> = table.resources.keys().collect();
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let sent = Sent {
            told,
            lives,
            resources: count(resources.len()),
            facts: table.resources.values().map(|resource| count(resource.facts().len())).sum(),
            events: received.events.values().map(|events: &BTreeMap<_, _>| count(events.len())).sum(),
        };
        Outcome { plan: plan.clone(), sent, counts: log.counts(), checked, broken, digest: log.digest() }
    }
}
