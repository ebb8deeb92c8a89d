//! Bech32: a human-readable part, the character `1`, and data; in one case, and either case means the same [bip-173].

/// The characters of bech32's data, and of a Bitcoin Cash address: the value of each is its place.
pub(super) const CHARACTERS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// `text` in lower case if it has the form of bech32 and one case. A text in both cases is not bech32: it may be a Solana
/// address in base58 that happens to begin with `bc1`.
pub(super) fn in_one_case(text: &str) -> Option<String> {
    let has = |is_case: fn(&u8) -> bool| text.bytes().any(|byte| is_case(&byte));
    let is_mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    in_any_case(text).filter(|_| !is_mixed)
}

/// `text` in lower case if it has the form of bech32 in any case: for a chain that is known to use its prefix.
///
/// The checksum is not verified, because a wrong one is not a reason to reject a deposit.
pub(super) fn in_any_case(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let (prefix, data) = lower.rsplit_once('1')?;
    let is_prefix = (1..=83).contains(&prefix.len()) && prefix.bytes().all(|byte| byte.is_ascii_graphic());
    // The last six characters of the data are the checksum.
    let is_data = data.len() >= 6 && data.bytes().all(|byte| CHARACTERS.contains(&byte));
    (is_prefix && is_data).then_some(lower)
}

/// The human-readable part of `address`, which is bech32 in lower case.
pub(super) fn prefix(address: &str) -> &str {
    address.rsplit_once('1').map_or("", |(prefix, _)| prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bech32_is_one_text_in_both_cases_and_nothing_in_mixed_case() {
        for (text, expected) in [
            ("BC1Q0KFRQKCU2Y8PS8FXHM4P8NW7QVM5SEN5K0P5D8", Some("bc1q0kfrqkcu2y8ps8fxhm4p8nw7qvm5sen5k0p5d8")),
            ("ltc1q0kfrqkcu2y8ps8fxhm4p8nw7qvm5sen5jnms4h", Some("ltc1q0kfrqkcu2y8ps8fxhm4p8nw7qvm5sen5jnms4h")),
            // A base58 text of 32 bytes.
            ("bc1q7Pn9Xw5tHQ3gvVvQJ4qzzq9bdx1h3qqqqqqqqqqq", None),
            ("bc1qb", None),
            ("1qqqqqq", None),
            ("", None),
        ] {
            assert_eq!(in_one_case(text).as_deref(), expected, "{text}");
        }
    }
}
