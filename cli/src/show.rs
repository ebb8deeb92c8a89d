//! How events and resources read in a terminal.

use fundhook_domain::{EvidenceClass, Resource, events_after};
use serde_json::Value;

use crate::subscription::Delivery;

/// One line about an event: time, type, amount, resource, sequence.
pub fn event_line(delivery: &Delivery) -> String {
    let event = &delivery.event;
    let data = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let event_type = data("/type");
    let short = event_type.strip_prefix("fundhook.").unwrap_or(&event_type).to_owned();
    let amount = format!("{} {}", data("/data/amount/value"), data("/data/amount/asset"));
    let sequence = data("/sequence");
    let sequence = sequence.trim_start_matches('0');
    let late = event.pointer("/data/late") == Some(&Value::Bool(true));
    let resource = data("/subject");
    let note = match (late, data("/data/reason")) {
        (true, _) => "   (late)".to_owned(),
        (false, reason) if !reason.is_empty() => format!("   ({reason})"),
        (false, _) => String::new(),
    };
    format!("{:<30}  {:<24}  {:>14}  {}  #{sequence}{note}", data("/time"), short, amount.trim(), shortened(&resource))
}

/// A resource id with a digest in it cut to what tells it apart.
pub fn shortened(resource: &str) -> String {
    match resource.rsplit_once('#') {
        Some((head, native)) if native.len() > 40 => format!("{head}#{}…", &native[..12]),
        _ => resource.to_owned(),
    }
}

/// One line about a resource: id, status, amount, how many facts.
pub fn resource_line(resource: &Resource) -> String {
    let last = events_after(resource, 0).into_iter().next_back();
    let view = last.map(|event| serde_json::to_value(&event.data).unwrap_or_default()).unwrap_or_default();
    let text = |pointer: &str| view.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let amount = format!("{} {}", text("/amount/value"), text("/amount/asset"));
    let facts = resource.version();
    let plural = if facts == 1 { "fact" } else { "facts" };
    format!(
        "{:<58}  {:<11}  {:>14}  {:<10}  {facts} {plural}",
        shortened(&resource.id().to_string()),
        text("/status"),
        amount.trim(),
        text("/amount/network/slug"),
    )
}

/// A resource's timeline: each fact, when it came, what it changed, and its evidence.
pub fn timeline(resource: &Resource) -> String {
    let mut text = format!("{}\n", resource.id());
    if resource.version() == 0 {
        text.push_str("  nothing is known about it\n");
    }
    for (index, fact) in resource.facts().iter().enumerate() {
        let until = |facts: usize| Resource::from_facts(resource.id().clone(), resource.facts()[..facts].to_vec());
        let changed = events_after(&until(index + 1), index as u64).into_iter().next();
        let changed = changed.map_or("nothing a subscriber can see".to_owned(), |event| {
            let late = if event.data.late { ", late" } else { "" };
            format!("{} (event {}{late})", event.event_type, event.id)
        });
        let evidence = &fact.evidence;
        let class = match evidence.attestation.class {
            EvidenceClass::Asymmetric => "signed with the provider's key",
            EvidenceClass::SharedSecret => "authenticated by a shared secret",
            EvidenceClass::Api => "read from the provider's API",
        };
        let lines = [
            ("changed", changed),
            ("happened", fact.occurred_at.to_string()),
            ("received", evidence.received_at.to_string()),
            ("evidence", format!("{class} {}", evidence.attestation.key)),
            ("archived", format!("{} line {}", evidence.archived.object, evidence.archived.line)),
            ("fact", fact.id.to_string()),
        ];
        text.push_str(&format!("  {}. {} ({})\n", index + 1, fact.event_type, fact.status));
        lines.iter().for_each(|(name, value)| text.push_str(&format!("     {name:<9} {value}\n")));
    }
    text
}
