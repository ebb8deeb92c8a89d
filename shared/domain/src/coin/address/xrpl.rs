//! The XRP Ledger's addresses: classic (`r…`), and X-addresses [xls-5], which hold a classic address and a tag.

use bs58::Alphabet;

use super::Address;
use crate::coin::base58;

/// The prefixes of X-addresses on the main and test network.
const MAIN: [u8; 2] = [0x05, 0x44];
const TEST: [u8; 2] = [0x04, 0x93];

/// The classic address that `text` spells, with its tag. Checksums are not verified.
pub(super) fn canonical(text: &str) -> Option<Address> {
    let payload = base58::decode_checked(Alphabet::RIPPLE, text)?.payload;
    match payload.as_slice() {
        [0, account @ ..] if account.len() == 20 => Some(Address::untagged(text.to_owned())),
        [first, second, rest @ ..] if matches!([*first, *second], MAIN | TEST) => from_x_address(rest),
        _ => None,
    }
}

/// Whether `text` is an address of the XRP Ledger by its checksum.
pub(super) fn is_address(text: &str) -> bool {
    base58::decode_checked(Alphabet::RIPPLE, text).is_some_and(|checked| checked.holds) && canonical(text).is_some()
}

/// 20 bytes of account, a byte that says whether there is a tag, and the tag in eight bytes, of which four are used.
fn from_x_address(bytes: &[u8]) -> Option<Address> {
    let (account, rest) = bytes.split_first_chunk::<20>()?;
    let [flag, tag @ ..] = rest else { return None };
    let tag = u64::from_le_bytes(tag.try_into().ok()?).to_string();
    let classic = base58::encode_checked(Alphabet::RIPPLE, &[&[0], account.as_slice()].concat());
    match flag {
        0 => Some(Address::untagged(classic)),
        1 => Some(Address::tagged(classic, tag)),
        _ => None,
    }
}
