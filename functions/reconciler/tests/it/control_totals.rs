//! Hourly control totals per asset: what the provider lists, what is recorded, and what was published.

use std::collections::BTreeMap;

use fundhook_domain::{Provider, Timestamp};
use fundhook_ports::ListQuery;
use fundhook_ports::fakes::{ApiRow, Reply};
use fundhook_reconciliation::{ControlTotalsLine, DayReports, Flow, Report, Total};
use serde_json::{Value, json};

use crate::support::deposit::{ETH, TestDeposit, USDC, deposit};
use crate::support::{NOON, World, at, days, feed, hours, minutes, rows_twice, transactions};

/// The number of deposits and their sum: as listed, as recorded, as published.
type ThreeTotals<'a> = [(u64, &'a str); 3];

fn total((count, total): (u64, &str)) -> Total {
    Total { count, total: total.parse().expect("a decimal") }
}

fn line(asset: &str, [provider, ours, published]: ThreeTotals<'_>) -> ControlTotalsLine {
    let [provider, ours, published] = [provider, ours, published].map(total);
    let (asset, flow, posted) = (asset.to_owned(), Flow::In, published.clone());
    let (on_its_way, opening) = (Total::default(), Total::default());
    ControlTotalsLine { asset, flow, provider, ours, published, posted, on_its_way, opening }
}

/// The same total for all three.
fn all(total: (u64, &str)) -> ThreeTotals<'_> {
    [total; 3]
}

/// 14:00 of the first day, in an hour that a world which began at noon totals.
fn two_o_clock() -> Timestamp {
    at("2025-10-07T14:00:00Z")
}

/// A world at 14:00, in which the lists have been read before.
async fn world_at_two() -> World {
    let world = World::of(&["connect", "connect/acme"]);
    world.reconcile().await;
    world.clock.set(two_o_clock());
    world
}

/// Confirms `deposit` by its webhook and in the list.
fn confirm_and_list(world: &World, deposit: &TestDeposit) {
    world.receive(deposit.webhook("confirmed", deposit.at));
    world.list(deposit, true);
}

/// The stored report about the hour that begins at `from`.
fn stored(world: &World, name: &str, from: Timestamp) -> Option<Report> {
    world.table.contents.now().reports.get(&(transactions(name), from)).cloned()
}

/// Lets the hour from 14:00 to 15:00 be totalled, and returns its report.
async fn hour_report(world: &World) -> Report {
    world.clock.set(at("2025-10-07T16:15:00Z"));
    world.run_for(minutes(45)).await;
    stored(world, "connect", two_o_clock()).expect("the hour has settled")
}

/// The totals of each asset over all hours of an organization.
fn totals(world: &World, name: &str) -> BTreeMap<String, ControlTotalsLine> {
    let mut totals: BTreeMap<String, ControlTotalsLine> = BTreeMap::new();
    let contents = world.table.contents.now();
    for line in contents.reports.values().filter(|report| report.feed == feed(name)).flat_map(|report| &report.lines) {
        match totals.get_mut(&line.asset) {
            Some(known) => known.add(line),
            None => drop(totals.insert(line.asset.clone(), line.clone())),
        }
    }
    totals
}

#[tokio::test]
async fn hourly_totals_are_equal_per_asset_to_the_last_digit() {
    let world = world_at_two().await;
    let at = |minute| two_o_clock().plus(minutes(minute));
    confirm_and_list(&world, &deposit("a", at(1)).worth("0.1", USDC));
    confirm_and_list(&world, &deposit("b", at(2)).worth("0.2", USDC));
    confirm_and_list(&world, &deposit("c", at(3)).worth("0.000000000000000001", ETH));
    confirm_and_list(&world, &deposit("d", at(4)).worth("119078888888888888887", ETH));
    confirm_and_list(&world, &deposit("e", at(5)).worth("7", USDC).of("connect/acme"));
    let report = hour_report(&world).await;
    let expected = [line("ETH", all((2, "119078888888888888887.000000000000000001"))), line("USDC", all((2, "0.3")))];
    assert_eq!((report.lines.as_slice(), report.discrepancies.len()), (expected.as_slice(), 0));
    let acme = stored(&world, "connect/acme", two_o_clock()).expect("each organization has its own");
    assert_eq!(acme.lines, [line("USDC", all((1, "7")))]);
}

