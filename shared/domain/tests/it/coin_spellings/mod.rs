//! Generated coins of each family: every spelling is the same coin, and every other coin differs.

mod families;

use fundhook_domain::{CoinId, Network, ToldCoin, split_asset_code, transaction_ids};
use proptest::array::uniform5;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

use families::{families, ripple, short, stellar};

fn coin(hash: &str, address: &str, (asset, network): (&str, Option<&str>)) -> CoinId {
    let network = network.map(Network::named);
    CoinId::of(ToldCoin {
        hash: Some(hash),
        address: Some(address),
        tag: None,
        asset: Some(asset),
        network: network.as_ref(),
    })
}

fn bytes_32() -> impl Strategy<Value = [u8; 32]> {
    // A leading zero shows whether lengths are counted in bytes.
    prop_oneof![any::<[u8; 32]>(), any::<[u8; 32]>().prop_map(|key| short(&key))]
}

/// Texts of any characters, and of those that ids and addresses consist of.
fn any_texts() -> impl Strategy<Value = [String; 5]> {
    uniform5(prop_oneof![
        "\\PC*",
        "(0x|0X|41|[13MTXrGzq]|bc1|BC1|EQ|X-avax1|0:|addr1)?[0-9a-fA-F]{0,130}([-:_#][0-9]{0,25})?",
        "(r|X|T|M|G|bitcoincash:|stellar:)?[1-9A-HJ-NP-Za-km-z]{0,130}([-:?][a-z=0-9é]{0,9})?",
        "[A-Z2-7]{50,70}(/inner/[0-9]{0,30})?",
        "[qpzry9x8gf2tvdw0s3jn54khce6mua7l1]{30,120}",
        "[A-Za-z0-9+/_-]{40,50}={0,2}",
        "[0-9]{0,25}[.][0-9]{0,25}[.][0-9]{0,25}[@.-][0-9.-]{0,30}[?/a-z0-9]{0,12}",
        "[A-Z]{0,5}[._-](BASE|POLYGON|TRC20|E|[A-Zé]{0,3})",
    ])
}

/// A known network of each family, or `None` for a generated name.
fn any_network() -> impl Strategy<Value = Option<&'static str>> {
    let names: &'static [&'static str] = &[
        "algorand",
        "aptos",
        "avalanche p",
        "avalanche x",
        "bitcoin",
        "bitcoin cash",
        "cardano",
        "cosmos hub",
        "dogecoin",
        "ethereum",
        "hedera",
        "lightning",
        "litecoin",
        "near",
        "polkadot",
        "solana",
        "stellar",
        "sui",
        "ton",
        "tron",
        "xrp ledger",
        "hypercore",
    ];
    prop_oneof![Just(None), proptest::sample::select(names).prop_map(Some)]
}

