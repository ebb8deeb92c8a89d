//! Events and resources as text.

use fundhook_domain::{
    CoinRelation, EventBody, EvidenceClass, FactContent, Fate, Kind, Resource, Status, Verdict, events_after,
};
use serde_json::Value;

use crate::subscription::Delivery;

/// One line: time, type, amount, resource, sequence.
pub fn event_line(delivery: &Delivery) -> String {
    let event = &delivery.event;
    let (event_type, sequence) = (delivery.text("/type"), delivery.text("/sequence").trim_start_matches('0'));
    let short = event_type.strip_prefix("fundhook.").unwrap_or(event_type);
    let amount = amount(event.pointer("/data").unwrap_or(&Value::Null));
    let note = note(delivery).map_or(String::new(), |note| format!("   ({note})"));
    let resource = shortened(delivery.text("/subject"));
    format!("{:<30}  {short:<28}  {amount:>14}  {resource}  #{sequence}{note}", delivery.text("/time"))
}

/// What is notable about an event.
fn note(delivery: &Delivery) -> Option<String> {
    let text = |pointer: &str| Some(delivery.text(pointer)).filter(|text| !text.is_empty());
    if delivery.event.pointer("/data/late") == Some(&Value::Bool(true)) {
        return Some("late".to_owned());
    }
    if delivery.event.pointer("/data/reconciled") == Some(&Value::Bool(true)) {
        return Some("reconciled from the provider's list".to_owned());
    }
    if let Some(with) = text("/data/conflict_with/0") {
        return Some(format!("conflicts with {}: needs review", shortened(with)));
    }
    if let Some(owner) = text("/data/duplicate_of") {
        let is_coin = delivery.text("/data/kind") == Kind::Deposit.as_str();
        let (same, counts) = if is_coin { ("coin as", "credit") } else { ("payment as", "count") };
        return Some(format!("same {same} {}: do not {counts} it again", shortened(owner)));
    }
    if let Some(reason) = text("/data/hold/reason") {
        return Some(format!("{reason}, needs {}", delivery.text("/data/hold/needs")));
    }
    let data = delivery.event.pointer("/data").unwrap_or(&Value::Null);
    let net = data.pointer("/credit/net").map(number_of_asset);
    // What arrived is shown already.
    if let Some(net) = net.filter(|net| *net != amount(data) && delivery.text("/type").ends_with(".confirmed")) {
        return Some(format!("credit {net}"));
    }
    if delivery.text("/type") == "fundhook.recovery.required" {
        return Some(format!("ask {} to sign in and have it returned", delivery.text("/data/account")));
    }
    text("/data/reason").or_else(|| text("/data/status_reason")).map(str::to_owned)
}

/// The amount of an event: for a recovery what is left to return, for a refund what was returned. In whole coins if the
/// size of the unit is known.
pub(crate) fn amount(data: &Value) -> String {
    let stated = ["amount", "outstanding", "refunded"].iter().find_map(|name| data.get(*name));
    stated.map(number_of_asset).unwrap_or_default()
}

/// A number and its asset, such as `1 BTC`, with the unit if its size is not known.
pub(crate) fn number_of_asset(amount: &Value) -> String {
    let text = |name: &str| amount.get(name).and_then(Value::as_str);
    let value = text("major").or_else(|| text("value"));
    let unit = text("units").filter(|_| text("major").is_none());
    let parts: Vec<&str> = [value, unit, text("asset")].into_iter().flatten().collect();
    parts.join(" ")
}

/// `text` with its control characters escaped, so that what a webhook says cannot move the cursor of a terminal.
pub fn printable(text: &str) -> String {
    let escaped = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    text.chars().map(|c| if escaped(c) { c.escape_unicode().to_string() } else { c.to_string() }).collect()
}

/// A resource id, shortened if its last part is a digest or a hash.
pub fn shortened(resource: &str) -> String {
    match resource.rsplit_once('#') {
        Some((head, native)) if native.chars().count() > 48 => {
            format!("{head}#{}…", native.chars().take(12).collect::<String>())
        }
        _ => resource.to_owned(),
    }
}

