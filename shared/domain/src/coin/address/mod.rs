//! One spelling for each address, and the tag that it carries.
//!
//! Guarantees:
//!
//! - Two spellings of one key on one chain are one address.
//! - Capitals are kept where they are significant.
//! - A wrong checksum is not a reason to reject an address: a sample of a provider has one.

mod cashaddr;
mod crc16;
mod form;
mod stellar;
mod ton;
mod xrpl;

use bs58::Alphabet;

use super::family::Family;
use super::hex_digits::{hex_digits, is_hex, without_0x};
use super::tag::Tag;
use super::transaction_id::is_placeholder;
use super::{base58, bech32, hedera};

/// An address in canonical spelling, without tag, scheme or prefix, and the tag that was in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) text: String,
    pub(super) tag: Option<Tag>,
}

impl Address {
    /// The address that `text` spells on a chain of `family`.
    ///
    /// If the family is not known, or its addresses look different, the form of the text decides; a form that is not
    /// known is kept byte for byte. `None` for a text that stands for a missing address or is abbreviated.
    pub(super) fn read(text: &str, family: Option<Family>) -> Option<Self> {
        let text = text.trim();
        if is_placeholder(text) {
            return None;
        }
        let (bare, query_tag) = without_scheme_and_query(text);
        let by_form = || form::family_of(without_suffix(bare));
        let read_as = |family| Some((in_family(bare, family)?, family));
        let read = family.and_then(read_as).or_else(|| by_form().and_then(read_as));
        let (mut address, family) = match read {
            Some((address, family)) => (address, Some(family)),
            None => (Self::untagged(of_unknown_form(bare)), family),
        };
        address.tag = address.tag.or(query_tag.map(|tag| Tag::of(tag, family)));
        Some(address)
    }

    fn untagged(text: String) -> Self {
        Self { text, tag: None }
    }

    fn tagged(text: String, tag: String) -> Self {
        Self { text, tag: Some(Tag::told(tag)) }
    }

    fn muxed(text: String, number: String) -> Self {
        Self { text, tag: Some(Tag::muxed(number)) }
    }
}

/// The family that the form of an address alone shows, for a transaction id of which neither chain nor asset is known.
pub(super) fn family_of(text: &str) -> Option<Family> {
    form::family_of(without_suffix(without_scheme_and_query(text.trim()).0))
}

/// The address that `text` is on a chain of `family`, or `None` if those look different.
fn in_family(text: &str, family: Family) -> Option<Address> {
    let address = match family {
        Family::Xrpl => return with_tag_in_suffix(text, family, xrpl::canonical),
        Family::Stellar => return with_tag_in_suffix(text, family, stellar::canonical),
        Family::Algorand => algorand(text),
        Family::Aptos | Family::Sui => filled_with_zeros(text),
        Family::AvalancheP => avalanche(text, 'P'),
        Family::AvalancheX => avalanche(text, 'X'),
        Family::Bitcoin | Family::Cardano | Family::Cosmos | Family::Lightning => bech32_of(text, family),
        Family::BitcoinCash => cashaddr::canonical(text),
        // Base58, in exact case.
        Family::Dogecoin => None,
        Family::Evm => hex_digits(text, 40).map(|digits| format!("0x{digits}")),
        Family::Hedera => hedera::account(text).or_else(|| hedera::account_of_long_zero(text)),
        Family::Litecoin => bech32_of(text, family).or_else(|| litecoin_script(text)),
        Family::Near => near(text),
        Family::Polkadot => substrate_key(text).or_else(|| hex_digits(text, 64)).map(|key| format!("0x{key}")),
        Family::Solana => base58::decode(text).filter(|bytes| bytes.len() == 32).map(|_| text.to_owned()),
        Family::Ton => ton::canonical(text),
        Family::Tron => tron(text),
    };
    address.map(Address::untagged)
}

/// Hex after `0x` in lower case, because its capitals only carry a checksum; bech32 in lower case; anything else as told.
fn of_unknown_form(text: &str) -> String {
    let bare = without_0x(text);
    let is_hex = bare.len() < text.len() && is_hex(bare);
    if is_hex { text.to_ascii_lowercase() } else { bech32::in_one_case(text).unwrap_or_else(|| text.to_owned()) }
}

/// Schemes of payment URIs that may stand before an address.
const SCHEMES: [&str; 14] = [
    "bitcoin:",
    "bitcoincash:",
    "bchtest:",
    "bchreg:",
    "litecoin:",
    "dogecoin:",
    "ethereum:",
    "solana:",
    "tron:",
    "xrpl:",
    "ripple:",
    "stellar:",
    "algorand:",
    "ton://transfer/",
];

