//! `demo`: a platform's day in a minute, checked.

mod script;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use fundhook::show::{event_line, resource_line};
use fundhook::subscription::{Delivery, Subscription};
use fundhook::target::Target;
use fundhook_adapters::ResourceTable;
use fundhook_domain::ResourceId;
use fundhook_local_stack::sending::{Manner, Sent as Delivered, Webhook, send, send_or_drop};
use fundhook_local_stack::session::{Platform, Session};
use fundhook_local_stack::{Account, CargoOutput, Function, Workspace};
use fundhook_ports::Resources as _;
use fundhook_runtime::now;
use script::{DROPPED, OUTCOME, ROTATED, SAME_COIN, SCRIPT, Step};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{Ending, progress, read};

#[derive(Args)]
pub(crate) struct Arguments {}

/// How long the events may take, on a busy machine; and how long to listen for some too many.
const EVENTS_WITHIN: Duration = Duration::from_secs(90);
const SILENCE: Duration = Duration::from_secs(2);

/// What was sent, by what was answered.
#[derive(Default)]
struct Sent {
    accepted: u32,
    refused: u32,
    /// The files among the accepted.
    files: BTreeSet<String>,
    /// How many events they give rise to.
    events: usize,
    unexpected_answers: u32,
    /// What the provider dropped.
    dropped: Option<Webhook>,
}

pub(crate) async fn run(_: Arguments) -> Ending {
    let started = Instant::now();
    let events = Workspace::find()?.root().join("events");
    let session = Session::start(CargoOutput::Shown, &progress).await?;
    progress("Deploying infra/template.yaml to the emulator");
    let platform = session.platform(Account::default(), &[]).await?;
    let target = Target::of(&platform.deployment)?;
    let subscription = Arc::new(Subscription::open(&target.aws, target.output("TopicArn")?).await?);
    // As the schedule does within the first minute: key sets, and an access token for the provider's API.
    invoke(&platform, Function::Refresher).await?;
    progress(&format!("Ready after {} s", started.elapsed().as_secs()));

    let deliveries: Arc<Mutex<Vec<Delivery>>> = Arc::default();
    let listener = tokio::spawn(listen(Arc::clone(&subscription), Arc::clone(&deliveries)));
    let mut sent = Sent::default();
    for chapter in SCRIPT {
        println!("\n{}", chapter.title);
        for step in chapter.steps {
            take(step, &platform, &events, &mut sent).await?;
            if chapter.in_order {
                wait_for(&deliveries, sent.events).await;
            }
        }
        wait_for(&deliveries, sent.events).await;
    }
    tokio::time::sleep(SILENCE).await;
    listener.abort();
    let deliveries = deliveries.lock().await.clone();
    summary(&target, &sent, &deliveries, started).await
}

async fn listen(subscription: Arc<Subscription>, deliveries: Arc<Mutex<Vec<Delivery>>>) {
    loop {
        match subscription.next().await {
            Ok(new) => {
                new.iter().for_each(|delivery| println!("  ← {}", event_line(delivery)));
                deliveries.lock().await.extend(new);
            }
            Err(error) => {
                eprintln!("the topic cannot be listened to: {error}");
                return;
            }
        }
    }
}

async fn take(
    step: &Step,
    platform: &Platform,
    events: &Path,
    sent: &mut Sent,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    match step {
        Step::Send(file, manner, times, gives_rise_to) => {
            let path = events.join(file);
            let webhook = Webhook::new(Webhook::feed_of(&path), read(&path)?);
            for _ in 0..*times {
                deliver(platform, file, &webhook, *manner, *gives_rise_to, sent).await?;
            }
        }
        Step::Drop => {
            let webhook = confirmed_today(events, DROPPED)?;
            platform.sandbox.drop_share(100, 0).await?;
            let dropped =
                send_or_drop(&platform.deployment, &platform.sandbox, &webhook, Manner::Genuine, now()).await?;
            platform.sandbox.drop_share(0, 0).await?;
            sent.unexpected_answers += u32::from(!matches!(dropped, Delivered::Dropped));
            println!("  → ---  {CONFIRMED} of {DROPPED}  dropped by the provider");
            sent.dropped = Some(webhook);
        }
        Step::Reconcile => {
            let ran = invoke(platform, Function::Reconciler).await?;
            println!("  · the reconciler runs: {} row of the list read, {} queued", ran["rows"], ran["queued"]);
            sent.events += 1;
        }
        Step::SendDropped => {
            if let Some(webhook) = sent.dropped.take() {
                let file = format!("{CONFIRMED} of {DROPPED}, after all");
                deliver(platform, &file, &webhook, Manner::Genuine, 0, sent).await?;
            }
        }
        Step::Rotate => {
            platform.sandbox.rotate(false).await?;
            println!("  · the provider has a new key, and publishes no other");
            let file = format!("{CONFIRMED} of {ROTATED}");
            deliver(platform, &file, &confirmed_today(events, ROTATED)?, Manner::Genuine, 1, sent).await?;
        }
    }
    Ok(())
}

/// The webhook whose bodies tell of deposits of today.
const CONFIRMED: &str = "connect/deposits.confirmed.json";

