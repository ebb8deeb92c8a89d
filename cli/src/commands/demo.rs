//! `demo`: a platform's day in a minute, checked.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use fundhook::sending::{Manner, send};
use fundhook::session::{Platform, Session};
use fundhook::show::{event_line, resource_line};
use fundhook::stack::{Account, CargoOutput, Workspace};
use fundhook::subscription::{Delivery, Subscription};
use fundhook::target::Target;
use fundhook_adapters::ResourceTable;
use fundhook_domain::ResourceId;
use fundhook_domain::port::Resources as _;
use tokio::sync::Mutex;

use super::{Ending, progress, read};

#[derive(Args)]
pub(crate) struct Arguments {}

/// A file of events/connect, how it is sent, and how often.
type Step = (&'static str, Manner, u32);

/// What is sent, in chapters with a title each.
const SCRIPT: &[(&str, &[Step])] = &[
    (
        "A deposit from start to end; the provider repeats itself",
        &[
            ("deposits.pending.6e735627.json", Manner::Genuine, 1),
            ("deposits.submitted.json", Manner::Genuine, 3),
            ("deposits.confirmed.json", Manner::Genuine, 2),
        ],
    ),
    (
        "A travel-rule hold that is told after its end",
        &[("deposits.confirmed.after_hold.json", Manner::Genuine, 1), ("deposits.on_hold.json", Manner::Genuine, 1)],
    ),
    (
        "A withdrawal told back to front",
        &[
            ("withdrawal.confirmed.json", Manner::Genuine, 1),
            ("withdrawal.broadcasted.json", Manner::Genuine, 2),
            ("withdrawal.initiated.json", Manner::Genuine, 1),
        ],
    ),
    (
        "What else can become of money",
        &[
            ("deposits.pending.json", Manner::Genuine, 1),
            ("deposits.failed.json", Manner::Genuine, 1),
            ("deposits.abandoned.json", Manner::Genuine, 1),
            ("deposits.unexpected.json", Manner::Genuine, 1),
            ("withdrawal.failed.json", Manner::Genuine, 1),
        ],
    ),
    (
        "Signed, and not understood: never lost",
        &[("odd/unknown_event.json", Manner::Genuine, 2), ("odd/not_json.txt", Manner::Genuine, 1)],
    ),
    (
        "Not the provider: never let in",
        &[
            ("deposits.confirmed.json", Manner::Forged, 1),
            ("deposits.confirmed.json", Manner::Tampered, 1),
            ("deposits.confirmed.json", Manner::Stale, 1),
            ("deposits.confirmed.json", Manner::Unsigned, 1),
        ],
    ),
];

/// The states that the script must end in.
const OUTCOME: &[(&str, &str)] = &[
    ("deposit#connect#6e735627-f8d1-49ae-93cc-3b7923519c56", "confirmed"),
    ("deposit#connect#ddcfa16a-ac95-473b-bdc3-2b3cf06ed9c5", "confirmed"),
    ("withdrawal#connect#f2d4a13e-8a52-45e3-9825-b0b18c9a8233", "confirmed"),
    ("deposit#connect#c55481bf-626b-4410-8997-4cee83e1385f", "pending"),
    ("deposit#connect#3b6351e8-9ae9-4e60-9cec-f3135d521b0d", "failed"),
    ("deposit#connect#f6490a8e-d59e-4ae7-8f07-d347deeedec5", "abandoned"),
    ("deposit#connect#5f339a3b-2a3d-4056-8c28-b8bd9b672691", "unexpected"),
    ("withdrawal#connect#7eccfc60-7e4f-4842-955f-8cf18e3a22cc", "failed"),
];

/// How long the events may take, on a busy machine; and how long to listen for some too many.
const EVENTS_WITHIN: Duration = Duration::from_secs(90);
const SILENCE: Duration = Duration::from_secs(2);

/// What was sent, by what was answered.
#[derive(Default)]
struct Sent {
    accepted: u32,
    refused: u32,
    /// The different bodies among the accepted: each is one statement, and so one event.
    statements: BTreeSet<Vec<u8>>,
    unexpected_answers: u32,
}

pub(crate) async fn run(_: Arguments) -> Ending {
    let started = Instant::now();
    let events = Workspace::find()?.root().join("events/connect");
    let session = Session::start(CargoOutput::Shown, &progress).await?;
    progress("Deploying infra/template.yaml to the emulator");
    let platform = session.platform(Account::default(), &[]).await?;
    let target = Target::of(&platform.deployment)?;
    let subscription = Arc::new(Subscription::open(&target.aws, target.output("TopicArn")?).await?);
    progress(&format!("Ready after {} s", started.elapsed().as_secs()));

    let deliveries: Arc<Mutex<Vec<Delivery>>> = Arc::default();
    let listener = tokio::spawn(listen(Arc::clone(&subscription), Arc::clone(&deliveries)));
    let sent = send_script(&platform, &events).await?;
    wait_for(&deliveries, sent.statements.len()).await;
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

async fn send_script(platform: &Platform, events: &Path) -> Result<Sent, Box<dyn Error + Send + Sync>> {
    let mut sent = Sent::default();
    for (title, steps) in SCRIPT {
        println!("\n{title}");
        for (file, manner, times) in *steps {
            let body = read(&events.join(file))?;
            for _ in 0..*times {
                let now = fundhook_runtime::now();
                let answer = send(&platform.deployment, &platform.sandbox, &body, *manner, now).await?;
                let manner_told = if *manner == Manner::Genuine { String::new() } else { format!(" ({manner:?})") };
                println!("  → {}  {file}{}  {}", answer.status, manner_told.to_lowercase(), answer.body);
                let expected: &[u16] = if *manner == Manner::Genuine { &[200] } else { &[400, 401] };
                sent.unexpected_answers += u32::from(!expected.contains(&answer.status));
                if answer.status == 200 {
                    sent.accepted += 1;
                    sent.statements.insert(body.clone());
                } else {
                    sent.refused += 1;
                }
            }
        }
    }
    println!();
    Ok(sent)
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

    let statements = sent.statements.len();
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
        sent.accepted as usize - statements,
        started.elapsed().as_secs(),
    );
    let checks = [
        ("every answer is the one that was to be expected", sent.unexpected_answers == 0),
        ("each statement of the provider became one event, and nothing else did", published == statements),
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
