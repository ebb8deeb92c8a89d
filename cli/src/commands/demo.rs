//! `demo`: a platform's day in a minute, checked.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use fundhook::sending::{Manner, Webhook, send};
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

/// Part of what is sent.
struct Chapter {
    title: &'static str,
    /// Whether each step is told to its end before the next is sent, as it would be in days instead of seconds.
    in_order: bool,
    steps: &'static [Step],
}

/// A file of events/, how it is sent, how often, and how many events its first arrival gives rise to: one webhook may say
/// something about two resources.
type Step = (&'static str, Manner, u32, usize);

/// What is sent.
const SCRIPT: &[Chapter] = &[
    Chapter {
        title: "Connect: a deposit from start to end; the provider repeats itself",
        in_order: false,
        steps: &[
            ("connect/deposits.pending.6e735627.json", Manner::Genuine, 1, 1),
            ("connect/deposits.submitted.json", Manner::Genuine, 3, 1),
            ("connect/deposits.confirmed.json", Manner::Genuine, 2, 1),
        ],
    },
    Chapter {
        title: "Connect: a travel-rule hold that is told after its end, and a withdrawal told back to front",
        in_order: false,
        steps: &[
            ("connect/deposits.confirmed.after_hold.json", Manner::Genuine, 1, 1),
            ("connect/deposits.on_hold.json", Manner::Genuine, 1, 1),
            ("connect/withdrawal.confirmed.json", Manner::Genuine, 1, 1),
            ("connect/withdrawal.broadcasted.json", Manner::Genuine, 2, 1),
            ("connect/withdrawal.initiated.json", Manner::Genuine, 1, 1),
        ],
    },
    Chapter {
        title: "zerohash: `success:false` is not the end: a fund transaction is held, then matched",
        in_order: true,
        steps: &[
            ("zerohash/fund.pending_match.json", Manner::Genuine, 2, 1),
            ("zerohash/fund.matched.json", Manner::Genuine, 2, 1),
        ],
    },
    Chapter {
        title: "One coin, told of by two feeds: credited once",
        in_order: true,
        steps: &[
            ("zerohash/fund.success.json", Manner::Genuine, 1, 1),
            ("connect/deposits.confirmed.same_coin.json", Manner::Genuine, 2, 1),
        ],
    },
    Chapter {
        title: "A recovery, from the banner to the end: announced three ways, counted once",
        in_order: true,
        steps: &[
            ("zerohash/deposit_failed.json", Manner::Genuine, 1, 2),
            ("connect/deposits.unexpected.recovery.json", Manner::Genuine, 1, 2),
            ("zerohash/deposit.recovery_quarantine.json", Manner::Genuine, 1, 2),
            ("zerohash/payment.submitted.json", Manner::Genuine, 1, 2),
            ("zerohash/payment.posted.json", Manner::Genuine, 2, 2),
            ("zerohash/payment.settled.json", Manner::Genuine, 1, 2),
        ],
    },
    Chapter {
        title: "Striga: one id for a withdrawal, its fee and a refund",
        in_order: false,
        steps: &[
            ("striga/deposit.pending.json", Manner::Genuine, 1, 1),
            ("striga/deposit.confirmed.json", Manner::Genuine, 1, 1),
            ("striga/withdrawal.initiated.json", Manner::Genuine, 1, 1),
            ("striga/network_fee.json", Manner::Genuine, 1, 2),
            ("striga/withdrawal.confirmed.json", Manner::Genuine, 1, 1),
            ("striga/withdrawal.failed.json", Manner::Genuine, 1, 1),
            ("striga/fee_refund.json", Manner::Genuine, 1, 2),
        ],
    },
    Chapter {
        title: "Who has which account, and what is in it",
        in_order: false,
        steps: &[
            ("zerohash/participant.approved.json", Manner::Genuine, 1, 1),
            ("zerohash/balance.changed.milliseconds.json", Manner::Genuine, 1, 1),
        ],
    },
    Chapter {
        title: "Signed, and not understood: never lost",
        in_order: false,
        steps: &[
            ("connect/odd/not_json.txt", Manner::Genuine, 2, 1),
            ("striga/odd/sepa_payin.json", Manner::Genuine, 1, 1),
        ],
    },
    Chapter {
        title: "Not the provider: never let in",
        in_order: false,
        steps: &[
            ("connect/deposits.confirmed.json", Manner::Forged, 1, 0),
            ("connect/deposits.confirmed.json", Manner::Stale, 1, 0),
            ("zerohash/fund.success.json", Manner::Tampered, 1, 0),
            ("striga/deposit.confirmed.json", Manner::Unsigned, 1, 0),
        ],
    },
];

/// The states that the script must end in.
const OUTCOME: &[(&str, &str)] = &[
    ("deposit#connect#6e735627-f8d1-49ae-93cc-3b7923519c56", "confirmed"),
    ("deposit#connect#ddcfa16a-ac95-473b-bdc3-2b3cf06ed9c5", "confirmed"),
    ("withdrawal#connect#f2d4a13e-8a52-45e3-9825-b0b18c9a8233", "confirmed"),
    ("deposit#zerohash#8fadaae0-8896-4ef9-8d33-6fb82a020c2b", "confirmed"),
    ("deposit#zerohash#363b5b15-02bd-4797-892f-8baa4eec60d9", "confirmed"),
    ("recovery#zerohash#CUST01:USDC:base", "resolved"),
    ("deposit#striga#deaabb1b-50ec-4f2c-b30b-889d03826b64", "confirmed"),
    ("withdrawal#striga#d646143f-85af-4197-88ac-a84e46002205", "confirmed"),
    ("fee#striga#d646143f-85af-4197-88ac-a84e46002205:network", "charged"),
    ("withdrawal#striga#ee9e8733-3e1a-4ced-9bb3-7600b64d2a69", "failed"),
    ("fee#striga#ee9e8733-3e1a-4ced-9bb3-7600b64d2a69:network", "refunded"),
    ("participant#zerohash#CUST01", "approved"),
];

/// The deposits of the one coin that two feeds tell of.
const SAME_COIN: [&str; 2] =
    ["deposit#zerohash#363b5b15-02bd-4797-892f-8baa4eec60d9", "deposit#connect#cf59f58d-8aea-4cbb-9e0c-8ed327e381ab"];

/// How long the events may take, on a busy machine; and how long to listen for some too many.
const EVENTS_WITHIN: Duration = Duration::from_secs(90);
const SILENCE: Duration = Duration::from_secs(2);

/// What was sent, by what was answered.
#[derive(Default)]
struct Sent {
    accepted: u32,
    refused: u32,
    /// The files among the accepted.
    files: BTreeSet<&'static str>,
    /// How many events they give rise to.
    events: usize,
    unexpected_answers: u32,
}

pub(crate) async fn run(_: Arguments) -> Ending {
    let started = Instant::now();
    let events = Workspace::find()?.root().join("events");
    let session = Session::start(CargoOutput::Shown, &progress).await?;
    progress("Deploying infra/template.yaml to the emulator");
    let platform = session.platform(Account::default(), &[]).await?;
    let target = Target::of(&platform.deployment)?;
    let subscription = Arc::new(Subscription::open(&target.aws, target.output("TopicArn")?).await?);
    progress(&format!("Ready after {} s", started.elapsed().as_secs()));

    let deliveries: Arc<Mutex<Vec<Delivery>>> = Arc::default();
    let listener = tokio::spawn(listen(Arc::clone(&subscription), Arc::clone(&deliveries)));
    let mut sent = Sent::default();
    for chapter in SCRIPT {
        println!("\n{}", chapter.title);
        for step in chapter.steps {
            send_step(&platform, &events, step, &mut sent).await?;
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

async fn send_step(
    platform: &Platform,
    events: &Path,
    (file, manner, times, gives_rise_to): &Step,
    sent: &mut Sent,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let path = events.join(file);
    let webhook = Webhook::new(Webhook::feed_of(&path), read(&path)?);
    for _ in 0..*times {
        let answer = send(&platform.deployment, &platform.sandbox, &webhook, *manner, fundhook_runtime::now()).await?;
        let manner_told = if *manner == Manner::Genuine { String::new() } else { format!(" ({manner:?})") };
        println!("  → {}  {file}{}  {}", answer.status, manner_told.to_lowercase(), answer.body);
        let expected: &[u16] = if *manner == Manner::Genuine { &[200] } else { &[400, 401] };
        sent.unexpected_answers += u32::from(!expected.contains(&answer.status));
        if answer.status == 200 {
            sent.accepted += 1;
            sent.events += if sent.files.insert(file) { *gives_rise_to } else { 0 };
        } else {
            sent.refused += 1;
        }
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
    let checks = [
        ("every answer is the one that was to be expected", sent.unexpected_answers == 0),
        ("each statement of a provider became one event, and nothing else did", published == sent.events),
        ("the coin that two feeds told of may be credited once", credits == 1),
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
