//! Coins of each family in all their spellings, and the encoders that write them.

use data_encoding::{BASE32_NOPAD, BASE64, BASE64_NOPAD, BASE64URL_NOPAD};
use sha2::{Digest, Sha256};

/// The spellings of one coin.
pub(super) struct Spellings {
    pub(super) ids: Vec<String>,
    pub(super) addresses: Vec<String>,
    /// Asset and network.
    pub(super) places: &'static [(&'static str, Option<&'static str>)],
    /// Whether ids are followed by the number of an output.
    pub(super) has_outputs: bool,
}

/// A coin of each family, whose transaction is `id` and whose receiver has the key `key`.
pub(super) fn families(id: &[u8; 32], key: &[u8; 32]) -> Vec<Spellings> {
    let hex_ids = hex_spellings(id);
    let hash: &[u8] = &key[..20];
    let coin = |ids: &[String], addresses: Vec<String>, places| Spellings {
        ids: ids.to_vec(),
        addresses,
        places,
        has_outputs: true,
    };
    vec![
        coin(
            &hex_ids,
            hex_spellings(hash),
            &[
                ("USDC", Some("BASE")),
                ("usdc", Some("eip155:8453")),
                ("USDC.BASE", None),
                ("USDC_base", None),
                ("USDC-BASE", Some("base")),
            ],
        ),
        coin(
            &hex_ids,
            cased("bc1", hash),
            &[("BTC", Some("bitcoin")), ("btc", None), ("BTC", Some("BITCOIN MAINNET"))],
        ),
        coin(&hex_ids, cased("ltc1", hash), &[("LTC", Some("litecoin")), ("LTC", None)]),
        coin(
            &hex_ids,
            [5, 50].map(|version| checked(&[&[version], hash])).into(),
            &[("LTC", Some("ltc")), ("LTC", None)],
        ),
        coin(&hex_ids, vec![checked(&[&[0], hash])], &[("BCH", Some("bitcoin cash")), ("BCH", None)]),
        coin(&hex_ids, vec![checked(&[&[30], hash])], &[("DOGE", Some("dogecoin")), ("DOGE", None)]),
        coin(
            &[bs58::encode([*id, *key].concat()).into_string()],
            vec![bs58::encode(key).into_string()],
            &[("USDC", Some("solana")), ("USDC_SOL", None), ("USDC", Some("SPL"))],
        ),
        coin(
            &hex_ids,
            [vec![checked(&[&[0x41], hash]), format!("41{}", hex::encode_upper(hash))], hex_spellings(hash)].concat(),
            &[("USDT", Some("tron")), ("USDT-TRC20", None), ("USDT", Some("tron:0x2b6653dc"))],
        ),
        coin(
            &hex_ids,
            vec![ripple(&[&[0], hash]), ripple(&[&[5, 0x44], hash, &[0; 9]])],
            &[("XRP", Some("xrp ledger")), ("XRP", None)],
        ),
        coin(
            &hex_ids,
            vec![stellar(6, &[key]), stellar(6, &[key]).to_lowercase()],
            &[("XLM", Some("stellar")), ("XLM", None)],
        ),
        coin(&hex_ids, cased("cosmos1", hash), &[("ATOM", Some("cosmos hub")), ("ATOM", None)]),
        coin(&hex_ids, cased("addr1", hash), &[("ADA", Some("cardano")), ("ADA", None)]),
        coin(
            &cases(BASE32_NOPAD.encode(id)),
            cases(BASE32_NOPAD.encode(&[key, &key[..4]].concat())),
            &[("ALGO", Some("algorand")), ("ALGO", None)],
        ),
        Spellings {
            ids: hedera_ids(id),
            addresses: hedera_accounts(u32::from_be_bytes([0, key[0], key[1], key[2]])),
            places: &[("HBAR", Some("hedera")), ("HBAR", None)],
            has_outputs: false,
        },
        coin(
            &[format!("{}-{}", u32::from_be_bytes([id[0], id[1], id[2], id[3]]), id[4])],
            [0, 42]
                .map(|prefix| bs58::encode([&[prefix], &key[..], &[0; 2]].concat()).into_string())
                .into_iter()
                .chain(hex_spellings(key))
                .collect(),
            &[("DOT", Some("polkadot")), ("DOT", None)],
        ),
        coin(
            &[hex_ids.clone(), vec![BASE64.encode(id), BASE64_NOPAD.encode(id), BASE64URL_NOPAD.encode(id)]].concat(),
            ton(key),
            &[("TON", Some("ton")), ("TON", None), ("TON", Some("tvm:-239"))],
        ),
        coin(&[bs58::encode(id).into_string()], cases(hex::encode(key)), &[("NEAR", Some("near")), ("NEAR", None)]),
        coin(&[bs58::encode(id).into_string()], hex_spellings(&short(key)), &[("SUI", Some("sui")), ("SUI", None)]),
        coin(&hex_ids, without_zeros(&short(key)), &[("APT", Some("aptos")), ("APT", None), ("APT", Some("aptos:1"))]),
        coin(&[checked(&[id])], cased("X-avax1", hash), &[("AVAX", Some("avalanche x")), ("AVAX", Some("X-Chain"))]),
        coin(&hex_ids, vec!["lnbc1qqqqqq".to_owned()], &[("BTC", Some("lightning"))]),
    ]
}

