//! zerohash's API is checked in each run: what is refused is told apart, logged once with its remedy, and emitted.

use std::time::Duration;

use fundhook_ports::chain;
use fundhook_ports::fakes::{ApiAccess, Clock, Fake, Refuses};
use fundhook_runtime::metrics::Metrics;
use refresher::{ApiCheck, CheckedApi};
use serde_json::{Value, json};

use crate::support::logs::logged;
use crate::support::{feed, minute};

const TOLERANCE: Duration = Duration::from_secs(60);

/// An API that accepts the calls of two organizations, and the check of it.
struct World {
    api: Fake<ApiAccess>,
    /// The clock of the function.
    clock: Clock,
    check: ApiCheck<Fake<ApiAccess>>,
    metrics: Metrics,
}

impl World {
    fn new() -> Self {
        let feeds = ["zerohash", "zerohash/acme"].map(feed);
        let api = Fake::new(ApiAccess::accepting(Clock::at(minute(0)), TOLERANCE, feeds));
        let metrics = Metrics::recorded(false);
        let check = ApiCheck::new(CheckedApi::Checked(api.clone()), metrics.clone());
        Self { api, clock: Clock::at(minute(0)), check, metrics }
    }

    /// The lines of one run, each from its level on.
    async fn run(&self) -> Vec<String> {
        let lines =
            logged(async { self.check.check(|| self.clock.now()).await.expect("the settings are valid") }).await;
        lines.lines().map(str::to_owned).collect()
    }

    /// The lines of the run that begins after this time.
    async fn run_after(&self, passed: Duration) -> Vec<String> {
        self.clock.pass(passed);
        self.api.now().clock.pass(passed);
        self.run().await
    }

    /// What the runs emitted: the worst value with its organization, and the numbers by reason.
    fn emitted(&self) -> Vec<Value> {
        let lines = self.metrics.lines().into_iter();
        lines.map(|line| json!([line["ProviderApiRefused"], line["feed"], line["reason"]])).collect()
    }
}

const MINUTE: Duration = Duration::from_secs(60);

#[track_caller]
fn assert_one_line(lines: &[String], level: &str, parts: &[&str]) {
    assert_eq!(lines.len(), 1, "{lines:#?}");
    for part in [level].iter().chain(parts) {
        assert!(lines[0].contains(part), "{part:?} is not in {}", lines[0]);
    }
}

#[tokio::test]
async fn an_api_that_accepts_everything_is_logged_once_and_emitted_in_each_run() {
    let world = World::new();
    let lines = world.run().await;
    assert_eq!(lines.len(), 3, "{lines:#?}");
    for (line, part) in
        lines.iter().zip(["accepts the address", "credentials of zerohash", "credentials of zerohash/acme"])
    {
        assert!(line.contains("INFO") && line.contains(part), "{line}");
    }
    assert_eq!(world.api.now().calls, ["clock", "feeds", "read zerohash", "read zerohash/acme"]);
    for _ in 0..70 {
        assert_eq!(world.run_after(MINUTE).await, Vec::<String>::new());
    }
    assert_eq!(world.emitted(), vec![json!([0, "zerohash", null]); 71]);
}

#[tokio::test]
async fn a_refused_address_is_logged_with_its_remedy_and_no_credentials_are_tried() {
    let world = World::new();
    world.api.now().on_clock = Some(Refuses::Address);
    let lines = world.run().await;
    assert_one_line(
        &lines,
        "ERROR",
        &["refuses the address", "Have zerohash list the static address", "SubnetIds", "403"],
    );
    assert_eq!(world.api.now().calls, ["clock"]);
    assert_eq!(world.emitted(), [json!([1, "zerohash", null]), json!([1, null, "address"])]);
}

#[tokio::test]
async fn a_refusal_is_logged_again_after_an_hour_and_its_end_at_once() {
    let world = World::new();
    world.api.now().on_clock = Some(Refuses::Address);
    world.run().await;
    for minutes in 1..150 {
        let lines = world.run_after(MINUTE).await;
        assert_eq!(lines.len(), usize::from(minutes % 60 == 0), "in minute {minutes}: {lines:#?}");
    }
    world.api.now().on_clock = None;
    let lines = world.run_after(MINUTE).await;
    assert!(lines[0].contains("INFO") && lines[0].contains("accepts the address"), "{lines:#?}");
    assert_eq!(world.emitted().last(), Some(&json!([0, "zerohash", null])));
}