#[tokio::test]
async fn an_hour_without_deposits_has_an_empty_report() {
    let report = hour_report(&world_at_two().await).await;
    assert_eq!((report.lines.len(), report.discrepancies.len()), (0, 0));
    assert_eq!((report.from, report.before), (two_o_clock(), two_o_clock().plus(hours(1))));
}

#[tokio::test]
async fn every_kind_of_difference_shows_in_the_report() {
    /// What goes wrong with a deposit of 5 next to one of 1, and what the report then contains.
    struct Case {
        name: &'static str,
        wrong: fn(&World, &TestDeposit),
        line: ThreeTotals<'static>,
        sentence: &'static str,
    }
    let cases = [
        Case {
            name: "recorded, and not listed",
            wrong: |world, deposit| world.receive(deposit.webhook("confirmed", deposit.at)),
            line: [(1, "1"), (2, "6"), (2, "6")],
            sentence: "recorded as confirmed and not listed",
        },
        Case {
            name: "listed with another amount",
            wrong: |world, deposit| {
                confirm_and_list(world, deposit);
                world.list(&deposit.clone().worth("4.99", USDC), true);
            },
            line: [(2, "5.99"), (2, "6"), (2, "6")],
            sentence: "differs in: amount",
        },
        Case {
            name: "listed as not converted",
            wrong: |world, deposit| {
                confirm_and_list(world, deposit);
                let reason_code = Some("AMOUNT_BELOW_MINIMUM");
                world.list(&TestDeposit { reason_code, ..deposit.clone() }, false);
            },
            line: [(1, "1"), (2, "6"), (2, "6")],
            sentence: "differs in: status",
        },
        Case {
            name: "still listed as waiting",
            wrong: |world, deposit| {
                confirm_and_list(world, deposit);
                world.list(deposit, false);
            },
            line: [(1, "1"), (2, "6"), (2, "6")],
            sentence: "",
        },
        Case {
            name: "not published",
            wrong: |world, deposit| {
                confirm_and_list(world, deposit);
                world.table.receipts.now().stored.remove(&deposit.resource());
            },
            line: [(2, "6"), (2, "6"), (1, "1")],
            sentence: "is recorded as in 5 USDC and was published as nothing",
        },
        Case {
            name: "published with another amount",
            wrong: |world, deposit| {
                confirm_and_list(world, deposit);
                let mut receipts = world.table.receipts.now();
                let receipt = receipts.stored.get_mut(&deposit.resource()).expect("published");
                receipt.moved[0].value = "50".parse().expect("a decimal");
                receipt.posted = receipt.moved.clone();
            },
            line: [(2, "6"), (2, "6"), (2, "51")],
            sentence: "is recorded as in 5 USDC and was published as in 50 USDC",
        },
        Case {
            name: "failed by webhook, listed as succeeded",
            wrong: |world, deposit| {
                world.receive(deposit.webhook("failed", deposit.at));
                world.list(deposit, true);
            },
            line: [(2, "6"), (1, "1"), (1, "1")],
            sentence: "",
        },
    ];
    for Case { name, wrong, line: expected, sentence } in cases {
        let world = world_at_two().await;
        confirm_and_list(&world, &deposit("right", two_o_clock().plus(minutes(1))).worth("1", USDC));
        wrong(&world, &deposit("wrong", two_o_clock().plus(minutes(2))).worth("5", USDC));
        let report = hour_report(&world).await;
        assert_eq!(report.lines, [line("USDC", expected)], "{name}");
        assert!(!report.lines[0].holds(), "{name}");
        let sentences = report.discrepancies.join("\n");
        assert!(sentences.contains(sentence), "{name}: {sentences}");
        assert_eq!(report.discrepancies.len(), usize::from(!sentence.is_empty()), "{name}: {sentences}");
    }
}

