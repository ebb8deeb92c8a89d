//! Deposits that report coins, and the writes that record them with the claims on those coins.

use fundhook_adapters::ResourceTable;
use fundhook_domain::{
    ClaimKey, Feed, Kind, Network, NewFact, NotRecorded, Recording, Resource, ResourceId, Statement, Stored,
    WebhookFamily,
};
use fundhook_ports::{Claims, Resources, Write};

use super::{folded, id_of, statement, with};

/// The transaction of a coin, as a provider spells it.
pub(crate) const HASH: &str = "0xCD9e98ae631cf7cfcf4d351374337a55096abd01d9637303aaef31d5c0766569";
/// Other transactions.
pub(crate) const OTHER_HASH: &str = "0x7b9301dd3cbec040ebd7a902e7b2aa4ff1b9150b65fd2a432cb0f5b6537dcf06";
pub(crate) const THIRD_HASH: &str = "0xa07407e8f98c21b037b4aa0cbc852b8489c5e122fcc3d4b33b7827d0605ad8ff";

/// The deposit `native` in a feed of the provider of `family`.
pub(crate) fn reported_by(family: WebhookFamily, native: &str) -> ResourceId {
    let (provider, _) = family.as_str().split_once('.').expect("a provider and a name");
    id_of(Kind::Deposit, provider.parse::<Feed>().expect("a feed"), native)
}

/// `statement` as `family` makes it, about a coin of the transaction `hash`.
pub(crate) fn of_coin(statement: Statement, family: WebhookFamily, hash: &str) -> Statement {
    with(statement, |details| {
        details.transaction.hash = Some(hash.to_owned());
        details.transaction.to = Some("0x34f53Aea3ba8b60b0ed19106baf43a4f3f73f242".to_owned());
        details.asset = Some("USDC".to_owned());
        details.network = Some(Network::named("ethereum"));
        details.family = Some(family);
    })
}

/// `family` reports as the deposit `native` that a coin of the transaction `hash` is credited.
pub(crate) fn confirmed(family: WebhookFamily, native: &str, hash: &str) -> Statement {
    of_coin(statement(&reported_by(family, native), "confirmed", 40, "confirmed"), family, hash)
}

/// `family` reports as the deposit `native` that a coin of the transaction `hash` is to be returned.
pub(crate) fn unexpected(family: WebhookFamily, native: &str, hash: &str) -> Statement {
    of_coin(statement(&reported_by(family, native), "unexpected", 50, "unexpected"), family, hash)
}

/// The claim on the coins of the transaction `hash`.
pub(crate) fn claim_on(hash: &str) -> ClaimKey {
    let statement = confirmed(WebhookFamily::ConnectDeposits, "any", hash);
    let deposit = folded(Resource::unknown(statement.resource.clone()), [statement]);
    deposit.claim_entries().into_keys().next().expect("a claim")
}

/// The write of a statement about a coin when nothing else is stored.
pub(crate) fn first_claim(statement: Statement) -> Write {
    let write = Stored::default().record(&[statement.into()]).expect("an owner").expect("something new");
    assert_eq!((write.resources.len(), write.claims.len()), (1, 1));
    write
}

/// The write of `fact` on what `table` holds, with everything that changes with it.
pub(crate) async fn recorded(table: &ResourceTable, fact: impl Into<NewFact>) -> Write {
    let (facts, mut stored) = ([fact.into()], Stored::default());
    // The names and what is recorded under them, the claims, and the other deposits.
    for _ in 0..5 {
        let mut recording = Recording::on(&stored);
        let missing = match recording.record(0, &facts) {
            Ok(()) => return recording.into_writes().pop().expect("something new").1,
            Err(NotRecorded::Missing(missing)) => missing,
            Err(NotRecorded::NoOwner) => unreachable!("a deposit has one name"),
        };
        let resources = table.read(&Vec::from_iter(missing.resources)).await.expect("the table answers");
        resources.into_iter().for_each(|resource| stored.know(resource));
        let claims = table.claims(&Vec::from_iter(missing.claims)).await.expect("the table answers");
        claims.into_iter().for_each(|claim| stored.know_claim(claim));
    }
    unreachable!("what is missing is still missing after it was read");
}
