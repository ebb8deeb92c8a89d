//! The same coin may reach a platform through two feeds, and is credited once (DESIGN.md section 3.2).

use fundhook_domain::{
    Claim, Event, Feed, Kind, Network, Ownership, Provider, Resource, ResourceId, Statement, TransferDetails,
    events_after,
};

use crate::support::{deposit, folded, in_other_bytes, listed, resource, types, whole_deposit, with, withdrawal};

/// Whatever a deposit's webhook says of its coin.
fn said(details: &mut TransferDetails) {
    whole_deposit(details);
    details.stream = Some("connect.deposits".to_owned());
}

/// The deposit of the same coin that is credited.
fn owner() -> ResourceId {
    ResourceId::new(Kind::Deposit, Provider::Zerohash, "fund-1").expect("an id")
}

/// The claim of a confirmed deposit of which so much is said.
fn claim_of(say: impl FnOnce(&mut TransferDetails)) -> Option<Claim> {
    let confirmed = with(deposit("confirmed", 40), |details| {
        said(details);
        say(details);
    });
    folded([&confirmed]).claim_due()
}

#[test]
fn a_deposit_claims_its_coin_once_it_is_confirmed_and_its_transaction_known() {
    let (pending, silent) = (with(deposit("pending", 0), said), deposit("confirmed", 40));
    let confirmed = with(silent.clone(), said);
    let without = |take: fn(&mut TransferDetails)| with(confirmed.clone(), take);
    for (case, statements, is_due) in [
        ("confirmed", vec![confirmed.clone()], true),
        ("pending", vec![pending.clone()], false),
        ("held", vec![with(deposit("held", 0), said)], false),
        ("unexpected", vec![with(deposit("unexpected", 0), said)], false),
        ("failed", vec![with(deposit("failed", 0), said)], false),
        ("confirmed, known from before", vec![pending.clone(), silent.clone()], true),
        ("confirmed, known only afterwards", vec![silent.clone(), pending], true),
        ("confirmed without a transaction", vec![silent], false),
        ("without a hash", vec![without(|details| details.transaction.hash = None)], false),
        ("without an address", vec![without(|details| details.transaction.to = None)], false),
        ("without an asset", vec![without(|details| details.asset = None)], false),
        ("without a network", vec![without(|details| details.network = None)], true),
        ("confirmed, and contradicted after that was said", vec![confirmed.clone(), deposit("failed", 50)], true),
        ("contradicted before it was confirmed", vec![deposit("failed", 50), confirmed.clone()], false),
        ("a withdrawal", vec![with(withdrawal("confirmed", 40), said)], false),
    ] {
        assert_eq!(folded(&statements).claim_due().is_some(), is_due, "{case}");
    }
    let resource = folded([&confirmed]);
    assert_eq!(resource.clone().owning_its_coin().claim_due(), None, "it has it already");
    assert_eq!(resource.duplicating(owner(), 0).claim_due(), None, "another has it already");
}

#[test]
fn a_claim_says_which_coin_and_who_tells_of_it() {
    let claim = claim_of(|_| {}).expect("a claim");
    let expected = Claim {
        coin: "c9d43618#0xe7f436f9#BTC".to_owned(),
        network: Some("bip122:000000000019d6689c085ae165831e93".to_owned()),
        owner: resource(Kind::Deposit),
        stream: "connect.deposits".to_owned(),
    };
    assert_eq!(claim, expected);
}

#[test]
fn a_claim_names_each_stream_that_told_of_the_deposit_once_whichever_told_last() {
    let of_stream = |statement: &Statement, stream: Option<&str>| {
        with(statement.clone(), |details| details.stream = stream.map(str::to_owned))
    };
    let (pending, confirmed) = (with(deposit("pending", 0), said), with(deposit("confirmed", 40), said));
    let listed = of_stream(&listed(&confirmed), Some("connect.transactions"));
    let unnamed = of_stream(&deposit("held", 20), None);
    for (facts, streams) in [
        (vec![&confirmed], "connect.deposits"),
        (vec![&pending, &unnamed, &confirmed], "connect.deposits"),
        (vec![&listed], "connect.transactions"),
        (vec![&listed, &unnamed], "connect.transactions"),
        (vec![&pending, &listed], "connect.deposits connect.transactions"),
        (vec![&listed, &pending], "connect.deposits connect.transactions"),
        (vec![&pending, &listed, &confirmed], "connect.deposits connect.transactions"),
        (vec![&of_stream(&confirmed, None)], ""),
    ] {
        let claim = folded(facts.clone()).claim_due().expect("a claim");
        assert_eq!(claim.stream, streams, "{facts:#?}");
    }
}

