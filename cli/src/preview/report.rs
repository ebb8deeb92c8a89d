//! What each webhook publishes, as text.

use fundhook_domain::Event;
use serde_json::Value;

use super::money::{amount_and_network, credit_line, exchange, hold_line, surplus, text};
use super::review::{conflicting, review};
use super::table::{Recorded, Silence};
use super::{Message, Preview, Step, owed};

/// A block for each webhook, what each user is owed in the end, what needs review, and what is booked.
pub fn report(preview: &Preview) -> Result<String, serde_json::Error> {
    let mut report = String::new();
    for (step, number) in preview.steps.iter().zip(1..) {
        block(&mut report, number, step)?;
    }
    section(&mut report, "What each user is owed", &owed::lines(&preview.latest));
    let review = review(preview);
    if !review.is_empty() {
        report.push('\n');
        section(&mut report, "Needs review", &review);
    }
    report.push('\n');
    section(&mut report, "What is booked", &preview.ledger.lines());
    Ok(report)
}

/// One line for each statement that publishes no event, with the place of its webhook.
pub fn silences(preview: &Preview) -> Vec<String> {
    let all = preview.steps.iter().flat_map(|step| step.recorded.iter().map(|recorded| (&step.input.place, recorded)));
    let silent = all.filter_map(|(place, recorded)| Some(format!("{place}: {}", silence_line(recorded)?)));
    silent.collect()
}

fn section(report: &mut String, heading: &str, lines: &[String]) {
    line(report, 0, heading);
    lines.iter().for_each(|text| line(report, 2, text));
}

fn line(report: &mut String, indent: usize, text: &str) {
    report.extend(std::iter::repeat_n(' ', indent));
    report.push_str(text);
    report.push('\n');
}

/// What one webhook publishes.
fn block(report: &mut String, number: usize, step: &Step) -> Result<(), serde_json::Error> {
    let input = &step.input;
    let sort = match &input.message {
        Message::Webhook { payload_type: Some(name), .. } => format!("  {name}"),
        Message::Webhook { payload_type: None, .. } => String::new(),
        Message::Row { list, .. } => format!("  row of GET {}", list.path()),
    };
    line(report, 0, &format!("{number}. {}  {}{sort}", input.place, input.feed));
    for recorded in &step.recorded {
        for event in &recorded.events {
            event_lines(report, event)?;
        }
        if let Some(silence) = silence_line(recorded) {
            line(report, 3, &silence);
        }
    }
    report.push('\n');
    Ok(())
}

fn event_lines(report: &mut String, event: &Event) -> Result<(), serde_json::Error> {
    let data = serde_json::to_value(&event.data)?;
    line(report, 3, &format!("{}  {}  #{}", event.event_type, event.data.resource, event.sequence));
    // All that is known of a webhook that is not recognized is why.
    let summary = match text(&data, "reason") {
        Some(reason) => format!("not recognized: {reason}"),
        None => summary(&data),
    };
    line(report, 5, &summary);
    if let Some(owner) = text(&data, "duplicate_of") {
        let what = if text(&data, "kind") == Some("deposit") { "credit" } else { "count" };
        line(report, 5, &format!("duplicate of {owner}: do not {what} it again"));
    }
    if let Some(restated) = data.get("restated").and_then(Value::as_array).filter(|names| !names.is_empty()) {
        let names: Vec<&str> = restated.iter().filter_map(Value::as_str).collect();
        line(report, 5, &format!("read again; changed: {}", names.join(", ")));
    }
    if let Some(conflicting) = conflicting(&data) {
        line(report, 5, &format!("{conflicting}; needs review"));
    }
    if let Some(surplus) = surplus(&data) {
        line(report, 5, &format!("{surplus}; needs review"));
    }
    [credit_line(&data), hold_line(&data)].iter().flatten().for_each(|text| line(report, 5, text));
    Ok(())
}

/// Status, amount and account, and whether it came late: `confirmed, 1 BTC on bitcoin, account abc123`.
fn summary(data: &Value) -> String {
    let mut summary = text(data, "status").unwrap_or("no status").to_owned();
    let is = |name: &str| data.get(name) == Some(&Value::Bool(true));
    let moves_money = matches!(text(data, "kind"), Some("deposit" | "withdrawal" | "fee" | "recovery"));
    let account = match text(data, "account") {
        Some(account) => Some(format!("account {account}")),
        None => moves_money.then(|| "no account".to_owned()),
    };
    let late = is("late").then(|| "late".to_owned());
    let listed = is("reconciled").then(|| "from the provider's list".to_owned());
    let amount = amount_and_network(data).or_else(|| exchange(data));
    let amount = match text(data, "kind") {
        Some("recovery") => amount.map(|amount| format!("{amount} to be returned")),
        _ => amount,
    };
    for part in [amount, account, late, listed].into_iter().flatten() {
        summary.push_str(", ");
        summary.push_str(&part);
    }
    summary
}

/// Why a statement publishes no event.
fn silence_line(recorded: &Recorded) -> Option<String> {
    let why = match recorded.silence? {
        Silence::SameWebhook => "the same webhook again",
        Silence::SameContent => "repeats in other bytes what was recorded",
        Silence::Corroborates => "agrees with what was recorded: a row of the provider's list and a webhook count once",
        Silence::TooOld => "older than all statements that are kept",
    };
    Some(format!("publishes nothing about {}: {why}", recorded.resource))
}
