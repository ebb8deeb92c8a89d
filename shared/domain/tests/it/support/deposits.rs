//! Deposits by their ids, as webhooks tell of them and as the provider lists them: 100 USDC on Base each, of a coin of
//! its own.

use fundhook_domain::{FactId, Kind, Network, Provider, Resource, ResourceId, Statement, TransferDetails};

use super::{deposit, folded, listed, quantity, status, with};

/// The resource written so: `deposit#connect#1`.
pub(crate) fn id(text: &str) -> ResourceId {
    text.parse().expect("a resource's id")
}

/// The statement that `of` reached the status called `name` after so many `seconds`.
pub(crate) fn told(of: &str, name: &str, seconds: u64) -> Statement {
    let resource = id(of);
    let mut told = deposit("pending", seconds);
    told.status = status(resource.kind(), name);
    told.event_type = format!("connect.{}.{name}", resource.kind());
    told.fact = FactId::of(&resource, &told.event_type, format!("{of} {name} {seconds}").as_bytes());
    told.resource = resource;
    let is_connects = told.resource.feed().provider() == Provider::Connect;
    let native = told.resource.native().to_owned();
    with(told, |details| {
        details.quantity = Some(quantity("100"));
        details.asset = Some("USDC".to_owned());
        details.network = Some(Network::named("base"));
        details.transaction.hash = Some(format!("0xabcde{native}"));
        details.transaction.to = Some("0xe7F436F9".to_owned());
        details.account = Some("CUST01".to_owned());
        details.stream = Some(if is_connects { "connect.deposits" } else { "zerohash.fund" }.to_owned());
    })
}

/// The row that lists `of` so.
pub(crate) fn row(of: &str, name: &str, seconds: u64) -> Statement {
    let row = listed(&told(of, name, seconds));
    let is_connects = row.resource.feed().provider() == Provider::Connect;
    with(row, |details| {
        if is_connects {
            details.stream = Some("connect.transactions".to_owned());
        }
    })
}

/// The row that lists `of` as succeeded, saying otherwise what is to be said otherwise.
pub(crate) fn row_saying(of: &str, say: impl FnOnce(&mut TransferDetails)) -> Statement {
    with(row(of, "confirmed", 40), say)
}

/// What is recorded after `signals`. A coin that is to be claimed is claimed, by nobody before.
pub(crate) fn recorded<'a>(statements: impl IntoIterator<Item = &'a Statement>) -> Resource {
    let resource = folded(statements);
    if resource.id().kind() == Kind::Deposit { resource.claiming(None, 0).0 } else { resource }
}

/// The deposit `of` as recorded after the webhook that it reached the status called `name`.
pub(crate) fn standing_at(of: &str, name: &str) -> Resource {
    recorded([&told(of, name, 40)])
}
