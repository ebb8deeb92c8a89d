//! What a day came to, from the reports of its hours, and how that reads in a terminal.

use std::collections::BTreeSet;
use std::time::Duration;

use fundhook_domain::Timestamp;
use fundhook_reconciliation::Report;
use fundhook_reconciliation::{ConservationLine, Tally};

const HOUR: Duration = Duration::from_secs(3600);
const HOURS_OF_DAY: u32 = 24;

/// How long after its end a day's hours should all be added up: about 3 h in the usual case, and up to 9 h for one in which
/// something was missing, as the alarm on `ConservationLagSeconds` has it.
const SETTLES_WITHIN: Duration = Duration::from_secs(12 * 3600);

/// What came in: a heading, a line for each asset, and a line for each thing that does not add up, marked ✗.
pub fn report_lines(report: &Report) -> Vec<String> {
    let heading = format!("{} from {} to {} (added up {})", report.feed, report.from, report.before, report.made_at);
    let tally = |tally: &Tally| format!("{} ({})", tally.total, tally.deposits);
    let asset = |line: &ConservationLine| {
        let mark = if line.holds() { "✓" } else { "✗" };
        let (provider, ours, published) = (tally(&line.provider), tally(&line.ours), tally(&line.published));
        format!("  {mark} {:<8} provider {provider:<20} recorded {ours:<20} published {published}", line.asset)
    };
    let nothing = report.lines.is_empty().then(|| "  nothing came in".to_owned());
    let discrepancies = report.discrepancies.iter().map(|sentence| format!("  ✗ {sentence}"));
    let not_understood = (report.not_understood > 0)
        .then(|| format!("  ✗ not understood, and in no total: {} of the listed rows", report.not_understood));
    let assets = report.lines.iter().map(asset);
    [heading].into_iter().chain(nothing).chain(assets).chain(discrepancies).chain(not_understood).collect()
}

/// Whether it leaves nothing to a person: each asset comes to the same everywhere, no deposit differs, and every listed row
/// was understood.
pub fn adds_up(report: &Report) -> bool {
    report.lines.iter().all(ConservationLine::holds) && report.discrepancies.is_empty() && report.not_understood == 0
}

/// The reports of some hours, in their order, as one; `None` of none.
pub fn together(hours: &[Report]) -> Option<Report> {
    let (first, rest) = hours.split_first()?;
    let mut whole = first.clone();
    for hour in rest {
        for line in &hour.lines {
            match whole.lines.iter_mut().find(|known| known.asset == line.asset) {
                Some(known) => known.add(line),
                None => whole.lines.push(line.clone()),
            }
        }
        whole.discrepancies.extend(hour.discrepancies.iter().cloned());
        whole.not_understood = whole.not_understood.saturating_add(hour.not_understood);
        whole.before = hour.before;
        whole.made_at = hour.made_at;
    }
    whole.lines.sort_by(|one, other| one.asset.cmp(&other.asset));
    Some(whole)
}

/// The hours of the day that begins at `day` of which `hours` has no report and should have one by `now`, each stretch of them
/// by its beginning and its end. None of a day that is under way or ended less than 12 hours ago.
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
