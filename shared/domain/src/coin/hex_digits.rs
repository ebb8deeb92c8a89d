//! Hex digits, with and without `0x`.

/// Whether `text` is one or more hex digits.
pub(super) fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `text` without a leading `0x`.
pub(super) fn without_0x(text: &str) -> &str {
    text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text)
}

/// The hex digits of `text` in lower case if there are `count` of them, with or without `0x`.
pub(super) fn hex_digits(text: &str, count: usize) -> Option<String> {
    let bare = without_0x(text);
    (bare.len() == count && is_hex(bare)).then(|| bare.to_ascii_lowercase())
}