#[tokio::test]
async fn a_deposit_that_is_listed_after_its_window_was_read_is_queued_when_its_hour_is_totalled() {
    let world = world_at_two().await;
    let late = deposit("late", two_o_clock().plus(minutes(5)));
    world.run_for(minutes(90)).await;
    // Its window has been read.
    world.list(&late, true);
    world.run_for(hours(2)).await;
    assert_eq!(world.status(&late), "confirmed");
    let report = stored(&world, "connect", two_o_clock()).expect("the hour has settled");
    assert_eq!((report.lines, report.discrepancies), (vec![line("USDC", all((1, "100.5")))], vec![]));
}

#[tokio::test]
async fn a_deposit_that_is_never_recorded_is_reported_after_some_hours_and_does_not_block_later_hours() {
    let world = world_at_two().await;
    world.list(&deposit("refused", two_o_clock().plus(minutes(5))), true);
    for _ in 0..60 {
        world.clock.pass(minutes(15));
        world.run().await.expect("a run");
        // The queue loses the row each time.
        world.ingress.now().sent.clear();
    }
    let report = stored(&world, "connect", two_o_clock()).expect("the report is made after some hours");
    assert_eq!(report.lines, [line("USDC", [(1, "100.5"), (0, "0"), (0, "0")])]);
    assert_eq!(report.discrepancies, ["deposit#connect#refused is listed as confirmed and not recorded"]);
    assert!(stored(&world, "connect", two_o_clock().plus(hours(8))).is_some(), "later hours are totalled");
}

#[tokio::test]
async fn a_deposit_with_dates_on_both_sides_of_an_hour_or_of_midnight_counts_once() {
    for end in ["2025-10-07T15:00:00Z", "2025-10-08T00:00:00Z"] {
        for listed_first in [true, false] {
            let (world, end) = (world_at_two().await, at(end));
            let (before, after) = (end.minus(minutes(2)), end.plus(minutes(2)));
            let (listed, confirmed) = if listed_first { (before, after) } else { (after, before) };
            let some = deposit("some", listed.min(confirmed));
            world.clock.set(end);
            world.receive(some.webhook("confirmed", confirmed));
            world.list(&some.clone().arriving(listed), true);
            world.run_for(hours(4)).await;
            let totals = totals(&world, "connect");
            assert_eq!(totals.get("USDC"), Some(&line("USDC", all((1, "100.5")))), "{end} {listed_first}");
            let contents = world.table.contents.now();
            assert!(contents.reports.values().all(|report| report.discrepancies.is_empty()));
        }
    }
}

#[tokio::test]
async fn a_coin_that_two_feeds_report_counts_once() {
    for rows_are in [Provider::Connect, Provider::Zerohash] {
        for connect_first in [true, false] {
            for same_id in [true, false] {
                let mut world = world_at_two().await;
                world.settings.rows_are = rows_are;
                world.crediting(if rows_are == Provider::Connect { "connect" } else { "fund" });
                let of_connect = deposit("one", two_o_clock().plus(minutes(3)));
                let of_zerohash = of_connect.clone().with_id(if same_id { "one" } else { "other" }).of("zerohash");
                let mut webhooks = [&of_connect, &of_zerohash];
                if !connect_first {
                    webhooks.reverse();
                }
                webhooks.iter().for_each(|deposit| world.receive(deposit.webhook("confirmed", deposit.at)));
                world.list(if rows_are == Provider::Connect { &of_connect } else { &of_zerohash }, true);
                let report = hour_report(&world).await;
                let case = format!("{rows_are} {connect_first} {same_id}: {:?}", report.discrepancies);
                assert_eq!(report.lines, [line("USDC", all((1, "100.5")))], "{case}");
                assert!(report.discrepancies.is_empty(), "{case}");
            }
        }
    }
}

