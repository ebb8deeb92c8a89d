//! A day's control totals, from the reports of its hours, as text.

use std::collections::BTreeSet;
use std::time::Duration;

use fundhook_domain::Timestamp;
use fundhook_reconciliation::Report;
use fundhook_reconciliation::{ControlTotalsLine, Total};

const HOUR: Duration = Duration::from_secs(3600);
const HOURS_OF_DAY: u32 = 24;

/// How long after the end of a day the reports of all its hours are due. An hour is usually reported after about 3 h, and
/// after up to 9 h if a webhook was missing. The alarm on `ControlTotalsLagSeconds` has the same limit.
const SETTLES_WITHIN: Duration = Duration::from_secs(12 * 3600);

/// A heading, a line for each asset, and a line marked ✗ for each discrepancy.
pub fn report_lines(report: &Report) -> Vec<String> {
    let heading =
        format!("{} from {} to {} (reported at {})", report.list_id(), report.from, report.before, report.made_at);
    let total = |total: &Total| format!("{} ({})", total.total, total.count);
    let asset = |line: &ControlTotalsLine| {
        let mark = if line.holds() { "✓" } else { "✗" };
        let if_any = |name: &str, some: &Total| match some.count {
            0 => String::new(),
            _ => format!("  {name} {}", total(some)),
        };
        let (on_its_way, opening) = (if_any("on its way", &line.on_its_way), if_any("opening balance", &line.opening));
        let name = format!("{} {}", line.flow, line.asset);
        let row = format!(
            "  {mark} {name:<16} provider {:<20} recorded {:<20} published {:<20} posted {:<20}{on_its_way}{opening}",
            total(&line.provider),
            total(&line.ours),
            total(&line.published),
            total(&line.posted)
        );
        row.trim_end().to_owned()
    };
    let nothing = report.lines.is_empty().then(|| "  nothing".to_owned());
    let discrepancies = report.discrepancies.iter().map(|sentence| format!("  ✗ {sentence}"));
    let not_understood = (report.not_understood > 0)
        .then(|| format!("  ✗ listed rows that were not understood and are in no total: {}", report.not_understood));
    let assets = report.lines.iter().map(asset);
    [heading].into_iter().chain(nothing).chain(assets).chain(discrepancies).chain(not_understood).collect()
}

/// Whether nothing needs review: the totals of each asset agree, no deposit differs, and every listed row was understood.
pub fn is_balanced(report: &Report) -> bool {
    report.lines.iter().all(ControlTotalsLine::holds) && report.discrepancies.is_empty() && report.not_understood == 0
}

/// One report of consecutive hours; `None` without hours.
pub fn together(hours: &[Report]) -> Option<Report> {
    let (first, rest) = hours.split_first()?;
    let mut whole = first.clone();
    for hour in rest {
        for line in &hour.lines {
            match whole.lines.iter_mut().find(|known| known.is_of(line)) {
                Some(known) => known.add(line),
                None => whole.lines.push(line.clone()),
            }
        }
        whole.discrepancies.extend(hour.discrepancies.iter().cloned());
        whole.not_understood = whole.not_understood.saturating_add(hour.not_understood);
        whole.before = hour.before;
        whole.made_at = hour.made_at;
    }
    whole.lines.sort_by(|one, other| (&one.asset, one.flow).cmp(&(&other.asset, other.flow)));
    Some(whole)
}

/// The hours of the day beginning at `day` whose report is due at `now` and missing in `hours`. Adjacent hours are joined to
/// one pair of beginning and end. Empty until 12 hours after the day's end.
pub fn hours_without_report(day: Timestamp, hours: &[Report], now: Timestamp) -> Vec<(Timestamp, Timestamp)> {
    if now.since(day) <= HOUR * HOURS_OF_DAY + SETTLES_WITHIN {
        return Vec::new();
    }
    let reported: BTreeSet<Timestamp> = hours.iter().map(|report| report.from).collect();
    let mut stretches: Vec<(Timestamp, Timestamp)> = Vec::new();
    for begins in (0..HOURS_OF_DAY).map(|hour| day.plus(HOUR * hour)).filter(|hour| !reported.contains(hour)) {
        match stretches.last_mut().filter(|(_, ends)| *ends == begins) {
            Some((_, ends)) => *ends = begins.plus(HOUR),
            None => stretches.push((begins, begins.plus(HOUR))),
        }
    }
    stretches
}