proptest! {
    #[test]
    fn every_spelling_of_a_coin_is_the_same_coin(id in bytes_32(), key in bytes_32()) {
        for spelled in families(&id, &key) {
            let first = coin(&spelled.ids[0], &spelled.addresses[0], spelled.places[0]);
            for id in &spelled.ids {
                for address in &spelled.addresses {
                    for place in spelled.places {
                        let told = coin(id, address, *place);
                        prop_assert_eq!(&told, &first, "{} {} {:?}", id, address, place);
                        prop_assert!(told.is_same_coin_as(&first), "{} {} {:?}", id, address, place);
                    }
                }
            }
            let chain = first.chain().expect("a chain");
            let canonical = coin(
                first.transaction().expect("an id"),
                first.address().expect("an address"),
                (first.asset().expect("an asset"), Some(chain)),
            );
            prop_assert_eq!(&canonical, &first, "the canonical spelling is one too");
        }
    }

    #[test]
    fn every_notation_of_an_output_is_one_output_and_another_number_another(
        id in bytes_32(), key in bytes_32(), output in 0..2000_u32,
    ) {
        for spelled in families(&id, &key).iter().filter(|spelled| spelled.has_outputs) {
            let (id, address, place) = (&spelled.ids[0], &spelled.addresses[0], spelled.places[0]);
            let whole = coin(id, address, place);
            let told = |separator: char, output: u32| coin(&format!("{id}{separator}{output}"), address, place);
            let first = told('-', output);
            let expected = output.to_string();
            prop_assert_eq!(first.output(), Some(expected.as_str()), "{}", id);
            for separator in ['-', ':', '_', '#'] {
                prop_assert_eq!(&told(separator, output), &first, "{}{}", id, separator);
                prop_assert!(first.is_same_coin_as(&whole) && whole.is_same_coin_as(&first));
                let other = told(separator, output + 1);
                prop_assert!(!first.is_same_coin_as(&other) && first.shares_transaction_with(&other), "{}", id);
            }
        }
    }

    #[test]
    fn another_transaction_address_asset_or_chain_is_another_coin(
        id in bytes_32(), key in bytes_32(), other_id in bytes_32(), other_key in bytes_32(),
    ) {
        let others = families(&other_id, &other_key);
        for (spelled, other) in families(&id, &key).iter().zip(&others) {
            let ((asset, network), address) = (spelled.places[0], &spelled.addresses[0]);
            let first = coin(&spelled.ids[0], address, (asset, network));
            let differs = |coin: &CoinId| !first.is_same_coin_as(coin) && !coin.is_same_coin_as(&first);
            if spelled.ids[0] != other.ids[0] {
                prop_assert!(differs(&coin(&other.ids[0], address, (asset, network))), "{}", other.ids[0]);
            }
            if *address != other.addresses[0] {
                let other = coin(&spelled.ids[0], &other.addresses[0], (asset, network));
                prop_assert!(differs(&other) && !first.could_be(&other), "{}", address);
            }
            prop_assert!(differs(&coin(&spelled.ids[0], address, ("OTHER", network))), "{}", asset);
            prop_assert!(differs(&coin(&spelled.ids[0], address, (asset, Some("optimism")))), "{}", asset);
        }
    }

    #[test]
    fn base58_in_another_case_is_another_text(id in bytes_32(), key in bytes_32()) {
        let (signature, address) = (bs58::encode([id, key].concat()).into_string(), bs58::encode(key).into_string());
        let place = ("USDC", Some("solana"));
        let first = coin(&signature, &address, place);
        let lower = coin(&signature.to_lowercase(), &address, place);
        prop_assert_eq!(first.is_same_coin_as(&lower), signature == signature.to_lowercase());
        let lower = coin(&signature, &address.to_lowercase(), place);
        prop_assert_eq!(first.is_same_coin_as(&lower), address == address.to_lowercase());
    }

    #[test]
    fn digits_that_belong_to_an_id_are_never_an_output(one in 0..1_000_000_000_u32, other in 0..1_000_000_000_u32) {
        for (network, id) in [("hedera", "0.0.9401-1598924675"), ("polkadot", "24680135")] {
            let told = |number: u32| coin(&format!("{id}-{number}"), "0.0.48213", ("USDC", Some(network)));
            prop_assert_eq!(told(one).is_same_coin_as(&told(other)), one == other);
            let without_network = coin(&format!("{id}-{one}"), "0.0.48213", ("USDC", None));
            prop_assert_eq!(without_network.output(), None);
            prop_assert!(without_network.is_same_coin_as(&told(one)));
        }
    }

    #[test]
    fn every_notation_of_a_tag_is_the_same_tag_and_only_a_muxed_one_separates(
        key in bytes_32(), number in any::<u32>(), other in any::<u32>(),
    ) {
        let hash = "ab".repeat(32);
        let xrp = ripple(&[&[0], &key[..20]]);
        let x_address = ripple(&[&[5, 0x44], &key[..20], &[1], &u64::from(number).to_le_bytes()]);
        let account = stellar(6, &[&key]);
        let muxed = |number: u32| stellar(12, &[&key, &u64::from(number).to_be_bytes()]);
        let of = |address: &str, asset: &str| coin(&hash, address, (asset, None));
        let first = of(&format!("{xrp}?dt={number}"), "XRP");
        for spelled in [format!("{xrp}:{number}"), format!("{xrp}-{number}"), format!("{xrp}:0{number}"), x_address] {
            prop_assert_eq!(&of(&spelled, "XRP"), &first);
        }
        let value = number.to_string();
        prop_assert_eq!(first.tag().map(|tag| tag.value()), Some(value.as_str()));
        prop_assert!(first.is_same_coin_as(&of(&format!("{xrp}?dt={other}"), "XRP")), "a hash has one tag");
        prop_assert!(of(&xrp, "XRP").tag().is_none(), "no tag is not the tag 0");

        let (memo, in_address) = (of(&format!("{account}:{number}"), "XLM"), of(&muxed(number), "XLM"));
        prop_assert_eq!(memo.address(), in_address.address());
        prop_assert!(memo.is_same_coin_as(&in_address));
        prop_assert_eq!(in_address.is_same_coin_as(&of(&muxed(other), "XLM")), number == other);
    }

    #[test]
    fn a_typed_transaction_is_found_under_the_id_that_its_coin_has(id in bytes_32(), key in bytes_32(), output in 0..99_u8) {
        for spelled in families(&id, &key) {
            for id in &spelled.ids {
                let told = coin(id, &spelled.addresses[0], spelled.places[0]);
                let typed = if spelled.has_outputs { format!(" {id}:{output} ") } else { id.clone() };
                let found = transaction_ids(&typed);
                prop_assert!(found.iter().any(|found| Some(found.as_str()) == told.transaction()), "{}: {:?}", id, found);
            }
        }
    }

    #[test]
    fn no_text_is_rejected_by_a_panic([hash, address, tag, asset, name] in any_texts(), network in any_network()) {
        let network = network.map_or_else(|| Network::named(&name), Network::named);
        for network in [Some(&network), None] {
            let told = ToldCoin { hash: Some(&hash), address: Some(&address), tag: Some(&tag), asset: Some(&asset), network };
            let first = CoinId::of(told);
            prop_assert!(first.could_be(&first));
            prop_assert_eq!(first.is_same_coin_as(&first), first.transaction().is_some());
        }
        transaction_ids(&hash);
        split_asset_code(&asset);
    }
}

