//! A day's report from the reports of its hours, and what needs review.

use fundhook::report::{hours_without_report, is_balanced, report_lines, together};
use fundhook_domain::{ListKind, Provider, Timestamp};
use fundhook_reconciliation::Report;
use fundhook_reconciliation::{ControlTotalsLine, Flow, Total};

const DAY: &str = "2026-11-21T00:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().expect("RFC 3339")
}

/// The total of deposits of 5 each.
fn total(count: u64) -> Total {
    Total { count, total: (count * 5).to_string().parse().expect("decimal") }
}

fn line(asset: &str, [provider, ours, published]: [u64; 3]) -> ControlTotalsLine {
    ControlTotalsLine {
        asset: asset.to_owned(),
        flow: Flow::In,
        provider: total(provider),
        ours: total(ours),
        published: total(published),
        posted: total(published),
        on_its_way: Total::default(),
        opening: Total::default(),
    }
}

fn report(hour: u32, lines: Vec<ControlTotalsLine>) -> Report {
    let begins = |hour: u32| at(DAY).plus(std::time::Duration::from_secs(3600) * hour);
    Report {
        feed: Provider::Connect.into(),
        list: ListKind::ConnectTransactions,
        from: begins(hour),
        before: begins(hour + 1),
        made_at: begins(hour + 3),
        lines,
        discrepancies: Vec::new(),
        not_understood: 0,
    }
}

#[test]
fn every_discrepancy_is_marked_and_needs_review() {
    let even = || report(9, vec![line("USDC", [2, 2, 2])]);
    let sentence = "deposit#connect#1 is recorded as confirmed and not listed".to_owned();
    for (what, report, marked) in [
        ("nothing", report(9, Vec::new()), None),
        ("equal totals", even(), None),
        ("a deposit that was not published", report(9, vec![line("USDC", [2, 2, 1])]), Some("USDC")),
        ("a discrepancy", Report { discrepancies: vec![sentence.clone()], ..even() }, Some(sentence.as_str())),
        ("a row that was not understood", Report { not_understood: 3, ..even() }, Some("are in no total: 3")),
    ] {
        let lines = report_lines(&report);
        let bad: Vec<&String> = lines.iter().filter(|line| line.contains('✗')).collect();
        assert_eq!(is_balanced(&report), marked.is_none(), "{what}");
        assert_eq!(bad.len(), usize::from(marked.is_some()), "{what}: {lines:?}");
        assert!(bad.iter().all(|line| marked.is_some_and(|marked| line.contains(marked))), "{what}: {lines:?}");
    }
}

#[test]
fn the_reports_of_a_days_hours_are_added_to_one_report() {
    assert_eq!(together(&[]), None);
    let morning = Report {
        discrepancies: vec!["one".to_owned()],
        not_understood: 1,
        ..report(9, vec![line("USDT", [1, 1, 1]), line("BTC", [1, 1, 0])])
    };
    let evening =
        Report { discrepancies: vec!["two".to_owned()], not_understood: 2, ..report(21, vec![line("BTC", [2, 1, 2])]) };
    let day = together(&[morning, evening]).expect("a report of two hours");
    assert_eq!((day.from, day.before), (at("2026-11-21T09:00:00Z"), at("2026-11-21T22:00:00Z")));
    assert_eq!(day.lines, [line("BTC", [3, 2, 2]), line("USDT", [1, 1, 1])]);
    assert_eq!((day.discrepancies, day.not_understood), (vec!["one".to_owned(), "two".to_owned()], 3));
}

#[test]
fn the_hours_without_a_report_are_missing_twelve_hours_after_the_days_end() {
    let day = at(DAY);
    let of = |hours: &[u32]| -> Vec<Report> { hours.iter().map(|hour| report(*hour, Vec::new())).collect() };
    let all: Vec<u32> = (0..24).collect();
    let some: Vec<u32> = (3..24).filter(|hour| ![13, 14, 20].contains(hour)).collect();
    let stretches = [("00", "03"), ("13", "15"), ("20", "21")]
        .map(|(from, before)| [from, before].map(|hour| at(&format!("2026-11-21T{hour}:00:00Z"))).into());
    for (now, hours, lacks) in [
        ("2026-11-21T18:00:00Z", &some, &[][..]),
        ("2026-11-22T12:00:00Z", &some, &[]),
        ("2026-11-22T12:00:01Z", &some, &stretches),
        ("2026-11-22T12:00:01Z", &all, &[]),
        ("2026-11-22T12:00:01Z", &vec![], &[(day, at("2026-11-22T00:00:00Z"))]),
    ] {
        assert_eq!(hours_without_report(day, &of(hours), at(now)), lacks, "{now} {hours:?}");
    }
}
