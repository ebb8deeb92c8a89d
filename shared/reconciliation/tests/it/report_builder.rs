//! A report is built page by page, and counts each row, deposit and receipt once.

use fundhook_domain::{ListId, ListKind, ListedAt, Provider, Resource, Statement, WebhookFamily, events_after};
use fundhook_reconciliation::{ClosedWindow, Discrepancy, Receipt, Report, ReportBuilder, is_listed_by, receipt_of};

use crate::deposits::{id, recorded, recorded_as, row, sent};
use crate::support::{at, unrecognized, with};

const ONE: &str = "deposit#connect#1";

fn builder() -> ReportBuilder {
    ReportBuilder::new(ClosedWindow { from: at(0), before: at(3600) })
}

fn finish(builder: ReportBuilder) -> Report {
    builder.finish(&ListId::new(&Provider::Connect.into(), ListKind::ConnectTransactions), at(9000))
}

fn receipts(resource: &Resource) -> Vec<Receipt> {
    events_after(resource, 0).iter().filter_map(|event| receipt_of(event, at(60))).collect()
}

#[test]
fn only_rows_that_are_dated_in_the_window_are_admitted() {
    let row = row(ONE, "confirmed", 40);
    for (dated, is_admitted) in [
        (ListedAt::At(at(0)), true),
        (ListedAt::At(at(3599)), true),
        (ListedAt::At(at(3600)), false),
        (ListedAt::AsRequested, true),
        (ListedAt::Missing, false),
    ] {
        assert_eq!(builder().admits(&row, dated), is_admitted, "dated {dated:?}");
    }
}

#[test]
fn a_row_without_a_date_or_a_meaning_is_noted_once_and_only_in_its_window() {
    let (undated, odd) = (row(ONE, "confirmed", 40), unrecognized());
    let mut report = builder();
    for (row, dated) in [
        (&undated, ListedAt::Missing),
        (&undated, ListedAt::Missing),
        (&odd, ListedAt::At(at(10))),
        (&odd, ListedAt::At(at(10))),
        (&odd, ListedAt::At(at(4000))),
    ] {
        report.admits(row, dated);
    }
    let report = finish(report);
    assert_eq!((report.not_understood, report.discrepancies.len(), report.differences()), (2, 2, 2));
    assert_eq!(report.discrepancies[0], "deposit#connect#1 is listed and not understood, and in no total");

    let mut elsewhere = builder();
    elsewhere.admits(&odd, ListedAt::At(at(4000)));
    assert_eq!(finish(elsewhere).not_understood, 0, "it belongs to another window");
}

#[test]
fn a_deposit_that_is_listed_on_two_pages_counts_once() {
    let deposit = recorded_as(ONE, "confirmed");
    let noted = receipts(&deposit);
    let (held, confirmed) = (row(ONE, "held", 30), row(ONE, "confirmed", 40));
    let mut report = builder();
    for page in [&held, &confirmed, &confirmed] {
        let dated = ListedAt::At(at(40));
        let rows: Vec<Statement> = if report.admits(page, dated) { vec![page.clone()] } else { Vec::new() };
        let recorded = report.uncounted(vec![deposit.clone()]);
        report.count(&recorded, &rows, &noted, at(86_400));
    }
    assert_eq!(report.uncounted_ids(vec![id(ONE), id("deposit#connect#2")]), [id("deposit#connect#2")]);
    let report = finish(report);
    assert_eq!(report.differences(), 0, "{report:?}");
    let line = &report.lines[0];
    assert_eq!([&line.provider, &line.ours, &line.published].map(|total| total.count), [1, 1, 1]);
    assert_eq!((report.from, report.before, report.made_at), (at(0), at(3600), at(9000)));
}

#[test]
fn a_report_has_at_most_five_hundred_sentences() {
    let mut report = builder();
    let many: Vec<Discrepancy> =
        (0..300).map(|nth| Discrepancy::UnknownToTheProvider { ours: id(&format!("deposit#connect#{nth}")) }).collect();
    report.add_discrepancies(&many);
    report.add_discrepancies(&many);
    assert_eq!(finish(report).discrepancies.len(), 500);
}

#[test]
fn deposits_that_zerohash_reports_under_its_own_ids_are_not_on_connects_list() {
    let reported_as = |family| {
        recorded(&[with(sent("deposit#zerohash#1", "confirmed", 40), |details| {
            details.family = Some(family);
        })])
    };
    for (family, is_counted) in [
        (WebhookFamily::ZerohashFund, true),
        (WebhookFamily::ConnectDeposits, true),
        (WebhookFamily::ZerohashDepositStatus, false),
    ] {
        assert_eq!(is_listed_by(ListKind::ConnectTransactions, &reported_as(family)), is_counted, "{family}");
    }
}
