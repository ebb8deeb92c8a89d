//! Base58, and base58 with a checksum, in Bitcoin's and in Ripple's alphabet.

use bs58::Alphabet;
use sha2::{Digest, Sha256};

/// Base58 takes time in the square of its length, and the longest text that is decoded, a Solana signature, has 88
/// characters.
const CHARACTERS_MAX: usize = 128;

/// What a text in base58 with a checksum contains.
pub(super) struct Checked {
    /// The bytes before the checksum: a version and what it says.
    pub(super) payload: Vec<u8>,
    /// Whether the checksum is right.
    pub(super) holds: bool,
}

/// The bytes of `text` in Bitcoin's alphabet.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    decode_in(Alphabet::BITCOIN, text)
}

/// Reads `text` with its checksum, the first four bytes of the payload's double SHA-256.
pub(super) fn decode_checked(alphabet: &Alphabet, text: &str) -> Option<Checked> {
    let mut payload = decode_in(alphabet, text)?;
    let told = payload.split_off(payload.len().checked_sub(CHECKSUM_BYTES)?);
    let holds = checksum(&payload).starts_with(&told);
    Some(Checked { payload, holds })
}

/// Writes `payload` with its checksum.
pub(super) fn encode_checked(alphabet: &Alphabet, payload: &[u8]) -> String {
    let checksum = checksum(payload);
    let bytes: Vec<u8> = payload.iter().chain(checksum.iter().take(CHECKSUM_BYTES)).copied().collect();
    bs58::encode(bytes).with_alphabet(alphabet).into_string()
}

const CHECKSUM_BYTES: usize = 4;

fn checksum(payload: &[u8]) -> Vec<u8> {
    Sha256::digest(Sha256::digest(payload)).to_vec()
}

fn decode_in(alphabet: &Alphabet, text: &str) -> Option<Vec<u8>> {
    let is_short = !text.is_empty() && text.len() <= CHARACTERS_MAX;
    is_short.then(|| bs58::decode(text).with_alphabet(alphabet).into_vec().ok())?
}
