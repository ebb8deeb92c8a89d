//! Bitcoin Cash addresses [cashaddr]: one key has a spelling with and without prefix, in both cases, as a token-aware
//! address (`z…`), and as a legacy address, which is also a valid Bitcoin address.

use bs58::Alphabet;

use crate::coin::base58;
use crate::coin::bech32::CHARACTERS;

/// The prefixes of the main, test and regression test networks, which the checksum covers.
const PREFIXES: [&str; 3] = ["bitcoincash", "bchtest", "bchreg"];

const CHECKSUM_SYMBOLS: usize = 8;

/// The canonical spelling of an address of Bitcoin Cash: without prefix, in lower case, not token-aware. A legacy
/// address is converted, so the chain must be known.
pub(super) fn canonical(text: &str) -> Option<String> {
    symbols(text).and_then(|symbols| plain(&symbols)).or_else(|| from_legacy(text))
}

/// Whether `text` is an address of Bitcoin Cash by its checksum. The prefix may be missing.
pub(super) fn is_address(text: &str) -> bool {
    symbols(text).is_some_and(|symbols| prefix_of(&symbols).is_some())
}

/// Symbols of five bits, the checksum among them.
fn symbols(text: &str) -> Option<Vec<u8>> {
    let lower = text.to_ascii_lowercase();
    // 34 symbols hold the version and 20 bytes, the shortest hash; 104 the longest, 64 bytes.
    let is_long_enough = (34 + CHECKSUM_SYMBOLS..=104 + CHECKSUM_SYMBOLS).contains(&lower.len());
    let value = |byte: u8| CHARACTERS.iter().position(|known| *known == byte).and_then(|at| u8::try_from(at).ok());
    is_long_enough.then(|| lower.bytes().map(value).collect())?
}

/// The address of the same key that is not token-aware.
///
/// The first symbol is the version's reserved bit and its type: 0 and 1 pay to a key and to a script, 2 and 3 are the
/// same, token-aware.
fn plain(symbols: &[u8]) -> Option<String> {
    let prefix = prefix_of(symbols).unwrap_or(PREFIXES[0]);
    let (payload, _) = symbols.split_last_chunk::<CHECKSUM_SYMBOLS>()?;
    let [kind, rest @ ..] = payload else { return None };
    let kind = if matches!(kind, 2 | 3) { kind - 2 } else { *kind };
    Some(encoded(prefix, std::iter::once(kind).chain(rest.iter().copied()).collect()))
}

/// The network whose prefix fits the checksum.
fn prefix_of(symbols: &[u8]) -> Option<&'static str> {
    PREFIXES.into_iter().find(|prefix| checksum(prefix, symbols) == 0)
}

/// A legacy address of 20 bytes, in Bitcoin's version bytes.
fn from_legacy(text: &str) -> Option<String> {
    let payload = base58::decode_checked(Alphabet::BITCOIN, text)?.payload;
    let [version, hash @ ..] = payload.as_slice() else { return None };
    let (prefix, kind) = match version {
        0 => (PREFIXES[0], 0),
        5 => (PREFIXES[0], 1 << 3),
        111 => (PREFIXES[1], 0),
        196 => (PREFIXES[1], 1 << 3),
        _ => return None,
    };
    let bytes = std::iter::once(kind).chain(hash.iter().copied());
    (hash.len() == 20).then(|| encoded(prefix, in_five_bits(bytes)))
}

fn encoded(prefix: &str, mut payload: Vec<u8>) -> String {
    let mut padded = payload.clone();
    padded.extend([0; CHECKSUM_SYMBOLS]);
    let checksum = checksum(prefix, &padded);
    payload.extend((0..CHECKSUM_SYMBOLS).rev().map(|at| five_bits(checksum >> (5 * at))));
    payload.iter().filter_map(|symbol| CHARACTERS.get(usize::from(*symbol))).map(|byte| char::from(*byte)).collect()
}

/// The bits of `bytes` in groups of five, filled with zeros.
fn in_five_bits(bytes: impl Iterator<Item = u8>) -> Vec<u8> {
    let bits: Vec<u8> = bytes.flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)).collect();
    let group = |bits: &[u8]| (0..5).fold(0, |value, at| value << 1 | bits.get(at).copied().unwrap_or(0));
    bits.chunks(5).map(group).collect()
}

fn five_bits(value: u64) -> u8 {
    u8::try_from(value & 0x1f).unwrap_or(0)
}

/// The checksum of [cashaddr "Checksum"]: 0 for symbols that end with the right one.
fn checksum(prefix: &str, symbols: &[u8]) -> u64 {
    const GENERATORS: [u64; 5] = [0x98_f2bc_8e61, 0x79_b76d_99e2, 0xf3_3e5f_b3c4, 0xae_2eab_e2a8, 0x1e_4f43_e470];
    let prefix = prefix.bytes().map(|byte| byte & 0x1f).chain([0]);
    let remainder = prefix.chain(symbols.iter().copied()).fold(1, |state: u64, symbol| {
        let shifted = (state & 0x07_ffff_ffff) << 5 ^ u64::from(symbol);
        let applied = GENERATORS.iter().enumerate().filter(|(at, _)| (state >> 35) >> at & 1 == 1);
        applied.fold(shifted, |state, (_, generator)| state ^ generator)
    });
    remainder ^ 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_spelling() {
        // The test vectors of [cashaddr "Examples of address translation"].
        for (told, expected) in [
            ("1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu", "qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a"),
            ("1KXrWXciRDZUpQwQmuM1DbwsKDLYAYsVLR", "qr95sy3j9xwd2ap32xkykttr4cvcu7as4y0qverfuy"),
            ("3CWFddi6m4ndiGyKqzYvsFYagqDLPVMTzC", "ppm2qsznhks23z7629mms6s4cwef74vcwvn0h829pq"),
            ("QPM2QSZNHKS23Z7629MMS6S4CWEF74VCWVY22GDX6A", "qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a"),
            ("zp7eyvzmr3gsuxqay6lw5y7dmcpnwjrxwsfhtut29r", "qp7eyvzmr3gsuxqay6lw5y7dmcpnwjrxwswacz9v6s"),
            // A wrong checksum is put right.
            ("qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6q", "qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a"),
        ] {
            assert_eq!(canonical(told).as_deref(), Some(expected), "{told}");
        }
        assert_eq!(canonical("bc1q0kfrqkcu2y8ps8fxhm4p8nw7qvm5sen5k0p5d8"), None);
    }
}