#[test]
fn a_coin_has_one_key_in_every_spelling_and_no_other_coin_has_it() {
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
    // Solana's alphabet tells capitals from small letters; bech32 does not.
    let solana = coin(base58, base58, "SOL");
    assert_eq!(coin(&format!("{base58}-0"), base58, "SOL"), solana);
    assert_ne!(coin(&base58.to_lowercase(), base58, "SOL"), solana);
    assert_ne!(coin(base58, &base58.to_lowercase(), "SOL"), solana);
    assert_eq!(coin("ab12", "BC1QW508D6", "BTC"), coin("ab12", "bc1qw508d6", "BTC"));
}

#[test]
fn a_network_in_an_unknown_spelling_is_not_taken_for_another_chain() {
    let on = |network: &str| claim_of(|details| details.network = Some(Network::named(network))).expect("a claim");
    let taken = Claim { stream: "zerohash.fund".to_owned(), owner: owner(), ..on("Somechain") };
    assert!(!on("SOME-CHAIN-MAINNET").coexists_with(&taken), "two spellings that nobody knows may be one chain");
    assert!(!on("base").coexists_with(&taken));
    assert!(on("base").coexists_with(&Claim { network: on("ethereum").network, ..taken }));
}

#[test]
fn the_network_is_no_part_of_the_key() {
    let coin =
        |network: Option<&str>| claim_of(|details| details.network = network.map(Network::named)).expect("a claim");
    assert_eq!(coin(Some("ETH")).coin, coin(None).coin);
    assert_eq!(coin(Some("ETH")).network, coin(Some("Ethereum")).network);
    assert_eq!(coin(None).network, None);
}

#[test]
fn only_another_streams_claim_on_the_same_chain_makes_a_duplicate() {
    let claim = |feed: &str, native: &str, stream: &str, network: Option<&str>| Claim {
        coin: "abcdef12#0xe7f436f9#USDC".to_owned(),
        network: network.map(str::to_owned),
        owner: ResourceId::new(Kind::Deposit, feed.parse::<Feed>().expect("a feed"), native).expect("an id"),
        stream: stream.to_owned(),
    };
    let taken = claim("connect", "1", "connect.deposits", Some("ethereum"));
    let unsaid = claim("connect", "1", "connect.deposits", None);
    let fund = |network| claim("zerohash", "2", "zerohash.fund", network);
    let by_the_list = |native| claim("connect", native, "connect.transactions", Some("ethereum"));
    let by_both = |native| claim("connect", native, "connect.deposits connect.transactions", Some("ethereum"));
    let (listed_too, taken_listed_too) = (by_both("2"), by_both("1"));
    for (case, one, taken, beside) in [
        (
            "one stream tells of each coin once",
            claim("connect", "2", "connect.deposits", Some("ethereum")),
            &taken,
            true,
        ),
        (
            "and so it does where it leaves the chain unsaid",
            claim("connect", "2", "connect.deposits", None),
            &unsaid,
            true,
        ),
        ("another stream on the same chain", fund(Some("ethereum")), &taken, false),
        ("another stream on another chain", fund(Some("base")), &taken, true),
        ("another stream that leaves the chain unsaid", fund(None), &taken, false),
        ("another stream where the first left it unsaid", fund(Some("base")), &unsaid, false),
        ("neither says the chain", fund(None), &unsaid, false),
        ("another stream of the same feed", claim("connect", "2", "connect.other", Some("ethereum")), &taken, false),
        (
            "the same stream's name in another feed",
            claim("zerohash", "2", "connect.deposits", Some("ethereum")),
            &taken,
            false,
        ),
        ("webhooks told of both, and the list of one as well", listed_too, &taken, true),
        ("webhooks told of the one, and the list of the other", by_the_list("2"), &taken, false),
        ("the list told of both, and webhooks of one as well", by_the_list("2"), &taken_listed_too, true),
    ] {
        assert_eq!(one.coexists_with(taken), beside, "{case}");
        assert_eq!(taken.coexists_with(&one), beside, "{case}, the other way round");
    }
}

/// The events of `signals` when the coin turned out to be `owner`'s with the first write after the version `after`.
fn duplicates(statements: &[Statement], after: u64) -> Vec<Event> {
    events_after(&folded(statements).duplicating(owner(), after), 0)
}

