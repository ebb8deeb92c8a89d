//! TON's addresses [ton-addresses]: raw (`0:<hex>`), and "user-friendly" in base64, in which flags and a checksum stand
//! around the same bytes.

use data_encoding::BASE64URL_NOPAD;

use super::crc16::crc16;
use crate::coin::hex_digits::is_hex;

/// The raw form of an address: workchain and 32 bytes in lower-case hex. The checksum is not verified.
pub(super) fn canonical(text: &str) -> Option<String> {
    if let Some((workchain, account)) = text.split_once(':') {
        let workchain: i32 = workchain.parse().ok()?;
        return (account.len() == 64 && is_hex(account))
            .then(|| format!("{workchain}:{}", account.to_ascii_lowercase()));
    }
    let bytes = user_friendly(text)?;
    let [_flags, workchain, account @ .., _, _] = bytes.as_slice() else { return None };
    Some(format!("{}:{}", workchain.cast_signed(), hex::encode(account)))
}

/// Whether `text` is an address of TON: in raw form, or by its checksum.
pub(super) fn is_address(text: &str) -> bool {
    let Some(bytes) = user_friendly(text) else { return text.contains(':') && canonical(text).is_some() };
    bytes.split_last_chunk::<2>().is_some_and(|(payload, checksum)| crc16(payload).to_be_bytes() == *checksum)
}

/// A byte of flags, one of workchain, 32 of account and two of checksum, in base64 or base64url.
fn user_friendly(text: &str) -> Option<Vec<u8>> {
    let url_safe = text.replace('+', "-").replace('/', "_");
    BASE64URL_NOPAD.decode(url_safe.as_bytes()).ok().filter(|bytes| bytes.len() == 36)
}
