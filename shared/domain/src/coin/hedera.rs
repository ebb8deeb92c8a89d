//! Hedera's account numbers, which are part of addresses and of transaction ids.

use super::hex_digits::hex_digits;

/// The account `shard.realm.number`, without the checksum of five letters that may follow it (`-abcde`, [hip-15]).
pub(super) fn account(text: &str) -> Option<String> {
    let (numbers, checksum) = text.split_once('-').map_or((text, None), |(numbers, rest)| (numbers, Some(rest)));
    let is_checksum = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_lowercase());
    let mut parts = numbers.split('.').map(number);
    let (shard, realm, account) = (parts.next()??, parts.next()??, parts.next()??);
    let is_account = parts.next().is_none() && checksum.is_none_or(is_checksum);
    is_account.then(|| format!("{shard}.{realm}.{account}"))
}

/// The account of a "long-zero" EVM address: four bytes of shard, eight of realm, eight of number, of which the first
/// two are zero. Another EVM address is an alias of an account, and only a mirror node knows which.
pub(super) fn account_of_long_zero(address: &str) -> Option<String> {
    let digits = hex_digits(address, 40)?;
    let number = digits.strip_prefix("000000000000000000000000")?;
    Some(format!("0.0.{}", u64::from_str_radix(number, 16).ok()?))
}

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_three_numbers_without_its_checksum() {
        for (text, expected) in [
            ("0.0.48213", Some("0.0.48213")),
            ("0.0.48213-abcde", Some("0.0.48213")),
            ("0.0.48213-7", None),
            ("0.0", None),
            ("0.0.1.2", None),
            ("0.0.+1", None),
            ("0..1", None),
        ] {
            assert_eq!(account(text).as_deref(), expected, "{text}");
        }
    }
}