/// One line: id, status, amount, number of facts.
pub fn resource_line(resource: &Resource) -> String {
    // What a backfill only recorded has no event, so the line is made of the view.
    let view = resource.view();
    let status = view.as_ref().map(|view| match (&view.duplicate_of, view.status) {
        (Some(_), _) => "duplicate",
        (None, status) => status.map_or("", Status::as_str),
    });
    let body = view.map(|view| serde_json::to_value(EventBody::from(view.details.clone())).unwrap_or_default());
    let body = body.unwrap_or_default();
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let facts = resource.version();
    let network = [text("/amount/network/slug"), text("/outstanding/network/slug")].concat();
    let plural = if facts == 1 { "fact" } else { "facts" };
    format!(
        "{:<72}  {:<11}  {:>22}  {network:<12}  {facts} {plural}",
        shortened(&resource.id().to_string()),
        status.unwrap_or_default(),
        amount(&body),
    )
}

/// The timeline of a resource: each fact, when it was received, what it changed, and its evidence.
pub fn timeline(resource: &Resource) -> String {
    let mut text = format!("{}\n", resource.id());
    if resource.version() == 0 {
        text.push_str("  no facts are recorded\n");
    }
    if let Some(owner) = resource.second_name_of() {
        text.push_str(&format!("  a second name; its facts are recorded under {owner}\n"));
    }
    let events = events_after(resource, 0);
    for fact in resource.facts() {
        let changed = events.iter().find(|event| event.fact_version == fact.version);
        let evidence = fact.content.evidence();
        let unseen = if fact.sequence == 0 && evidence.is_recorded_only() {
            "the opening balance, without an event"
        } else {
            "nothing that subscribers see"
        };
        let changed = changed.map_or(unseen.to_owned(), |event| {
            let late = if event.data.late { ", late" } else { "" };
            format!("{} (event {}{late})", event.event_type, event.id)
        });
        let class = match evidence.attestation.class {
            EvidenceClass::Asymmetric => "signed with the provider's key",
            EvidenceClass::SharedSecret => "authenticated with a shared secret",
            EvidenceClass::Api => "read from the provider's API",
            EvidenceClass::Decision => "decided by",
            EvidenceClass::Notice => "noticed by",
            EvidenceClass::Unverified => "not verified",
        };
        let by = if evidence.backfilled.is_some() { ", by a backfill" } else { "" };
        let lines = [
            ("changed", changed),
            ("happened", fact.content.occurred_at().to_string()),
            ("received", evidence.received_at.to_string()),
            ("evidence", format!("{class} {}{by}", evidence.attestation.key)),
            ("archived", format!("{} line {}", evidence.archived.object, evidence.archived.line)),
            ("fact", fact.content.id().to_string()),
        ];
        text.push_str(&format!("  {}. {} ({})\n", fact.version, fact.content.event_type(), said(&fact.content)));
        lines.iter().for_each(|(name, value)| text.push_str(&format!("     {name:<9} {value}\n")));
    }
    text
}

/// What a fact says: a status, a relation or a decision.
fn said(content: &FactContent) -> String {
    match content {
        FactContent::Relation(relation) => match &relation.content {
            CoinRelation::DuplicateOf { owner: Some(owner), .. } => format!("a duplicate of {owner}"),
            CoinRelation::DuplicateOf { owner: None, .. } => "not a duplicate any more".to_owned(),
            CoinRelation::Resembles { deposit: Some(other), .. } => format!("may be the coin of {other}"),
            CoinRelation::Resembles { deposit: None, .. } => "resembles no other deposit any more".to_owned(),
            CoinRelation::AlsoReported(entry) => {
                format!("{} reports the transaction too: {}", entry.resource, fate(entry.fate))
            }
        },
        FactContent::Decision(decision) => format!("{}: {}", decided(&decision.verdict), decision.reason),
        FactContent::Statement(_) | FactContent::Overdue(_) | FactContent::SecondName(_) => {
            stated_status(content).to_owned()
        }
    }
}

fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Credited => "credited",
        Fate::Unexpected => "to be returned",
        Fate::Quarantined => "in quarantine",
        Fate::Disputed => "credited, and its own statements conflict",
        Fate::Reversed => "rejected by a person",
        Fate::Withdrawn => "none of its coins any more",
    }
}

/// What a person decided about a resource.
pub fn decided(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Accepted => "accepted it".to_owned(),
        Verdict::RejectedInFavourOf(other) => format!("rejected it in favour of {other}"),
        Verdict::Rejected => "rejected it".to_owned(),
        Verdict::Resolved => "resolved its conflict".to_owned(),
    }
}

/// The status that a fact states.
pub fn stated_status(content: &FactContent) -> &'static str {
    content.status().map_or("no status", Status::as_str)
}
