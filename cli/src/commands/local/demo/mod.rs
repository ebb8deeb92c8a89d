//! `demo`: a platform's day in a minute, checked.

mod checks;
mod script;

use std::collections::BTreeSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use checks::check;
use clap::Args;
use fundhook::show::event_line;
use fundhook::subscription::{Delivery, Subscription};
use fundhook::target::Target;
use fundhook_local_stack::sending::{Authenticity, SendOutcome, Webhook, send, send_or_drop};
use fundhook_local_stack::session::{Platform, Session};
use fundhook_local_stack::{Account, CargoOutput, Function, Workspace, reconciler};
use fundhook_runtime::now;
use fundhook_sandbox::DropShare;
use script::{ACCEPTED, ACCEPTED_BECAUSE, DemoStep, ROTATED, SCRIPT, SampleDelivery, Today};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{Ending, progress, read};

#[derive(Args)]
pub(crate) struct Arguments {
    /// A template to deploy instead of infra/template.yaml, such as the one that `npx cdk synth` writes to cdk.out
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
}

/// How long the events may take on a busy machine.
const EVENTS_WITHIN: Duration = Duration::from_secs(90);
/// How long to listen for unexpected events at the end.
const LISTEN_AFTER: Duration = Duration::from_secs(2);

/// What was sent so far.
#[derive(Default)]
struct Progress {
    accepted: u32,
    rejected: u32,
    /// The distinct webhooks among the accepted ones.
    distinct: BTreeSet<String>,
    /// The events that they cause.
    expected_events: usize,
    unexpected_responses: u32,
    /// The webhooks that the providers dropped.
    dropped: Vec<(Today, Webhook)>,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let started = Instant::now();
    let events = Workspace::find()?.root().join("events");
    let session = Session::start(CargoOutput::Shown, &progress).await?;
    let template = arguments.template.as_deref();
    let name = template.unwrap_or(Path::new("infra/template.yaml")).display();
    progress(&format!("Deploying {name} to the emulator"));
    let platform = session.platform_of(template, Account::default(), &[]).await?;
    let target = Target::of(&platform.deployment)?;
    let subscription = Arc::new(Subscription::open(&target.aws, target.output("TopicArn")?).await?);
    // The schedule does this within the first minute: key sets, and an access token for the provider's API.
    invoke(&platform, Function::Refresher).await?;
    progress(&format!("Ready after {} s", started.elapsed().as_secs()));

    let deliveries: Arc<Mutex<Vec<Delivery>>> = Arc::default();
    let listener = tokio::spawn(listen(Arc::clone(&subscription), Arc::clone(&deliveries)));
    let mut sent = Progress::default();
    for chapter in SCRIPT {
        println!("\n{}", chapter.title);
        for step in chapter.steps {
            take(step, &platform, &events, &mut sent).await?;
            if chapter.in_order {
                wait_for(&deliveries, sent.expected_events).await;
            }
        }
        wait_for(&deliveries, sent.expected_events).await;
    }
    tokio::time::sleep(LISTEN_AFTER).await;
    listener.abort();
    let deliveries = deliveries.lock().await.clone();
    check(&target, &sent, &deliveries, started).await
}

async fn listen(subscription: Arc<Subscription>, deliveries: Arc<Mutex<Vec<Delivery>>>) {
    loop {
        match subscription.next().await {
            Ok(new) => {
                new.iter().for_each(|delivery| println!("  ← {}", event_line(delivery)));
                deliveries.lock().await.extend(new);
            }
            Err(error) => {
                eprintln!("cannot receive events from the topic: {error}");
                return;
            }
        }
    }
}

