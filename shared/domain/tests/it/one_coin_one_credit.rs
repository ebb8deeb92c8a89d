//! A coin may reach a platform through two webhook families and is credited once
//! (docs/internals/decisions/one-coin-one-credit.md).

use fundhook_domain::{
    Claim, Event, Feed, Kind, Network, Ownership, Provider, Resource, ResourceId, Statement, TransferDetails,
    WebhookFamily, events_after,
};

use crate::support::{deposit, folded, in_other_bytes, listed, resource, types, whole_deposit, with, withdrawal};

/// The details of a Connect deposit with its coin.
fn with_coin(details: &mut TransferDetails) {
    whole_deposit(details);
    details.family = Some(WebhookFamily::ConnectDeposits);
}

/// The deposit of the same coin that is credited.
fn owner() -> ResourceId {
    ResourceId::new(Kind::Deposit, Provider::Zerohash, "fund-1").expect("an id")
}

/// The claim of a confirmed deposit with its coin, changed by `change`.
fn claim_of(change: impl FnOnce(&mut TransferDetails)) -> Option<Claim> {
    let confirmed = with(deposit("confirmed", 40), |details| {
        with_coin(details);
        change(details);
    });
    folded([&confirmed]).claim_due()
}

#[test]
fn a_deposit_claims_its_coin_once_it_is_confirmed_and_its_transaction_is_known() {
    let (pending, silent) = (with(deposit("pending", 0), with_coin), deposit("confirmed", 40));
    let confirmed = with(silent.clone(), with_coin);
    let without = |take: fn(&mut TransferDetails)| with(confirmed.clone(), take);
    for (case, statements, is_due) in [
        ("confirmed", vec![confirmed.clone()], true),
        ("pending", vec![pending.clone()], false),
        ("held", vec![with(deposit("held", 0), with_coin)], false),
        ("unexpected", vec![with(deposit("unexpected", 0), with_coin)], false),
        ("failed", vec![with(deposit("failed", 0), with_coin)], false),
        ("confirmed, known from before", vec![pending.clone(), silent.clone()], true),
        ("confirmed, known only afterwards", vec![silent.clone(), pending], true),
        ("confirmed without a transaction", vec![silent], false),
        ("without a hash", vec![without(|details| details.transaction.hash = None)], false),
        ("without an address", vec![without(|details| details.transaction.to = None)], false),
        ("without an asset", vec![without(|details| details.asset = None)], false),
        ("without a network", vec![without(|details| details.network = None)], true),
        ("confirmed, and in conflict after that was published", vec![confirmed.clone(), deposit("failed", 50)], true),
        ("in conflict before it was confirmed", vec![deposit("failed", 50), confirmed.clone()], false),
        ("a withdrawal", vec![with(withdrawal("confirmed", 40), with_coin)], false),
    ] {
        assert_eq!(folded(&statements).claim_due().is_some(), is_due, "{case}");
    }
    let resource = folded([&confirmed]);
    assert_eq!(resource.clone().owning_its_coin().claim_due(), None, "it owns the coin already");
    assert_eq!(resource.duplicating(owner(), 0).claim_due(), None, "another deposit owns the coin already");
}

#[test]
fn a_claim_names_the_coin_its_owner_and_the_webhook_family() {
    let claim = claim_of(|_| {}).expect("a claim");
    let expected = Claim {
        coin: "c9d43618#0xe7f436f9#BTC".to_owned(),
        network: Some("bip122:000000000019d6689c085ae165831e93".to_owned()),
        owner: resource(Kind::Deposit),
        families: [WebhookFamily::ConnectDeposits].into(),
    };
    assert_eq!(claim, expected);
}

#[test]
fn a_claim_names_every_family_that_reported_the_deposit_whichever_was_last() {
    use WebhookFamily::{ConnectDeposits, ConnectTransactions};

    let by = |statement: &Statement, family: Option<WebhookFamily>| {
        with(statement.clone(), |details| details.family = family)
    };
    let (pending, confirmed) = (with(deposit("pending", 0), with_coin), with(deposit("confirmed", 40), with_coin));
    let listed = by(&listed(&confirmed), Some(ConnectTransactions));
    let unnamed = by(&deposit("held", 20), None);
    for (facts, families) in [
        (vec![&confirmed], vec![ConnectDeposits]),
        (vec![&pending, &unnamed, &confirmed], vec![ConnectDeposits]),
        (vec![&listed], vec![ConnectTransactions]),
        (vec![&listed, &unnamed], vec![ConnectTransactions]),
        (vec![&pending, &listed], vec![ConnectDeposits, ConnectTransactions]),
        (vec![&listed, &pending], vec![ConnectDeposits, ConnectTransactions]),
        (vec![&pending, &listed, &confirmed], vec![ConnectDeposits, ConnectTransactions]),
        (vec![&by(&confirmed, None)], vec![]),
    ] {
        let claim = folded(facts.clone()).claim_due().expect("a claim");
        assert_eq!(claim.families, families.into_iter().collect(), "{facts:#?}");
    }
}