#[test]
fn text_that_names_no_transaction_is_no_id() {
    let uuid = "ec963207-69f4-44d0-9251-2977dda86fcd";
    for text in [
        "",
        "  ",
        "-",
        "a8fb...cfc",
        "a8fb…cfc",
        uuid,
        &uuid.to_uppercase(),
        &uuid.replace('-', ""),
        &format!("{uuid}-0"),
        "1708631671631",
        "1708631671631-0",
        "null",
        "N/A",
        "Pending",
        "0x",
        "0x0000000000000000000000000000000000000000000000000000000000000000",
    ] {
        for network in [None, Some("ethereum"), Some("solana"), Some("Somechain")] {
            assert_eq!(coin(text, "0x1", ("USDC", network)).transaction(), None, "{text} on {network:?}");
        }
    }
    assert_eq!(transaction_ids(uuid), [""; 0]);
    assert_eq!(transaction_ids(""), [""; 0]);
    assert_eq!(transaction_ids("1708631671631"), ["1708631671631"], "it may be a version of Aptos");
}

#[test]
fn a_text_of_unknown_form_is_kept_byte_for_byte() {
    for text in ["a-b", "tx-1", "Tx_9", "0xE1zz", "hash:0xAbC"] {
        let told = coin(text, text, ("USDC", Some("Somechain")));
        assert_eq!((told.transaction(), told.output(), told.address()), (Some(text), None, Some(text)));
    }
    for (text, id, output) in [("0xCD9e98ae", "cd9e98ae", None), ("b33c8514-0", "b33c8514", Some("0"))] {
        let told = coin(text, "0xAbC", ("USDC", None));
        assert_eq!((told.transaction(), told.output(), told.address()), (Some(id), output, Some("0xabc")));
    }
}

#[test]
fn a_form_that_contradicts_the_chain_is_read_by_its_form() {
    let hash = format!("0x{}", "AB".repeat(32));
    let told = coin(&hash, "0x34F5A1B2c3D4e5F60718293a4B5c6d7e8f90f248", ("BTC", Some("bitcoin")));
    assert_eq!(told.transaction(), Some("ab".repeat(32).as_str()));
    assert_eq!(told.address(), Some("0x34f5a1b2c3d4e5f60718293a4b5c6d7e8f90f248"));
    let base58 = "FLaUcxdNxRwnaSXp6pXeRSfANXEHouqYbqF6X1bgRxg2";
    let told = coin(&format!("{base58}-3"), base58, ("USDC", Some("base")));
    assert_eq!((told.transaction(), told.output(), told.address()), (Some(base58), Some("3"), Some(base58)));
}