async fn take(
    step: &DemoStep,
    platform: &Platform,
    events: &Path,
    sent: &mut Progress,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    match step {
        DemoStep::Send(SampleDelivery { file, authenticity, times, events: expected }) => {
            let path = events.join(file);
            let webhook = Webhook::new(Webhook::feed_of(&path), read(&path)?);
            for _ in 0..*times {
                let response = send(&platform.deployment, &platform.sandbox, &webhook, *authenticity, now()).await?;
                let note = match authenticity {
                    Authenticity::Genuine => "",
                    Authenticity::Tampered => " (tampered)",
                    Authenticity::Stale => " (stale)",
                    Authenticity::Forged => " (forged)",
                    Authenticity::Unsigned => " (unsigned)",
                };
                println!("  → {}  {file}{note}  {}", response.status, response.body);
                sent.count(file, *authenticity, response.status, *expected);
            }
        }
        DemoStep::Drop(today) => {
            let webhook = webhook_of(today, events)?;
            platform.sandbox.drop_share(DropShare::ALL).await?;
            let outcome =
                send_or_drop(&platform.deployment, &platform.sandbox, &webhook, Authenticity::Genuine, now()).await?;
            platform.sandbox.drop_share(DropShare::NONE).await?;
            sent.unexpected_responses += u32::from(!matches!(outcome, SendOutcome::Dropped));
            println!("  → ---  {}  {}  dropped by the provider", today.file, today.resource);
            sent.dropped.push((*today, webhook));
        }
        DemoStep::Reconcile => {
            let run = invoke(platform, Function::Reconciler).await?;
            println!("  · the reconciler ran: rows read: {}, queued: {}", run["rows"], run["queued"]);
            sent.expected_events += sent.dropped.len();
        }
        DemoStep::SendDropped => {
            for (today, webhook) in std::mem::take(&mut sent.dropped) {
                send_today(platform, &today, &webhook, 0, sent).await?;
            }
        }
        DemoStep::Accept => {
            let request = json!({ "decide": { "resource": ACCEPTED, "choice": "accept", "by": "alice", "reason": ACCEPTED_BECAUSE } });
            let decided = reconciler::decide(&platform.deployment, &request).await?;
            println!("  · alice accepts {ACCEPTED}: {ACCEPTED_BECAUSE}");
            sent.expected_events += decided.decided.len();
        }
        DemoStep::Rotate => {
            platform.sandbox.rotate(false).await?;
            println!("  · the provider has a new key and publishes no other");
            send_today(platform, &ROTATED, &webhook_of(&ROTATED, events)?, 1, sent).await?;
        }
    }
    Ok(())
}

/// A webhook about something of a minute ago.
fn webhook_of(today: &Today, events: &Path) -> Result<Webhook, Box<dyn Error + Send + Sync>> {
    let path = events.join(today.file);
    let mut body: Value = serde_json::from_slice(&read(&path)?)?;
    for (pointer, value) in today.changes {
        let (parent, member) = pointer.rsplit_once('/').unwrap_or(("", pointer));
        if let Some(parent) = body.pointer_mut(parent).and_then(Value::as_object_mut) {
            parent.insert(member.to_owned(), json!(value));
        }
    }
    let webhook = Webhook::new(Webhook::feed_of(&path), body.to_string().into_bytes());
    Ok(webhook.dated(now().minus(Duration::from_secs(60))))
}

/// Sends a webhook about something of today.
async fn send_today(
    platform: &Platform,
    today: &Today,
    webhook: &Webhook,
    expected_events: usize,
    sent: &mut Progress,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let response = send(&platform.deployment, &platform.sandbox, webhook, Authenticity::Genuine, now()).await?;
    println!("  → {}  {}  {}  {}", response.status, today.file, today.resource, response.body);
    sent.count(
        &format!("{} of {}", today.file, today.resource),
        Authenticity::Genuine,
        response.status,
        expected_events,
    );
    Ok(())
}

async fn invoke(platform: &Platform, function: Function) -> Result<Value, Box<dyn Error + Send + Sync>> {
    let invoked = platform.deployment.invoke(function, &json!({})).await?;
    if invoked.failed {
        return Err(format!("the {} failed: {}", function.package(), invoked.payload).into());
    }
    Ok(invoked.payload)
}

impl Progress {
    /// Counts the response to a webhook. The first acceptance of `webhook` causes `expected_events` events.
    fn count(&mut self, webhook: &str, authenticity: Authenticity, status: u16, expected_events: usize) {
        let expected: &[u16] = if authenticity == Authenticity::Genuine { &[200] } else { &[400, 401] };
        self.unexpected_responses += u32::from(!expected.contains(&status));
        if status != 200 {
            self.rejected += 1;
            return;
        }
        self.accepted += 1;
        if self.distinct.insert(webhook.to_owned()) {
            self.expected_events += expected_events;
        }
    }
}

async fn wait_for(deliveries: &Mutex<Vec<Delivery>>, events: usize) {
    let deadline = Instant::now() + EVENTS_WITHIN;
    while ids(&deliveries.lock().await).len() < events && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn ids(deliveries: &[Delivery]) -> BTreeSet<&str> {
    deliveries.iter().map(Delivery::id).collect()
}
