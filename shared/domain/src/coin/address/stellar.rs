//! Stellar's addresses [sep-23]: an account (`G…`), and a muxed account (`M…`), which is an account and a number.

use data_encoding::BASE32_NOPAD;

use super::Address;
use super::crc16::crc16;

/// The version bytes of [sep-23], which become the first letter.
const ACCOUNT: u8 = 6 << 3;
const MUXED: u8 = 12 << 3;

/// The address that `text` spells, with the number of a muxed account as its tag. The checksum is not verified.
pub(super) fn canonical(text: &str) -> Option<Address> {
    let upper = text.to_ascii_uppercase();
    let bytes = BASE32_NOPAD.decode(upper.as_bytes()).ok()?;
    match bytes.as_slice() {
        [MUXED, rest @ ..] => {
            let (key, rest) = rest.split_first_chunk::<32>()?;
            let (number, checksum) = rest.split_first_chunk::<8>()?;
            let number = u64::from_be_bytes(*number).to_string();
            (checksum.len() == 2).then(|| Address::muxed(account(key), number))
        }
        // An account, a contract and others: version, 32 bytes and the checksum.
        [_, rest @ ..] if rest.len() == 34 => Some(Address::untagged(upper)),
        _ => None,
    }
}

/// Whether `text` is a Stellar address by its checksum.
pub(super) fn is_address(text: &str) -> bool {
    let bytes = BASE32_NOPAD.decode(text.as_bytes()).unwrap_or_default();
    let Some((payload, checksum)) = bytes.split_last_chunk::<2>() else { return false };
    matches!((payload.first(), payload.len()), (Some(_), 33) | (Some(&MUXED), 41))
        && crc16(payload).to_le_bytes() == *checksum
}

fn account(key: &[u8; 32]) -> String {
    let mut bytes = vec![ACCOUNT];
    bytes.extend(key);
    bytes.extend(crc16(&bytes).to_le_bytes());
    BASE32_NOPAD.encode(&bytes)
}
