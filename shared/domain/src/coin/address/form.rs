//! Which family an address belongs to by its form alone.

use bs58::Alphabet;

use super::{cashaddr, stellar, substrate_key, ton, xrpl};
use crate::coin::family::Family;
use crate::coin::{base58, bech32, hedera, hex_digits};

/// The family of `address`, if its form belongs to one alone. Where the form has a checksum, it must be right: nothing
/// else says what the address is.
///
/// 32 bytes in hex are an address of Sui, Aptos, NEAR or Polkadot, and legacy addresses of Bitcoin Cash and Litecoin are
/// valid on Bitcoin too; those have no family.
pub(super) fn family_of(address: &str) -> Option<Family> {
    let is_evm = address.get(..2).is_some_and(|prefix| prefix.eq_ignore_ascii_case("0x"));
    if is_evm && hex_digits::hex_digits(address, 40).is_some() {
        return Some(Family::Evm);
    }
    if cashaddr::is_address(address) {
        return Some(Family::BitcoinCash);
    }
    if hedera::account(address).is_some() {
        return Some(Family::Hedera);
    }
    if ton::is_address(address) {
        return Some(Family::Ton);
    }
    if stellar::is_address(address) {
        return Some(Family::Stellar);
    }
    let by_prefix = bech32::in_one_case(address).and_then(|lower| family_of_prefix(bech32::prefix(&lower)));
    by_prefix.or_else(|| family_of_base58(address))
}

/// The family of a bech32 address by its human-readable part. Chains of the Cosmos family choose one each, in letters.
pub(super) fn family_of_prefix(prefix: &str) -> Option<Family> {
    Some(match prefix {
        "bc" | "tb" | "bcrt" => Family::Bitcoin,
        "ltc" | "tltc" | "rltc" | "ltcmweb" => Family::Litecoin,
        "addr" | "addr_test" | "stake" | "stake_test" => Family::Cardano,
        _ if prefix.starts_with("p-") => Family::AvalancheP,
        _ if prefix.starts_with("x-") => Family::AvalancheX,
        _ if prefix.starts_with("ln") => Family::Lightning,
        _ if prefix.bytes().all(|byte| byte.is_ascii_lowercase()) => Family::Cosmos,
        _ => return None,
    })
}

fn family_of_base58(address: &str) -> Option<Family> {
    if xrpl::is_address(address) {
        return Some(Family::Xrpl);
    }
    let is_tron = |checked: &base58::Checked| checked.holds && super::is_tron(&checked.payload);
    if base58::decode_checked(Alphabet::BITCOIN, address).is_some_and(|checked| is_tron(&checked)) {
        return Some(Family::Tron);
    }
    if substrate_key(address).is_some() {
        return Some(Family::Polkadot);
    }
    base58::decode(address).is_some_and(|bytes| bytes.len() == 32).then_some(Family::Solana)
}