#[test]
fn a_coin_has_one_name_in_every_spelling_and_no_other_coin_has_it() {
    let base58 = "5VERv8NMvzbJMEkV8xnrLkEaWRtSz9CosKDYjCJjBRnb";
    let coin = |hash: &str, address: &str, asset: &str| {
        let claim = claim_of(|details| {
            details.transaction.hash = Some(hash.to_owned());
            details.transaction.to = Some(address.to_owned());
            details.asset = Some(asset.to_owned());
        });
        claim.expect("a claim").coin
    };
    let known = coin("0xabcdef12", "0xe7F436F9", "USDC");
    for (hash, address, asset, is_same) in [
        ("abcdef12", "0xe7F436F9", "USDC", true),
        ("0XABCDEF12", "0xe7F436F9", "USDC", true),
        ("0xabcdef12-0", "0xe7F436F9", "USDC", true),
        ("ABCDEF12-17", "0xe7F436F9", "USDC", true),
        ("0xabcdef12", "0xE7F436F9", "USDC", true),
        ("0xabcdef12", "0XE7f436f9", "usdc", true),
        ("0xabcdef13", "0xe7F436F9", "USDC", false),
        ("0xabcdef12-x", "0xe7F436F9", "USDC", false),
        ("0xabcdef12", "0xe7F436F8", "USDC", false),
        ("0xabcdef12", "0xe7F436F9", "USDT", false),
    ] {
        assert_eq!(coin(hash, address, asset) == known, is_same, "{hash} to {address} of {asset}");
    }
    // Solana's alphabet distinguishes capitals from small letters; bech32 does not.
    let solana = coin(base58, base58, "SOL");
    assert_eq!(coin(&format!("{base58}-0"), base58, "SOL"), solana);
    assert_ne!(coin(&base58.to_lowercase(), base58, "SOL"), solana);
    assert_ne!(coin(base58, &base58.to_lowercase(), "SOL"), solana);
    assert_eq!(coin("ab12", "BC1QW508D6", "BTC"), coin("ab12", "bc1qw508d6", "BTC"));
}

#[test]
fn an_unknown_network_is_not_taken_as_another_chain() {
    let on = |network: &str| claim_of(|details| details.network = Some(Network::named(network))).expect("a claim");
    let taken = Claim { families: [WebhookFamily::ZerohashFund].into(), owner: owner(), ..on("Somechain") };
    assert!(!on("SOME-CHAIN-MAINNET").coexists_with(&taken), "two unknown spellings may be one chain");
    assert!(!on("base").coexists_with(&taken));
    assert!(on("base").coexists_with(&Claim { network: on("ethereum").network, ..taken }));
}

#[test]
fn the_network_is_not_part_of_the_coins_name() {
    let coin =
        |network: Option<&str>| claim_of(|details| details.network = network.map(Network::named)).expect("a claim");
    assert_eq!(coin(Some("ETH")).coin, coin(None).coin);
    assert_eq!(coin(Some("ETH")).network, coin(Some("Ethereum")).network);
    assert_eq!(coin(None).network, None);
}

