//! Reports of one coin, and the stream records of the writes that record them.

use fundhook_adapters::table::PK;
use fundhook_domain::{Claim, Details, Feed, Kind, Resource, ResourceId, Statement, Stored, WebhookFamily};
use serde_json::{Value, json};

use super::{at, changed, record, statement, statement_of};

/// `statement` as `family` makes it, about the only coin of these tests.
pub(crate) fn of_coin(mut statement: Statement, family: WebhookFamily) -> Statement {
    if let Details::Transfer(details) = &mut statement.content.details {
        let hash = "0xcd9e98ae631cf7cfcf4d351374337a55096abd01d9637303aaef31d5c0766569";
        details.transaction.hash = Some(hash.to_owned());
        details.transaction.to = Some("0x34f53aea3ba8b60b0ed19106baf43a4f3f73f242".to_owned());
        details.family = Some(family);
    }
    statement
}

/// What `family` reports about that coin: the deposit `native` in a feed of its provider reached the status `name`.
pub(crate) fn reported(family: WebhookFamily, native: &str, name: &str) -> Statement {
    let (provider, _) = family.as_str().split_once('.').expect("a provider and a name");
    let feed: Feed = provider.parse().expect("a feed");
    let id = ResourceId::new(Kind::Deposit, feed, native).expect("a valid id");
    let details = statement(native, name, 40).content.details;
    of_coin(statement_of(id, name, name, 40, details), family)
}

/// The table as the state updater writes it.
#[derive(Debug, Default)]
pub(crate) struct Table(Stored);

impl Table {
    /// After these statements about one thing were recorded.
    pub(crate) fn after(statements: &[Statement]) -> Self {
        let mut table = Self::default();
        table.record(statements);
        table
    }

    /// Records statements about one thing in one write. Returns its stream records: those of the resources, and those of
    /// the claims.
    pub(crate) fn record(&mut self, statements: &[Statement]) -> Vec<Value> {
        let before = self.0.clone();
        let facts: Vec<_> = statements.iter().cloned().map(Into::into).collect();
        let write = self.0.record(&facts).expect("an owner").expect("something new");
        let resources = write.resources.iter().map(|written| {
            changed(&written.item.version().to_string(), before.resource(written.item.id()), &written.item)
        });
        let claims = write.claims.iter().map(|written| {
            let old = before.claim(written.item.key()).filter(|claim| claim.version() > 0);
            record(&written.item.version().to_string(), old.map(image), Some(image(&written.item)))
        });
        resources.chain(claims).collect()
    }

    /// The resource as it is stored; at version 0 if it is not.
    pub(crate) fn resource(&self, id: &ResourceId) -> Resource {
        self.0.resource(id).cloned().unwrap_or_else(|| Resource::unknown(id.clone()))
    }
}

/// A claim's item as it is in a stream record.
fn image(claim: &Claim) -> Value {
    json!({
        PK: { "S": format!("claim#{}", claim.key()) },
        "claim": { "S": serde_json::to_string(claim).expect("JSON") },
        "claim_version": { "N": claim.version().to_string() },
        "claimed_at": { "S": at(60).sortable() },
    })
}