#[tokio::test]
async fn a_coin_that_was_published_under_both_feeds_is_a_difference() {
    let mut world = world_at_two().await;
    world.crediting("connect");
    let of_connect = deposit("one", two_o_clock().plus(minutes(3)));
    let of_zerohash = of_connect.clone().of("zerohash");
    confirm_and_list(&world, &of_connect);
    world.receive(of_zerohash.webhook("confirmed", of_zerohash.at));
    {
        // The publisher of this version never does this.
        let mut receipts = world.table.receipts.now();
        let mut receipt = receipts.stored[&of_connect.resource()].clone();
        receipt.resource = of_zerohash.resource();
        receipts.stored.insert(receipt.resource.clone(), receipt);
    }
    let report = hour_report(&world).await;
    assert_eq!(report.lines, [line("USDC", [(1, "100.5"), (1, "100.5"), (2, "201")])]);
}

#[tokio::test]
async fn a_row_that_is_seen_on_two_pages_or_twice_on_one_counts_once() {
    for replies in [vec![Reply::Changed(rows_twice); 8], vec![]] {
        let world = world_at_two().await;
        world.provider.now().page_size = 2;
        for nth in 0..5 {
            confirm_and_list(&world, &deposit(&format!("m-{nth}"), two_o_clock().plus(minutes(nth))).worth("1", USDC));
        }
        world.clock.set(at("2025-10-07T16:45:00Z"));
        world.reconcile().await;
        world.clock.pass(minutes(15));
        world.provider.set_replies(replies);
        // A row is listed before the others of the hour after the first page was read.
        world.reconcile().await;
        let late = deposit("m-late", two_o_clock().plus(minutes(59))).worth("1", USDC);
        world.receive(late.webhook("confirmed", late.at));
        world.provider.set_replies([Reply::Honest, Reply::AfterListing(vec![late.row(true)])]);
        let DayReports { reports, .. } = world.reports_of(at("2025-10-07T00:00:00Z")).await;
        let of_connect =
            reports.into_iter().find(|report| report.feed == feed("connect")).expect("the report of its feed");
        // The late row was not on the page that was read. It is listed by its id, so it counts on neither side.
        assert_eq!(of_connect.lines, [line("USDC", all((5, "5")))], "{:?}", of_connect.discrepancies);
        let report = stored(&world, "connect", two_o_clock()).expect("the hour has settled");
        assert_eq!(report.lines, [line("USDC", all((5, "5")))]);
    }
}

#[tokio::test]
async fn of_several_rows_about_one_deposit_on_several_pages_the_one_that_succeeded_counts() {
    for oldest_first in [true, false] {
        let world = world_at_two().await;
        {
            let mut list = world.provider.now();
            (list.page_size, list.oldest_first) = (1, oldest_first);
        }
        let some = deposit("some", two_o_clock().plus(minutes(3)));
        world.receive(some.webhook("confirmed", some.at.plus(minutes(5))));
        let rows = [some.row(false), some.clone().arriving(some.at.plus(minutes(5))).row(true)];
        world.provider.now().rows.insert(transactions("connect"), rows.into_iter().collect());
        let report = hour_report(&world).await;
        assert_eq!(report.lines, [line("USDC", all((1, "100.5")))], "oldest first: {oldest_first}");
    }
}

#[tokio::test]
async fn an_hour_is_totalled_once_and_not_before_it_has_settled() {
    let world = world_at_two().await;
    confirm_and_list(&world, &deposit("some", two_o_clock().plus(minutes(59))));
    while world.clock.now() < at("2025-10-07T16:15:00Z") {
        world.clock.pass(minutes(15));
        world.reconcile().await;
        assert_eq!(stored(&world, "connect", two_o_clock()), None, "at {}", world.clock.now());
    }
    world.run_for(hours(3)).await;
    let contents = world.table.contents.now();
    assert_eq!(contents.puts, contents.reports.len(), "no report is made twice");
    let report = &contents.reports[&(transactions("connect"), two_o_clock())];
    assert!(report.made_at >= at("2025-10-07T16:15:00Z"), "one hour, the grace and one run after its end");
    assert!(report.lines[0].holds());
}