#[test]
fn only_another_familys_claim_on_the_same_chain_makes_a_duplicate() {
    use WebhookFamily::{ConnectDeposits, ConnectTransactions, ConnectWithdrawals, ZerohashFund};

    let claim = |feed: &str, native: &str, families: &[WebhookFamily], network: Option<&str>| Claim {
        coin: "abcdef12#0xe7f436f9#USDC".to_owned(),
        network: network.map(str::to_owned),
        owner: ResourceId::new(Kind::Deposit, feed.parse::<Feed>().expect("a feed"), native).expect("an id"),
        families: families.iter().copied().collect(),
    };
    let taken = claim("connect", "1", &[ConnectDeposits], Some("ethereum"));
    let unsaid = claim("connect", "1", &[ConnectDeposits], None);
    let fund = |network| claim("zerohash", "2", &[ZerohashFund], network);
    let by_list = |native| claim("connect", native, &[ConnectTransactions], Some("ethereum"));
    let by_both = |native| claim("connect", native, &[ConnectDeposits, ConnectTransactions], Some("ethereum"));
    let (listed_too, taken_listed_too) = (by_both("2"), by_both("1"));
    for (case, one, taken, coexist) in [
        (
            "one family reports each coin once",
            claim("connect", "2", &[ConnectDeposits], Some("ethereum")),
            &taken,
            true,
        ),
        ("one family that does not state the chain", claim("connect", "2", &[ConnectDeposits], None), &unsaid, true),
        ("another family on the same chain", fund(Some("ethereum")), &taken, false),
        ("another family on another chain", fund(Some("base")), &taken, true),
        ("another family that does not state the chain", fund(None), &taken, false),
        ("another family, and the first does not state the chain", fund(Some("base")), &unsaid, false),
        ("neither states the chain", fund(None), &unsaid, false),
        (
            "another family of the same feed",
            claim("connect", "2", &[ConnectWithdrawals], Some("ethereum")),
            &taken,
            false,
        ),
        (
            "the same family in another feed",
            claim("zerohash", "2", &[ConnectDeposits], Some("ethereum")),
            &taken,
            false,
        ),
        ("webhooks reported both, and the list reported one of them too", listed_too, &taken, true),
        ("webhooks reported one, and the list the other", by_list("2"), &taken, false),
        ("the list reported both, and webhooks one of them too", by_list("2"), &taken_listed_too, true),
    ] {
        assert_eq!(one.coexists_with(taken), coexist, "{case}");
        assert_eq!(taken.coexists_with(&one), coexist, "{case}, in the other order");
    }
}

/// The events of `statements` when the first write after the version `after` found the coin claimed by `owner`.
fn duplicates(statements: &[Statement], after: u64) -> Vec<Event> {
    events_after(&folded(statements).duplicating(owner(), after), 0)
}

#[test]
fn a_confirmed_deposit_of_a_coin_that_is_already_credited_is_published_as_a_duplicate() {
    let (pending, confirmed) = (deposit("pending", 0), with(deposit("confirmed", 40), with_coin));
    let late = deposit("submitted", 10);
    for (case, statements, after, outcomes) in [
        ("alone", vec![&confirmed], 0, vec!["duplicate"]),
        ("in a separate write", vec![&pending, &confirmed], 1, vec!["pending", "duplicate"]),
        (
            "together with earlier webhooks",
            vec![&pending, &late, &confirmed],
            0,
            vec!["pending", "submitted", "duplicate"],
        ),
        ("together with later webhooks", vec![&confirmed, &late, &pending], 0, vec!["duplicate", "updated", "updated"]),
        (
            "between others of one write",
            vec![&pending, &late, &confirmed, &deposit("held", 20)],
            1,
            vec!["pending", "submitted", "duplicate", "updated"],
        ),
    ] {
        let statements: Vec<Statement> = statements.into_iter().cloned().collect();
        let events = duplicates(&statements, after);
        let expected: Vec<String> = outcomes.iter().map(|outcome| format!("fundhook.deposit.{outcome}")).collect();
        assert_eq!(types(&events), expected, "{case}");
        let duplicate = events.iter().position(|event| event.event_type == "fundhook.deposit.duplicate");
        let (before, since) = events.split_at(duplicate.expect("a duplicate"));
        assert!(since.iter().all(|event| event.data.duplicate_of == Some(owner())), "{case}: it stays a duplicate");
        let mut known_before = before.iter().take_while(|event| event.sequence <= after);
        assert!(known_before.all(|event| event.data.duplicate_of.is_none()), "{case}: not known yet");
        assert_eq!((since[0].data.status, since[0].data.is_final), (Some("confirmed"), true), "{case}");
    }
    let json = serde_json::to_value(&duplicates(&[confirmed], 0)[0]).expect("JSON");
    assert_eq!(json["data"]["duplicate_of"], "deposit#zerohash#fund-1");
}

