//! One spelling for each transaction id, and the output that a provider appends to it.

use super::base58;
use super::bech32;
use super::family::Family;
use super::hex_digits::{hex_digits, is_hex, without_0x};

/// A transaction's id in canonical spelling, and which of its payments is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TransactionId {
    pub(super) id: String,
    /// The number of the output, log, instruction or operation; for Algorand's inner transactions `inner/<number>`.
    pub(super) output: Option<String>,
}

impl TransactionId {
    /// The transaction id that `text` spells on a chain of `family`.
    ///
    /// If the family is not known, or its ids look different, the form of the text decides: samples of providers
    /// contradict themselves, and that is not a reason to reject them. A form that is not known is kept byte for byte.
    ///
    /// `None` for what names no transaction: an empty text, an abbreviated one (`a8fb...cfc`), an id of the provider's
    /// own (a UUID, or digits alone).
    pub(super) fn read(text: &str, family: Option<Family>) -> Option<Self> {
        let text = text.trim();
        if is_placeholder(text) {
            return None;
        }
        let in_family = family.and_then(|family| Self::read_as(text, |id| complete_id(id, family)));
        in_family.or_else(|| Self::read_as(text, id_by_form)).or_else(|| Self::as_told(text))
    }

    /// Reads `text` as an id that `canonical` accepts. An output is taken off only after a complete id: in ids of Hedera
    /// and Polkadot the digits after a `-` belong to the id.
    fn read_as(text: &str, canonical: impl Fn(&str) -> Option<String>) -> Option<Self> {
        if let Some(id) = canonical(text) {
            return Some(Self { id, output: None });
        }
        let (id, output) = split_output(text)?;
        Some(Self { id: canonical(id)?, output: Some(output) })
    }

    fn as_told(text: &str) -> Option<Self> {
        let is_own_id = |text: &str| is_uuid(text) || text.bytes().all(|byte| byte.is_ascii_digit());
        let names_a_transaction = !is_own_id(text) && !split_output(text).is_some_and(|(id, _)| is_own_id(id));
        names_a_transaction.then(|| Self { id: text.to_owned(), output: None })
    }
}

/// Every canonical transaction id that `text` may mean when neither chain nor asset is known, most likely first: for
/// looking up a transaction that a person typed.
///
/// Empty if `text` names no transaction. An output that `text` contains is not part of the ids.
pub fn transaction_ids(text: &str) -> Vec<String> {
    let by_form = TransactionId::read(text, None);
    let by_family = Family::WITH_OWN_IDS.iter().filter_map(|family| {
        let text = text.trim();
        TransactionId::read_as(text, |id| complete_id(id, *family)).filter(|_| !is_placeholder(text))
    });
    let is_as_told = by_form.as_ref().is_some_and(|read| read.id == text.trim());
    // The text as it is comes last if its form alone shows no id: a family that recognises it is more likely.
    let mut found: Vec<_> = by_form.into_iter().chain(by_family).map(|read| read.id).collect();
    if is_as_told && id_by_form(text.trim()).is_none() {
        found.rotate_left(1);
    }
    let mut unique = Vec::with_capacity(found.len());
    for id in found {
        if !unique.contains(&id) {
            unique.push(id);
        }
    }
    unique
}

/// The canonical spelling of `text` if it is a complete transaction id of `family`.
fn complete_id(text: &str, family: Family) -> Option<String> {
    match family {
        // Bytes in hex, whatever the chain's own notation: XRPL and Cosmos write capitals.
        Family::Evm
        | Family::Bitcoin
        | Family::BitcoinCash
        | Family::Cardano
        | Family::Cosmos
        | Family::Dogecoin
        | Family::Litecoin
        | Family::Stellar
        | Family::Tron
        | Family::Xrpl => hex_digits(text, 64),
        // A transaction is named by its hash or by its version, a number.
        Family::Aptos => hex_digits(text, 64).or_else(|| canonical_number(text)),
        Family::Algorand => algorand_id(&text.to_ascii_uppercase()),
        Family::AvalancheP | Family::AvalancheX => base58_of(text, CB58_BYTES),
        Family::Hedera => hedera_id(text),
        Family::Lightning => hex_digits(text, 64).or_else(|| lightning_invoice(text)),
        Family::Near | Family::Sui => base58_of(text, 32),
        Family::Polkadot => polkadot_id(text),
        Family::Solana => base58_of(text, SIGNATURE_BYTES),
        Family::Ton => hex_digits(text, 64).or_else(|| ton_id(text)),
    }
}

/// The canonical spelling of `text` if it has the form of a transaction id of some family.
fn id_by_form(text: &str) -> Option<String> {
    // Base64 of 32 bytes has 43 characters and one `=`; without it, it may as well be base58.
    let padded_base64 = || ton_id(text).filter(|_| text.ends_with('='));
    hex_digits(text, 64)
        .or_else(|| hedera_id(text))
        .or_else(|| polkadot_id(text))
        .or_else(|| [SIGNATURE_BYTES, 32, CB58_BYTES].into_iter().find_map(|bytes| base58_of(text, bytes)))
        .or_else(|| algorand_id(text))
        .or_else(padded_base64)
        .or_else(|| lightning_invoice(text))
        .or_else(|| short_hex(text))
}