#[tokio::test]
async fn the_refused_credentials_of_one_organization_are_told_apart() {
    let world = World::new();
    world.run().await;
    world.api.now().organizations.insert(feed("zerohash/acme"), Some(Refuses::Credentials));
    let lines = world.run_after(MINUTE).await;
    let parts = ["credentials of zerohash/acme", "ZerohashApiSecret", "not expired", "Invalid API key"];
    assert_one_line(&lines, "ERROR", &parts);
    let emitted = world.emitted();
    assert_eq!(emitted[1..], [json!([1, "zerohash/acme", null]), json!([1, null, "credentials"])]);

    world.api.now().organizations.insert(feed("zerohash/acme"), None);
    assert_one_line(&world.run_after(MINUTE).await, "INFO", &["accepts the credentials of zerohash/acme"]);
}

#[tokio::test]
async fn an_address_that_only_signed_calls_are_refused_from_is_an_address() {
    let world = World::new();
    world.run().await;
    world.api.now().organizations.insert(feed("zerohash"), Some(Refuses::Address));
    assert_one_line(&world.run_after(MINUTE).await, "ERROR", &["refuses the address"]);
    assert_eq!(world.emitted()[2], json!([1, null, "address"]));
}

#[tokio::test]
async fn a_wrong_clock_is_refused_in_either_direction_with_the_difference() {
    for (skew, provider, direction) in
        [(61, minute(0), "61000 ms ahead of"), (60, minute(0), ""), (59, minute(2), "61000 ms behind")]
    {
        let world = World::new();
        world.api.now().clock.set(provider);
        world.clock.pass(Duration::from_secs(skew));
        let lines = world.run().await;
        if direction.is_empty() {
            assert_eq!(lines.len(), 3, "{lines:#?}");
            continue;
        }
        assert_one_line(&lines, "ERROR", &["signed at the wrong time", direction, "at most 60 s"]);
        assert_eq!(world.emitted(), [json!([1, "zerohash", null]), json!([1, null, "clock"])]);
        assert_eq!(world.api.now().calls, ["clock"], "what is signed would be refused");
    }
}

#[tokio::test]
async fn an_empty_secret_is_about_the_credentials() {
    let world = World::new();
    world.run().await;
    world.api.now().on_feeds = Some(Refuses::Credentials);
    assert_one_line(&world.run_after(MINUTE).await, "ERROR", &["ZerohashApiSecret"]);
    assert_eq!(world.emitted()[2], json!([1, null, "credentials"]));
}

#[tokio::test]
async fn without_an_answer_nothing_is_emitted_so_that_the_alarm_rings() {
    for without in [
        (|api| api.on_clock = Some(Refuses::Nothing)) as fn(&mut ApiAccess),
        |api| api.on_feeds = Some(Refuses::Nothing),
        |api| api.organizations.values_mut().for_each(|reads| *reads = Some(Refuses::Nothing)),
        // That another organization's calls are accepted says nothing about this one's.
        |api| {
            api.organizations.insert(feed("zerohash/acme"), Some(Refuses::Nothing));
        },
    ] {
        let world = World::new();
        without(&mut world.api.now());
        let lines = world.run().await;
        let warning = lines.iter().find(|line| line.contains("WARN")).expect("one");
        assert!(warning.contains("NAT gateway") && warning.contains("no response within 5 s"), "{warning}");
        assert_eq!(world.emitted(), Vec::<Value>::new());
    }
}

#[tokio::test]
async fn what_was_logged_about_credentials_stays_while_the_address_is_refused() {
    let world = World::new();
    world.run().await;
    world.api.now().on_clock = Some(Refuses::Address);
    world.run_after(MINUTE).await;
    world.api.now().on_clock = None;
    assert_one_line(&world.run_after(MINUTE).await, "INFO", &["accepts the address"]);
}

#[tokio::test]
async fn an_api_that_is_not_used_is_not_called_and_invalid_settings_fail_each_run() {
    let metrics = Metrics::recorded(false);
    let unused = ApiCheck::new(CheckedApi::<Fake<ApiAccess>>::Unused, metrics.clone());
    unused.check(|| minute(0)).await.expect("nothing to do");
    let invalid =
        CheckedApi::of(Err::<Option<Fake<ApiAccess>>, Box<dyn std::error::Error + Send + Sync>>("no lists".into()));
    let invalid = ApiCheck::new(invalid, metrics.clone());
    for _ in 0..2 {
        let failed = invalid.check(|| minute(0)).await.expect_err("the settings are invalid");
        assert_eq!(chain(&failed), "zerohash's API is not used because its settings are invalid: no lists");
    }
    assert_eq!(metrics.lines(), Vec::<Value>::new());
}