/// Bytes in hex: both cases, with and without `0x`.
fn hex_spellings(bytes: &[u8]) -> Vec<String> {
    let upper = hex::encode_upper(bytes);
    [cases(hex::encode(bytes)), vec![format!("0x{}", hex::encode(bytes)), format!("0X{upper}"), format!("0x{upper}")]]
        .concat()
}

/// `text` in both cases.
fn cases(text: String) -> Vec<String> {
    vec![text.to_uppercase(), text.to_lowercase()]
}

/// Bech32 in both cases; the checksum is none.
fn cased(prefix: &str, hash: &[u8]) -> Vec<String> {
    let alphabet: Vec<char> = "qpzry9x8gf2tvdw0s3jn54khce6mua7l".chars().collect();
    let data = hash.iter().map(|byte| alphabet[usize::from(byte & 31)]);
    cases(prefix.to_owned() + &data.collect::<String>())
}

fn with_checksum(parts: &[&[u8]]) -> Vec<u8> {
    let payload = parts.concat();
    let checksum = Sha256::digest(Sha256::digest(&payload));
    [&payload, &checksum[..4]].concat()
}

/// Base58 with a checksum.
fn checked(parts: &[&[u8]]) -> String {
    bs58::encode(with_checksum(parts)).into_string()
}

pub(super) fn ripple(parts: &[&[u8]]) -> String {
    bs58::encode(with_checksum(parts)).with_alphabet(bs58::Alphabet::RIPPLE).into_string()
}

/// CRC-16/XMODEM, bit by bit.
fn crc16(bytes: &[u8]) -> u16 {
    let bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1 == 1));
    bits.fold(0, |crc: u16, bit| if (crc >> 15 == 1) == bit { crc << 1 } else { crc << 1 ^ 0x1021 })
}

/// A Stellar address of the version `version`, which is its first letter.
pub(super) fn stellar(version: u8, parts: &[&[u8]]) -> String {
    let payload = [&[version << 3], parts.concat().as_slice()].concat();
    BASE32_NOPAD.encode(&[payload.as_slice(), &crc16(&payload).to_le_bytes()].concat())
}

/// Both flags in both alphabets, and the raw form.
fn ton(key: &[u8; 32]) -> Vec<String> {
    let friendly = [0x11, 0x51].into_iter().flat_map(|flags| {
        let payload = [&[flags, 0], &key[..]].concat();
        let bytes = [payload.as_slice(), &crc16(&payload).to_be_bytes()].concat();
        [BASE64_NOPAD.encode(&bytes), BASE64URL_NOPAD.encode(&bytes)]
    });
    friendly.chain([format!("0:{}", hex::encode(key)), format!("0:{}", hex::encode_upper(key))]).collect()
}

fn hedera_ids(id: &[u8; 32]) -> Vec<String> {
    let nanos = u32::from_be_bytes([0, id[0], id[1], id[2]]);
    let whole = [format!("0.0.9401@1598924675.{nanos:09}"), format!("0.0.9401-1598924675-{nanos:09}")];
    let short = [format!("0.0.9401@1598924675.{nanos}"), format!("0.0.9401-1598924675-{nanos}")];
    [whole, short].concat()
}

fn hedera_accounts(number: u32) -> Vec<String> {
    vec![format!("0.0.{number}"), format!("0.0.{number}-abcde"), format!("0x{number:040x}"), format!("0x{number:040X}")]
}

/// The key with a byte of zeros in front.
pub(super) fn short(key: &[u8; 32]) -> [u8; 32] {
    let mut key = *key;
    key[0] = 0;
    key
}

fn without_zeros(key: &[u8]) -> Vec<String> {
    let digits = hex::encode(key);
    vec![
        format!("0x{digits}"),
        format!("0x{}", digits.trim_start_matches('0')),
        format!("0x{}", hex::encode_upper(key)),
    ]
}