/// A Solana transaction is named by its first signature, Ed25519.
const SIGNATURE_BYTES: usize = 64;

/// Avalanche's CB58: 32 bytes and a checksum of four.
const CB58_BYTES: usize = 36;

/// Any other hex text, except for a provider's own ids: a UUID without dashes, or digits alone.
fn short_hex(text: &str) -> Option<String> {
    let bare = without_0x(text);
    let is_own_id = bare.len() == text.len() && (is_uuid(text) || text.bytes().all(|byte| byte.is_ascii_digit()));
    (is_hex(bare) && !is_own_id).then(|| bare.to_ascii_lowercase())
}

/// Base58 of so many bytes, in exact case. The number of characters varies: 64 bytes are 86 to 88 of them.
fn base58_of(text: &str, bytes: usize) -> Option<String> {
    let is_complete = base58::decode(text).is_some_and(|decoded| decoded.len() == bytes);
    is_complete.then(|| text.to_owned())
}

/// Algorand: 32 bytes in base32, in capitals.
fn algorand_id(text: &str) -> Option<String> {
    let decoded = data_encoding::BASE32_NOPAD.decode(text.as_bytes()).ok()?;
    (decoded.len() == 32).then(|| text.to_owned())
}

/// TON: 32 bytes in base64 or base64url, as hex like in other sources.
fn ton_id(text: &str) -> Option<String> {
    let bare = text.strip_suffix('=').unwrap_or(text).replace('+', "-").replace('/', "_");
    let decoded = data_encoding::BASE64URL_NOPAD.decode(bare.as_bytes()).ok()?;
    (decoded.len() == 32).then(|| hex::encode(decoded))
}

/// Polkadot: the block's number, 32 bits, and the extrinsic's index in it.
fn polkadot_id(text: &str) -> Option<String> {
    let (block, index) = text.split_once('-')?;
    // Longer numbers are ids of a provider: milliseconds since 1970 have 13 digits.
    let number = |text: &str| canonical_number(text).filter(|number| number.len() <= 10);
    Some(format!("{}-{}", number(block)?, number(index)?))
}

/// Hedera: `<payer>@<seconds>.<nanoseconds>`, which the mirror nodes' REST API writes `<payer>-<seconds>-<nanoseconds>`,
/// with `?scheduled` and `/<nonce>` after it.
///
/// Nanoseconds have nine digits; some software omits their leading zeros.
fn hedera_id(text: &str) -> Option<String> {
    let at = text.find(['?', '/']).unwrap_or(text.len());
    let (id, tail) = text.split_at(at);
    let nonce = tail.strip_prefix("?scheduled").unwrap_or(tail);
    let is_tail = nonce.is_empty() || nonce.strip_prefix('/').is_some_and(is_number);
    let (account, seconds, nanos) = match id.split_once('@') {
        Some((account, time)) => {
            let (seconds, nanos) = time.split_once('.')?;
            (account, seconds, nanos)
        }
        None => {
            let (rest, nanos) = id.rsplit_once('-')?;
            let (account, seconds) = rest.rsplit_once('-')?;
            (account, seconds, nanos)
        }
    };
    let is_time = is_number(seconds) && is_number(nanos) && nanos.len() <= 9;
    let account = super::hedera::account(account).filter(|_| is_tail && is_time)?;
    Some(format!("{account}@{seconds}.{nanos:0>9}{tail}"))
}

/// A Lightning invoice, which is bech32 and may be in capitals in a QR code.
fn lightning_invoice(text: &str) -> Option<String> {
    let lower = bech32::in_one_case(text)?;
    lower.starts_with("ln").then_some(lower)
}

/// The id before an output, and the output: `-0` (zerohash), `:0` (an outpoint), `#0` (Cardano), `_0`, `/inner/0`
/// (Algorand's indexer).
fn split_output(text: &str) -> Option<(&str, String)> {
    let (id, digits, is_inner) = match text.rsplit_once("/inner/") {
        Some((id, digits)) => (id, digits, true),
        None => {
            let (id, digits) = text.rsplit_once(['-', ':', '_', '#'])?;
            (id, digits, false)
        }
    };
    let number = canonical_number(digits)?;
    Some((id, if is_inner { format!("inner/{number}") } else { number }))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A decimal number without leading zeros.
fn canonical_number(text: &str) -> Option<String> {
    let digits = is_number(text).then(|| text.trim_start_matches('0'))?;
    Some(if digits.is_empty() { "0" } else { digits }.to_owned())
}

/// Whether `text` stands for a missing value or is abbreviated: `-` (the address in [zerohash-expiry]), a word such as
/// `null`, or zero.
pub(super) fn is_placeholder(text: &str) -> bool {
    let is_word = WORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    let is_zero = without_0x(text).bytes().all(|byte| byte == b'0');
    is_word || is_zero || text.contains("...") || text.contains('…')
}

/// Words that programs write for a missing value.
const WORDS: [&str; 9] = ["-", "n/a", "na", "nil", "none", "null", "pending", "undefined", "unknown"];

/// Whether `text` is a UUID [rfc-9562 §4], with or without its dashes.
fn is_uuid(text: &str) -> bool {
    match text.len() {
        32 => is_hex(text),
        36 => text.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && text.split('-').all(is_hex),
        _ => false,
    }
}