#[tokio::test]
async fn a_report_on_request_stores_and_queues_nothing() {
    let world = world_at_two().await;
    confirm_and_list(&world, &deposit("some", two_o_clock().plus(minutes(1))).worth("1", USDC));
    confirm_and_list(&world, &deposit("of-acme", two_o_clock().plus(minutes(1))).of("connect/acme").worth("2", USDC));
    world.list(&deposit("missing", two_o_clock().plus(minutes(2))).worth("3", USDC), true);
    world.clock.pass(hours(5));
    let before = world.table.contents.now().watermarks.clone();
    let DayReports { reports, complete } = world.reports_of(at("2025-10-07T00:00:00Z")).await;
    assert!(complete);
    let lines: BTreeMap<String, Vec<ControlTotalsLine>> =
        reports.into_iter().map(|report| (report.feed.to_string(), report.lines)).collect();
    assert_eq!(lines["connect"], [line("USDC", [(2, "4"), (1, "1"), (1, "1")])]);
    assert_eq!(lines["connect/acme"], [line("USDC", all((1, "2")))]);
    let contents = world.table.contents.now();
    assert_eq!((contents.puts, &contents.watermarks), (0, &before));
    assert!(world.ingress.now().sent.is_empty());
}

#[tokio::test]
async fn the_reports_of_a_day_are_the_sum_of_its_hours() {
    let world = world_at_two().await;
    for hour in 0..8 {
        world.clock.set(two_o_clock().plus(hours(hour)));
        confirm_and_list(&world, &deposit(&format!("m-{hour}"), world.clock.now().plus(minutes(1))).worth("0.7", USDC));
        world.reconcile().await;
    }
    world.clock.set(at(NOON).plus(hours(12)));
    world.run_for(hours(3)).await;
    assert_eq!(totals(&world, "connect")["USDC"], line("USDC", all((8, "5.6"))));
}

#[tokio::test]
async fn a_coin_that_was_credited_under_both_feeds_is_reported_although_the_totals_are_equal() {
    for (name, other_at, is_reported) in [
        ("in the same hour", two_o_clock().plus(minutes(20)), true),
        ("in the hour before", two_o_clock().minus(minutes(20)), true),
        ("on another day", two_o_clock().minus(hours(30)), false),
    ] {
        let mut world = world_at_two().await;
        world.settings.feeds.insert(feed("zerohash"));
        let listed = deposit("listed", two_o_clock().plus(minutes(10)));
        confirm_and_list(&world, &listed);
        let other =
            TestDeposit { hash: String::new(), ..listed.clone() }.with_id("fund").of("zerohash").arriving(other_at);
        world.receive(other.webhook("confirmed", other.at));
        let report = hour_report(&world).await;
        assert_eq!(report.lines, [line("USDC", all((1, "100.5")))], "{name}");
        let sentence = "deposit#connect#listed and deposit#zerohash#fund are both credited and may be the same coin";
        assert_eq!(report.discrepancies.iter().any(|it| it == sentence), is_reported, "{name}");
    }
}

#[tokio::test]
async fn a_coin_that_both_feeds_identify_is_one_credit_and_not_reported() {
    let mut world = world_at_two().await;
    world.crediting("connect");
    world.settings.feeds.insert(feed("zerohash"));
    let listed = deposit("listed", two_o_clock().plus(minutes(10)));
    confirm_and_list(&world, &listed);
    let other = listed.clone().with_id("fund").of("zerohash");
    world.receive(other.webhook("confirmed", other.at));
    let report = hour_report(&world).await;
    assert_eq!((report.lines, report.discrepancies.len()), (vec![line("USDC", all((1, "100.5")))], 0));
}

