//! What needs a person's review, and what was decided, as text.

use fundhook_domain::{Details, Resource, Verdict, View};
use fundhook_reconciliation::DecidedCase;

use crate::show::{decided, resource_line};

/// A resource that needs review: what it is, and why it needs it.
pub fn case_lines(resource: &Resource) -> String {
    let why = resource.view().map(|view| why(&view)).unwrap_or_default();
    let why: String = why.into_iter().map(|line| format!("  {line}\n")).collect();
    format!("{}\n{why}", resource_line(resource))
}

fn why(view: &View) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(conflict) = &view.conflict {
        let statuses: Vec<&str> = conflict.statuses.iter().map(|status| status.as_str()).collect();
        let with: Vec<String> = conflict.with.iter().map(ToString::to_string).collect();
        let with = if with.is_empty() { String::new() } else { format!(" with {}", with.join(", ")) };
        lines.push(format!("conflicting about {}{with}: {}", conflict.about.join(", "), statuses.join(", ")));
    }
    if let Some(hold) = view.details.hold().filter(|_| view.needs_review() && view.conflict.is_none()) {
        lines.push(format!("held: {}. {}", hold.reason, hold.explanation));
    }
    if let Some(surplus) = &view.surplus {
        let asset = match &view.details {
            Details::Recovery(recovery) => recovery.asset.as_str(),
            Details::Transfer(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => "",
        };
        lines.push(format!("{surplus} {asset} more was returned than had arrived before"));
    }
    if let Some(owner) = &view.duplicate_of {
        lines.push(format!("{owner} counts in its place"));
    }
    if let Some(decision) = &view.decision {
        let verdict = decided(&decision.verdict);
        lines.push(format!("{} {verdict} at {}: {}", decision.by, decision.decided_at, decision.reason));
    }
    if lines.is_empty() {
        lines.push("needs no review".to_owned());
    }
    lines
}

/// What was decided about each resource.
pub fn decided_lines(case: &DecidedCase) -> String {
    let line = |(resource, decision): (_, &Verdict)| format!("{resource}: {}\n", decided(decision));
    let lines: String = case.decided.iter().map(line).collect();
    format!("{lines}The decision is queued; it becomes a fact and an event within seconds.\n")
}
