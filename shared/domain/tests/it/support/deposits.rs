//! Deposits by their ids, as webhooks report them and as the provider lists them: each 100 USDC on Base, with its own
//! coin.

use fundhook_domain::{FactId, HoldReason, Kind, Network, Provider, Resource, ResourceId, Statement, WebhookFamily};

use super::money::in_kind;
use super::{deposit, folded, listed, quantity, status, with};

/// The id with this text: `deposit#connect#1`.
pub(crate) fn id(text: &str) -> ResourceId {
    text.parse().expect("a resource's id")
}

/// The statement of a webhook that `of` reached the status called `name` at `seconds`.
pub(crate) fn sent(of: &str, name: &str, seconds: u64) -> Statement {
    let resource = id(of);
    let resource_kind = resource.kind();
    let mut sent = deposit("pending", seconds);
    sent.content.status = Some(status(resource.kind(), name));
    sent.content.event_type = format!("connect.{}.{name}", resource.kind());
    let body = format!("{of} {name} {seconds}");
    sent.content.id = FactId::of(&resource, &sent.content.event_type, body.as_bytes());
    sent.resource = resource;
    let is_connects = sent.resource.feed().provider() == Provider::Connect;
    let native = sent.resource.native().to_owned();
    with(sent, |details| {
        if resource_kind == Kind::Deposit {
            details.credit = (name == "confirmed").then(|| in_kind("100", "USDC"));
            details.hold = (name == "held").then(|| HoldReason::ApprovalPending.into());
        }
        details.quantity = Some(quantity("100"));
        details.asset = Some("USDC".to_owned());
        details.network = Some(Network::named("base"));
        details.transaction.hash = Some(format!("0xabcde{native}"));
        details.transaction.to = Some("0xe7F436F9".to_owned());
        details.account = Some("CUST01".to_owned());
        details.family = Some(if is_connects { WebhookFamily::ConnectDeposits } else { WebhookFamily::ZerohashFund });
    })
}

/// The statement of a listed row that `of` reached the status called `name` at `seconds`.
pub(crate) fn row(of: &str, name: &str, seconds: u64) -> Statement {
    let row = listed(&sent(of, name, seconds));
    let is_connects = row.resource.feed().provider() == Provider::Connect;
    with(row, |details| {
        if is_connects {
            details.family = Some(WebhookFamily::ConnectTransactions);
        }
    })
}

/// The resource after `statements`. No other deposit reports its coin.
pub(crate) fn recorded<'a>(statements: impl IntoIterator<Item = &'a Statement>) -> Resource {
    folded(statements)
}