#[test]
fn a_confirmed_deposit_of_a_coin_that_is_credited_already_is_published_as_a_duplicate() {
    let (pending, confirmed) = (deposit("pending", 0), with(deposit("confirmed", 40), said));
    let late = deposit("submitted", 10);
    for (case, statements, after, said) in [
        ("alone", vec![&confirmed], 0, vec!["duplicate"]),
        ("in a write of its own", vec![&pending, &confirmed], 1, vec!["pending", "duplicate"]),
        (
            "together with what came before it",
            vec![&pending, &late, &confirmed],
            0,
            vec!["pending", "submitted", "duplicate"],
        ),
        (
            "together with what came after it",
            vec![&confirmed, &late, &pending],
            0,
            vec!["duplicate", "updated", "updated"],
        ),
        (
            "in the midst of a write",
            vec![&pending, &late, &confirmed, &deposit("held", 20)],
            1,
            vec!["pending", "submitted", "duplicate", "updated"],
        ),
    ] {
        let statements: Vec<Statement> = statements.into_iter().cloned().collect();
        let events = duplicates(&statements, after);
        let expected: Vec<String> = said.iter().map(|said| format!("fundhook.deposit.{said}")).collect();
        assert_eq!(types(&events), expected, "{case}");
        let duplicate = events.iter().position(|event| event.event_type == "fundhook.deposit.duplicate");
        let (before, since) = events.split_at(duplicate.expect("there is one"));
        assert!(since.iter().all(|event| event.data.duplicate_of == Some(owner())), "{case}: it stays a duplicate");
        let mut known_before = before.iter().take_while(|event| event.sequence <= after);
        assert!(known_before.all(|event| event.data.duplicate_of.is_none()), "{case}: not known yet");
        assert_eq!((since[0].data.status, since[0].data.is_final), ("confirmed", true), "{case}");
    }
    let json = serde_json::to_value(&duplicates(&[confirmed], 0)[0]).expect("JSON");
    assert_eq!(json["data"]["duplicate_of"], "deposit#zerohash#fund-1");
}

#[test]
fn what_shows_a_confirmed_deposit_to_be_a_duplicate_may_come_after_it_was_published() {
    let (silent, hash) = (deposit("confirmed", 40), with(deposit("submitted", 10), said));
    let again = in_other_bytes("again", &silent);
    for (case, statements, after, said) in [
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
        // A repetition publishes nothing, so it cannot be what says it.
        ("after a repetition in the same write", vec![&silent, &again, &hash], 1, vec!["confirmed", "duplicate"]),
        ("after a repetition in a write before", vec![&silent, &again, &hash], 2, vec!["confirmed", "duplicate"]),
    ] {
        let statements: Vec<Statement> = statements.into_iter().cloned().collect();
        let events = duplicates(&statements, after);
        let expected: Vec<String> = said.iter().map(|said| format!("fundhook.deposit.{said}")).collect();
        assert_eq!(types(&events), expected, "{case}");
    }
}

#[test]
fn what_was_published_before_it_was_known_stays_as_it_was_and_no_id_changes() {
    let statements = [
        deposit("pending", 0),
        deposit("confirmed", 40),
        in_other_bytes("again", &deposit("pending", 0)),
        with(deposit("submitted", 10), said),
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
    // To own the coin changes nothing that is said, and nothing that is known.
    assert_eq!(events_after(&plain.clone().owning_its_coin(), 0), published);
    assert_eq!(plain.clone().duplicating(owner(), 0).view(), plain.view());
}

#[test]
fn a_duplicate_that_comes_to_contradict_itself_needs_a_person() {
    let statements = [with(deposit("confirmed", 40), said), deposit("failed", 50)];
    let events = duplicates(&statements, 0);
    assert_eq!(types(&events), ["fundhook.deposit.duplicate", "fundhook.deposit.conflicting"]);
    assert_eq!(events[1].data.duplicate_of, Some(owner()));
}

#[test]
fn a_resource_reads_back_whose_coin_it_is() {
    for ownership in [Ownership::Unclaimed, Ownership::Owner, Ownership::DuplicateOf { owner: owner(), after: 7 }] {
        let json = serde_json::to_string(&ownership).expect("JSON");
        assert_eq!(serde_json::from_str::<Ownership>(&json).expect("an ownership"), ownership, "{json}");
        let confirmed = folded([&with(deposit("confirmed", 40), said)]);
        let read = Resource::from_facts(confirmed.id().clone(), confirmed.facts().to_vec(), ownership.clone());
        assert_eq!(*read.ownership(), ownership);
        assert_eq!(read.claim_due().is_some(), ownership == Ownership::Unclaimed);
    }
}

#[test]
fn the_coins_of_one_organization_are_no_other_ones() {
    let of = |tenant: &str| {
        let mut confirmed = with(deposit("confirmed", 40), said);
        let feed: Feed = format!("connect{tenant}").parse().expect("a feed");
        confirmed.resource = ResourceId::new(Kind::Deposit, feed, "1").expect("an id");
        folded([&confirmed]).claim_due().expect("it is due").coin
    };
    let coins = [of(""), of("/acme"), of("/bolt")];
    assert!(coins[1].starts_with("acme/") && coins[1].ends_with(&coins[0]), "{coins:?}");
    assert_ne!(coins[1], coins[2]);
}