#[tokio::test]
async fn a_row_that_is_not_understood_is_reported_and_in_no_total() {
    let world = world_at_two().await;
    confirm_and_list(&world, &deposit("fine", two_o_clock().plus(minutes(1))));
    for (nth, (member, value)) in [("fund_id", json!({})), ("fund_id", json!(null))].into_iter().enumerate() {
        let odd = deposit(&format!("odd-{nth}"), two_o_clock().plus(minutes(2)));
        let mut row: Value = serde_json::from_str(&odd.row(true).json).expect("JSON");
        row[member] = value;
        world.provider.list_row(&transactions("connect"), ApiRow { json: row.to_string(), ..odd.row(true) });
    }
    let report = hour_report(&world).await;
    assert_eq!(report.lines, [line("USDC", all((1, "100.5")))]);
    let reported =
        report.discrepancies.iter().filter(|it| it.ends_with("is listed and not understood, and in no total"));
    assert_eq!((report.not_understood, reported.count()), (2, 2), "{:?}", report.discrepancies);
}

#[tokio::test]
async fn a_deposit_that_is_listed_days_late_is_queued_and_counted_when_its_hour_is_revised() {
    let world = world_at_two().await;
    confirm_and_list(&world, &deposit("in-time", two_o_clock().plus(minutes(1))));
    let report = hour_report(&world).await;
    assert_eq!(report.lines, [line("USDC", all((1, "100.5")))]);

    // Neither a webhook nor the list has reported it by then.
    let late = deposit("late", two_o_clock().plus(minutes(2))).worth("7", USDC);
    world.clock.pass(days(1));
    world.reconcile().await;
    world.list(&late, true);
    world.run_for(hours(6)).await;
    assert_eq!(world.status(&late), "-", "its window of the list has been read");
    world.clock.set(two_o_clock().plus(days(3)));
    world.run_for(hours(3)).await;
    assert_eq!(world.status(&late), "confirmed");
    let report = stored(&world, "connect", two_o_clock()).expect("it replaces the first report");
    assert_eq!(report.lines, [line("USDC", all((2, "107.5")))]);
    let revised = world.watermark("connect").revised_until.expect("hours are revised");
    assert!(revised > two_o_clock(), "{revised}");
    assert!(world.watermark("connect").totals_until > revised);
}

#[tokio::test]
async fn many_deposits_of_the_hour_before_cost_no_request_each() {
    let world = world_at_two().await;
    for nth in 0..60 {
        let deposit = deposit(&format!("deposit-{nth:02}"), two_o_clock().minus(minutes(10)));
        world.receive(deposit.webhook("confirmed", two_o_clock().plus(minutes(10))));
        world.list(&deposit, true);
    }
    world.clock.set(at("2025-10-07T16:15:00Z"));
    world.reconcile().await;
    world.provider.take_calls();
    world.run_for(minutes(45)).await;
    let calls = world.provider.take_calls();
    let one_by_one = calls.iter().filter(|call| matches!(call.query, ListQuery::Id(_))).count();
    assert_eq!(one_by_one, 0, "{} calls", calls.len());
    let report = stored(&world, "connect", two_o_clock()).expect("the hour has settled");
    assert_eq!((report.lines.len(), report.discrepancies.len()), (0, 0), "they count in the hour before");
    let before = stored(&world, "connect", two_o_clock().minus(hours(1))).expect("the hour has settled");
    assert_eq!(before.lines, [line("USDC", all((60, "6030.0")))]);
}

#[tokio::test]
async fn a_deposit_about_which_requests_fail_delays_its_hour_for_some_hours_only() {
    let world = world_at_two().await;
    let unlisted = deposit("unlisted", two_o_clock().plus(minutes(1)));
    world.receive(unlisted.webhook("confirmed", unlisted.at));
    world.provider.now().unanswered_ids.insert(unlisted.id.clone());
    world.clock.set(at("2025-10-07T16:15:00Z"));
    world.reconcile().await;
    for _ in 0..12 {
        world.clock.pass(minutes(15));
        assert!(world.run().await.is_err());
    }
    assert!(stored(&world, "connect", two_o_clock()).is_none());
    world.clock.set(two_o_clock().plus(hours(8)));
    for _ in 0..3 {
        world.clock.pass(minutes(15));
        let _ended = world.run().await;
    }
    let report = stored(&world, "connect", two_o_clock()).expect("the hour waits no longer");
    assert_eq!(report.discrepancies, ["deposit#connect#unlisted is recorded as confirmed and not listed"]);
}