#[test]
fn the_statement_that_reveals_a_duplicate_may_arrive_after_it_was_published_as_confirmed() {
    let (silent, hash) = (deposit("confirmed", 40), with(deposit("submitted", 10), with_coin));
    let again = in_other_bytes("again", &silent);
    for (case, statements, after, outcomes) in [
        ("alone", vec![&silent, &hash], 1, vec!["confirmed", "duplicate"]),
        (
            "with more after it",
            vec![&silent, &hash, &deposit("held", 20)],
            1,
            vec!["confirmed", "duplicate", "updated"],
        ),
        (
            "with more before it",
            vec![&silent, &deposit("held", 20), &hash],
            1,
            vec!["confirmed", "duplicate", "updated"],
        ),
        ("after an update", vec![&silent, &deposit("held", 20), &hash], 2, vec!["confirmed", "updated", "duplicate"]),
        // A repetition publishes nothing, so it cannot announce the duplicate.
        ("after a repetition in the same write", vec![&silent, &again, &hash], 1, vec!["confirmed", "duplicate"]),
        ("after a repetition in a write before", vec![&silent, &again, &hash], 2, vec!["confirmed", "duplicate"]),
    ] {
        let statements: Vec<Statement> = statements.into_iter().cloned().collect();
        let events = duplicates(&statements, after);
        let expected: Vec<String> = outcomes.iter().map(|outcome| format!("fundhook.deposit.{outcome}")).collect();
        assert_eq!(types(&events), expected, "{case}");
    }
}

#[test]
fn events_published_before_the_duplicate_was_known_and_all_ids_stay_the_same() {
    let statements = [
        deposit("pending", 0),
        deposit("confirmed", 40),
        in_other_bytes("again", &deposit("pending", 0)),
        with(deposit("submitted", 10), with_coin),
        deposit("held", 20),
    ];
    let plain = folded(&statements);
    let published = events_after(&plain, 0);
    let ids = |events: &[Event]| events.iter().map(|event| event.id.clone()).collect::<Vec<_>>();
    for after in 0..=plain.version() {
        let events = events_after(&plain.clone().duplicating(owner(), after), 0);
        assert_eq!(ids(&events), ids(&published), "known after {after}");
        let known_before = plain.facts().iter().filter(|fact| fact.version <= after && !fact.repeats).count();
        assert_eq!(events[..known_before], published[..known_before], "known after {after}");
        assert_eq!(events.len(), 4);
    }
    // Owning the coin changes neither the events nor the view.
    assert_eq!(events_after(&plain.clone().owning_its_coin(), 0), published);
    assert_eq!(plain.clone().duplicating(owner(), 0).view(), plain.view());
}

#[test]
fn a_duplicate_with_conflicting_final_statuses_needs_review() {
    let statements = [with(deposit("confirmed", 40), with_coin), deposit("failed", 50)];
    let events = duplicates(&statements, 0);
    assert_eq!(types(&events), ["fundhook.deposit.duplicate", "fundhook.deposit.conflicting"]);
    assert_eq!(events[1].data.duplicate_of, Some(owner()));
}

#[test]
fn an_ownership_reads_back_as_it_was_written() {
    for ownership in [Ownership::Unclaimed, Ownership::Owner, Ownership::DuplicateOf { owner: owner(), after: 7 }] {
        let json = serde_json::to_string(&ownership).expect("JSON");
        assert_eq!(serde_json::from_str::<Ownership>(&json).expect("an ownership"), ownership, "{json}");
        let confirmed = folded([&with(deposit("confirmed", 40), with_coin)]);
        let read = Resource::from_facts(confirmed.id().clone(), confirmed.facts().to_vec(), ownership.clone());
        assert_eq!(*read.ownership(), ownership);
        assert_eq!(read.claim_due().is_some(), ownership == Ownership::Unclaimed);
    }
}

#[test]
fn coins_of_different_organizations_have_different_names() {
    let coin_of = |tenant: &str| {
        let mut confirmed = with(deposit("confirmed", 40), with_coin);
        let feed: Feed = format!("connect{tenant}").parse().expect("a feed");
        confirmed.resource = ResourceId::new(Kind::Deposit, feed, "1").expect("an id");
        folded([&confirmed]).claim_due().expect("a claim").coin
    };
    let coins = [coin_of(""), coin_of("/acme"), coin_of("/bolt")];
    assert!(coins[1].starts_with("acme/") && coins[1].ends_with(&coins[0]), "{coins:?}");
    assert_ne!(coins[1], coins[2]);
}