/// A webhook that a deposit called `id` was confirmed a minute ago.
fn confirmed_today(events: &Path, id: &str) -> Result<Webhook, Box<dyn Error + Send + Sync>> {
    let path = events.join(CONFIRMED);
    let mut body: Value = serde_json::from_slice(&read(&path)?)?;
    body["deposit"]["id"] = json!(id);
    // Of the form of a chain's: by another one, a coin is not told from what zerohash's feed may tell of it.
    body["deposit"]["transaction"]["hash"] = json!(format!("0x{0}{0}", id.replace('-', "")));
    let webhook = Webhook::new(Webhook::feed_of(&path), body.to_string().into_bytes());
    Ok(webhook.dated(now().minus(Duration::from_secs(60))))
}

async fn invoke(platform: &Platform, function: Function) -> Result<Value, Box<dyn Error + Send + Sync>> {
    let invoked = platform.deployment.invoke(function, &json!({})).await?;
    if invoked.failed {
        return Err(format!("the {} failed: {}", function.package(), invoked.payload).into());
    }
    Ok(invoked.payload)
}

/// Sends a webhook in some manner; accepted for the first time, it gives rise to so many events.
async fn deliver(
    platform: &Platform,
    file: &str,
    webhook: &Webhook,
    manner: Manner,
    gives_rise_to: usize,
    sent: &mut Sent,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let answer = send(&platform.deployment, &platform.sandbox, webhook, manner, now()).await?;
    let manner_told = if manner == Manner::Genuine { String::new() } else { format!(" ({manner:?})") };
    println!("  → {}  {file}{}  {}", answer.status, manner_told.to_lowercase(), answer.body);
    let expected: &[u16] = if manner == Manner::Genuine { &[200] } else { &[400, 401] };
    sent.unexpected_answers += u32::from(!expected.contains(&answer.status));
    if answer.status == 200 {
        sent.accepted += 1;
        sent.events += if sent.files.insert(file.to_owned()) { gives_rise_to } else { 0 };
    } else {
        sent.refused += 1;
    }
    Ok(())
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

async fn summary(target: &Target, sent: &Sent, deliveries: &[Delivery], started: Instant) -> Ending {
    let expected: BTreeMap<ResourceId, &str> = OUTCOME
        .iter()
        .map(|(id, status)| Ok((id.parse()?, *status)))
        .collect::<Result<_, Box<dyn Error + Send + Sync>>>()?;
    let subjects = deliveries.iter().map(|delivery| delivery.text("/subject").parse());
    let named: BTreeSet<ResourceId> = subjects.collect::<Result<_, _>>()?;
    let all: Vec<ResourceId> = expected.keys().cloned().chain(named).collect::<BTreeSet<_>>().into_iter().collect();
    let resources = ResourceTable::new(&target.aws, target.output("TableName")?.to_owned()).read(&all).await?;

    println!("\nWhat it adds up to");
    resources.iter().for_each(|resource| println!("  {}", resource_line(resource)));

    let published = ids(deliveries).len();
    let in_state = |id: &ResourceId, status: &str| {
        let view = resources.iter().find(|resource| resource.id() == id).and_then(fundhook_domain::Resource::view);
        view.is_some_and(|view| view.status.as_str() == status)
    };
    let right = expected.iter().filter(|(id, status)| in_state(id, status)).count();
    println!(
        "\nSent {}: {} accepted, {} refused. Among the accepted {} repeated what was known. Published: {published} events. {} s in all.",
        sent.accepted + sent.refused,
        sent.accepted,
        sent.refused,
        sent.accepted as usize - sent.files.len(),
        started.elapsed().as_secs(),
    );
    let about_the_coin = deliveries.iter().filter(|delivery| SAME_COIN.contains(&delivery.text("/subject")));
    let confirmed = about_the_coin.filter(|delivery| delivery.text("/type") == "fundhook.deposit.confirmed");
    let credits = confirmed.map(Delivery::id).collect::<BTreeSet<_>>().len();
    let told_of_dropped: Vec<&Delivery> =
        deliveries.iter().filter(|delivery| delivery.text("/subject").ends_with(DROPPED)).collect();
    let healed =
        told_of_dropped.iter().filter(|delivery| delivery.event.pointer("/data/reconciled") == Some(&json!(true)));
    let healed_once = healed.map(|delivery| delivery.id()).collect::<BTreeSet<_>>().len() == 1
        && told_of_dropped.iter().map(|delivery| delivery.id()).collect::<BTreeSet<_>>().len() == 1;
    let checks = [
        ("every answer is the one that was to be expected", sent.unexpected_answers == 0),
        ("each statement of a provider became one event, and nothing else did", published == sent.events),
        ("the coin that two feeds told of may be credited once", credits == 1),
        ("the webhook that never came was healed, and changed nothing when it came after all", healed_once),
        ("each resource is in the state that it must be in", right == expected.len()),
    ];
    for (claim, holds) in checks {
        println!("  {} {claim}", if holds { "✓" } else { "✗" });
    }
    if checks.iter().all(|(_, holds)| *holds) {
        println!(
            "\nNext: `cargo fundhook up` leaves a stack running to try things on; `cargo fundhook --help` says what else there is."
        );
        Ok(ExitCode::SUCCESS)
    } else {
        println!(
            "\nSomething that must hold does not. The functions' logs are in the emulator's, below target/fundhook."
        );
        Ok(ExitCode::FAILURE)
    }
}