/// `text` without the scheme and the query of a payment URI, and the tag or memo in that query.
fn without_scheme_and_query(text: &str) -> (&str, Option<&str>) {
    let has_scheme = |scheme: &&str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    let scheme = SCHEMES.iter().find(|scheme| has_scheme(scheme)).map_or(0, |scheme| scheme.len());
    let bare = text.get(scheme..).map_or(text, |rest| rest.trim_start_matches('/'));
    let (address, query) = bare.split_once('?').unwrap_or((bare, ""));
    let members = query.split('&').filter_map(|member| member.split_once('='));
    let tags = members.filter(|(name, tag)| matches!(*name, "dt" | "tag" | "memo" | "memoId") && !tag.is_empty());
    (address, tags.map(|(_, tag)| tag).next())
}

/// `text` before a tag that follows an address of the XRP Ledger or Stellar, which contain neither `:` nor `-`.
fn without_suffix(text: &str) -> &str {
    let before = text.split([':', '-']).next().unwrap_or(text);
    if xrpl::is_address(before) || stellar::is_address(before) { before } else { text }
}

/// Reads an address and the tag after it, `r…:7` or `r…-7`.
fn with_tag_in_suffix(text: &str, family: Family, canonical: fn(&str) -> Option<Address>) -> Option<Address> {
    let Some((before, tag)) = text.split_once([':', '-']) else { return canonical(text) };
    let mut address = canonical(before)?;
    // A tag within the address is part of what was paid to; the one after it is a note.
    address.tag = address.tag.or_else(|| (!tag.is_empty()).then(|| Tag::of(tag, Some(family))));
    Some(address)
}

/// Algorand: 32 bytes and a checksum of four in base32, in capitals.
fn algorand(text: &str) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    let bytes = data_encoding::BASE32_NOPAD.decode(upper.as_bytes()).ok()?;
    (bytes.len() == 36).then_some(upper)
}

/// Sui and Aptos: 32 bytes, of which leading zeros may be omitted after `0x`.
fn filled_with_zeros(text: &str) -> Option<String> {
    let digits = without_0x(text);
    let is_complete = digits.len() == 64 || (digits.len() < text.len() && digits.len() < 64);
    (is_complete && is_hex(digits)).then(|| format!("0x{:0>64}", digits.to_ascii_lowercase()))
}

/// Avalanche: bech32 behind the letter of the chain, which an address on another chain keeps.
fn avalanche(text: &str, chain: char) -> Option<String> {
    let (chain, rest) = match text.split_once('-') {
        Some((letter, rest)) if matches!(letter, "X" | "P" | "C" | "x" | "p" | "c") => {
            (letter.to_ascii_uppercase(), rest)
        }
        Some(_) => return None,
        None => (chain.to_string(), text),
    };
    Some(format!("{chain}-{}", bech32::in_any_case(rest)?))
}

/// Bech32 in any case whose human-readable part is one of `family`. Without that part, a base58 address that contains a
/// `1` near its end would be taken for bech32.
fn bech32_of(text: &str, family: Family) -> Option<String> {
    let has_its_prefix = |lower: &String| form::family_of_prefix(bech32::prefix(lower)) == Some(family);
    bech32::in_any_case(text).filter(has_its_prefix)
}

/// Litecoin: a script's address begins with `M` (version 50), and in its older form with `3` (version 5), like Bitcoin's.
/// On the test network, with `Q` (58) and `2` (196).
fn litecoin_script(text: &str) -> Option<String> {
    let mut payload = base58::decode_checked(Alphabet::BITCOIN, text)?.payload;
    let is_complete = payload.len() == 21;
    let version = payload.first_mut().filter(|_| is_complete)?;
    *version = match *version {
        5 => 50,
        196 => 58,
        version => version,
    };
    Some(base58::encode_checked(Alphabet::BITCOIN, &payload))
}

/// NEAR: the 64 hex digits of a key, or a name, which has no capitals.
fn near(text: &str) -> Option<String> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    let is_key = text.len() == 64 && is_hex(text);
    let is_name = (2..=64).contains(&text.len()) && text.bytes().all(is_allowed);
    (is_key || is_name).then(|| text.to_ascii_lowercase())
}

/// Tron: base58 of `41` and 20 bytes, which is also written in hex, and without `41` as an EVM address.
fn tron(text: &str) -> Option<String> {
    let payload = match hex_digits(text, 40).map(|digits| format!("41{digits}")).or_else(|| hex_digits(text, 42)) {
        Some(digits) => hex::decode(digits).ok()?,
        None => base58::decode_checked(Alphabet::BITCOIN, text)?.payload,
    };
    is_tron(&payload).then(|| base58::encode_checked(Alphabet::BITCOIN, &payload))
}

fn is_tron(payload: &[u8]) -> bool {
    payload.len() == 21 && payload.first() == Some(&0x41)
}

/// The public key of an address of Polkadot and related chains [ss58]: a prefix of one or two bytes, which names the
/// chain, the key's 32 bytes and a checksum of two. Of the prefixes, 0 (Polkadot), 2 (Kusama) and 42 (any) are read.
fn substrate_key(text: &str) -> Option<String> {
    let bytes = base58::decode(text)?;
    let [0 | 2 | 42, key @ .., _, _] = bytes.as_slice() else { return None };
    (key.len() == 32).then(|| hex::encode(key))
}
