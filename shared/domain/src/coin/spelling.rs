//! One spelling for each transaction hash and address, whichever provider reports it.

/// The canonical spelling of a transaction's hash.
///
/// A hex hash is written in lower case without `0x`, and without the output number that Connect appends (`…-0`). A hash
/// in another alphabet is kept as it is: base58 (Solana) distinguishes capitals from small letters.
pub(crate) fn canonical_hash(hash: &str) -> String {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let base = hash.rsplit_once('-').filter(|(_, output)| is_number(output)).map_or(hash, |(base, _)| base);
    let bare = base.strip_prefix("0x").or_else(|| base.strip_prefix("0X")).unwrap_or(base);
    let is_hex = !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex { bare.to_ascii_lowercase() } else { base.to_owned() }
}

/// Whether `hash` has the form of a transaction hash on a chain, and not of a provider's own id, which names no coin.
///
/// The forms are 64 hex digits (EVM chains, Bitcoin, Tron and others) and base58 of 43 to 88 characters (Solana's
/// signatures).
pub fn is_chain_hash(hash: &str) -> bool {
    let hash = canonical_hash(hash);
    let is_hex = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_base58_digit = |byte: u8| byte.is_ascii_alphanumeric() && !b"0OIl".contains(&byte);
    is_hex || ((43..=88).contains(&hash.len()) && hash.bytes().all(is_base58_digit))
}

/// The canonical spelling of an address: hex after `0x` and bech32 in lower case, because their capitals only carry a
/// checksum.
pub(super) fn canonical_address(address: &str) -> String {
    let lower = address.to_ascii_lowercase();
    let is_caseless = ["0x", "bc1", "tb1", "ltc1"].iter().any(|prefix| lower.starts_with(prefix));
    if is_caseless { lower } else { address.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_has_one_spelling() {
        for (sent, canonical) in [
            ("0xCD9e98ae", "cd9e98ae"),
            ("cd9e98ae", "cd9e98ae"),
            ("b33c8514-0", "b33c8514"),
            ("FLaUcxdNxRwnaSXp6pXeRSfANXEHouqYbqF6X1bgRxg2", "FLaUcxdNxRwnaSXp6pXeRSfANXEHouqYbqF6X1bgRxg2"),
            ("a-b", "a-b"),
            ("", ""),
        ] {
            assert_eq!(canonical_hash(sent), canonical, "{sent}");
        }
    }

    #[test]
    fn a_chain_hash_is_distinguished_from_an_id_of_the_provider() {
        for (hash, expected) in [
            ("0xcd9e98ae631cf7cfcf4d351374337a55096abd01d9637303aaef31d5c0766569", true),
            ("a07407e8f98c21b037b4aa0cbc852b8489c5e122fcc3d4b33b7827d0605ad8ff", true),
            ("a07407e8f98c21b037b4aa0cbc852b8489c5e122fcc3d4b33b7827d0605ad8ff-0", true),
            ("FLaUcxdNxRwnaSXp6pXeRSfANXEHouqYbqF6X1bgRxg2", true),
            ("ec963207-69f4-44d0-9251-2977dda86fcd", false),
            ("ec96320769f444d092512977dda86fcd", false),
            ("1708631671631", false),
            ("", false),
        ] {
            assert_eq!(is_chain_hash(hash), expected, "{hash}");
        }
    }

    #[test]
    fn an_address_keeps_its_capitals_only_where_they_are_significant() {
        assert_eq!(canonical_address("0xAbC1"), "0xabc1");
        assert_eq!(canonical_address("BC1QW508"), "bc1qw508");
        assert_eq!(canonical_address("EPjFWdd5"), "EPjFWdd5");
    }
}
