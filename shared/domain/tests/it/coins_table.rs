//! How coins are told, and what each telling is in canonical spelling: one row per notation.
//!
//! The values are invented; their checksums are right. A cell writes a value by its name: `0xupper(E1)-0` is the value
//! `E1` in capitals after `0x`, and the output 0. An en dash is a part that is not told.

use fundhook_domain::{CoinId, Network, Tag, ToldCoin};

/// Row, and what is told: chain, transaction id, address, asset; then the coin as `chain · id · address · asset`, with
/// `(tag)` and `[output]`; then the rows that are the same coin (=) or another one (≠).
const TABLE: &str = r#"
| 1  | ethereum                              | 0xE1                  | A1             | USDC             | e1 · E1 · A1 · USDC                             | |
| 2  | ETHEREUM_MAINNET                      | E1                    | A1c            | USDC             | e1 · E1 · A1 · USDC                             | =1 |
| 3  | ERC20                                 | 0xupper(E1)           | upper(A1)      | usdc             | e1 · E1 · A1 · USDC                             | =1 |
| 4  | –                                     | 0xE1                  | A1             | USDC             | – · E1 · A1 · USDC                              | =1 |
| 5  | ethereum                              | 0xE1-0                | A1             | USDC             | e1 · E1 · A1 · USDC · [0]                       | =1 |
| 6  | ethereum                              | 0xE1:0                | A1             | USDC             | e1 · E1 · A1 · USDC · [0]                       | =5 |
| 7  | ethereum                              | 0xE1_1                | A1             | USDC             | e1 · E1 · A1 · USDC · [1]                       | ≠5 =1 |
| 8  | base                                  | 0xE1                  | A1             | USDC             | e8453 · E1 · A1 · USDC                          | ≠1 |
| 9  | –                                     | E1                    | A1             | USDC.BASE        | e8453 · E1 · A1 · USDC                          | =8 ≠1 |
| 10 | base                                  | 0xE1                  | A1             | USDC.E           | e8453 · E1 · A1 · USDC.E                        | ≠8 |
| 11 | ethereum                              | 0xE1                  | A1             | ETH              | e1 · E1 · A1 · ETH                              | ≠1 |
| 12 | ethereum                              | 0xE1                  | A1             | WETH             | e1 · E1 · A1 · WETH                             | ≠11 |
| 13 | polygon                               | 0xE1                  | A1             | MATIC            | e137 · E1 · A1 · POL                            | |
| 14 | eip155:137                            | 0xE1                  | A1             | POL              | e137 · E1 · A1 · POL                            | =13 |
| 15 | –                                     | E1                    | A1             | MATIC_POLYGON    | e137 · E1 · A1 · POL                            | =13 |
| 16 | ethereum                              | 0xE1                  | A1             | MATIC            | e1 · E1 · A1 · MATIC                            | ≠13 |
| 17 | ethereum                              | 0xE1                  | A1             | POL              | e1 · E1 · A1 · POL                              | ≠16 ≠14 |
| 18 | MATIC                                 | 0xE1                  | A1             | USDC_POLYGON     | e137 · E1 · A1 · USDC                           | |
| 19 | eip155:137                            | 0xE1-7                | A1             | USDC.e           | e137 · E1 · A1 · USDC.E · [7]                   | ≠18 |
| 20 | –                                     | 0xE1                  | A1             | USDC.E.AVALANCHE | e43114 · E1 · A1 · USDC.E                       | |
| 21 | avax:8aDU0Kqh-5d23op-B-r-4YbQFRbsgF9a | 0xE1                  | A1             | USDC.e           | e43114 · E1 · A1 · USDC.E                       | =20 |
| 22 | ethereum                              | ""                    | A1             | USDC             | e1 · none · A1 · USDC                           | ≠1 |
| 23 | base                                  | a8fb...cfc            | A1             | USDC             | e8453 · none · A1 · USDC                        | ≠8 |
| 24 | bitcoin                               | B1                    | BA             | BTC              | btc · B1 · BA · BTC                             | |
| 25 | bitcoin                               | 0xB1                  | BA             | BTC              | btc · B1 · BA · BTC                             | =24 |
| 26 | bitcoin                               | B1-0                  | BA             | BTC              | btc · B1 · BA · BTC · [0]                       | =24 |
| 27 | bitcoin                               | B1:1                  | BA             | BTC              | btc · B1 · BA · BTC · [1]                       | =24 ≠26 |
| 28 | bitcoin-testnet                       | B1                    | BT             | BTC              | btc-test · B1 · BT · BTC                        | ≠24 |
| 29 | bitcoin cash                          | C1                    | CA             | BCH              | bch · C1 · CA′ · BCH                            | |
| 30 | bitcoin cash                          | C1                    | BP             | BCH              | bch · C1 · CA′ · BCH                            | =29 |
| 31 | bitcoin cash                          | C1                    | CZ             | BCH              | bch · C1 · CA′ · BCH                            | =29 |
| 32 | litecoin                              | L1                    | LM             | LTC              | ltc · L1 · LM · LTC                             | |
| 33 | litecoin                              | L1:0                  | L3             | LTC              | ltc · L1 · LM · LTC · [0]                       | =32 |
| 34 | solana                                | S1                    | SA             | USDC             | sol · S1 · SA · USDC                            | |
| 35 | solana                                | lower(S1)             | SA             | USDC             | sol · lower(S1) · SA · USDC                     | ≠34 |
| 36 | solana                                | S1                    | ST             | USDC             | sol · S1 · ST · USDC                            | ≠34 |
| 37 | tron                                  | T1                    | TA             | USDT             | tron · T1 · TA · USDT                           | |
| 38 | TRC20                                 | 0xupper(T1)           | T41            | USDT             | tron · T1 · TA · USDT                           | =37 |
| 39 | –                                     | T1                    | TA             | USDT-TRC20       | tron · T1 · TA · USDT                           | =37 |
| 40 | ERC20                                 | 0xT1                  | T0             | USDT             | e1 · T1 · T0 · USDT                             | ≠37 |
| 41 | xrp ledger                            | upper(X1)             | XA + tag 31337 | XRP              | xrp · X1 · XA · XRP · (31337)                   | |
| 42 | xrp ledger                            | X1                    | XA?dt=31337    | XRP              | xrp · X1 · XA · XRP · (31337)                   | =41 |
| 43 | xrpl:0                                | X1                    | XX             | XRP              | xrp · X1 · XA · XRP · (31337)                   | =41 |
| 44 | xrp ledger                            | X1                    | XA             | XRP              | xrp · X1 · XA · XRP                             | =41 |
| 45 | stellar                               | M1                    | MG + tag 420   | XLM              | xlm · M1 · MG · XLM · (420)                     | |
| 46 | stellar                               | upper(M1)             | MG:420         | XLM              | xlm · M1 · MG · XLM · (420)                     | =45 |
| 47 | stellar:pubnet                        | M1                    | MM             | XLM              | xlm · M1 · MG · XLM · (420)                     | =45 |
| 48 | stellar                               | M1                    | MM0            | XLM              | xlm · M1 · MG · XLM · (0)                       | ≠45 |
| 49 | cosmos hub                            | upper(O1)             | OA             | ATOM             | atom · O1 · OA · ATOM                           | |
| 50 | cosmos:cosmoshub-4                    | 0xO1                  | upper(OA)      | ATOM             | atom · O1 · OA · ATOM                           | =49 |
| 51 | algorand                              | G1                    | GA             | ALGO             | algo · G1 · GA · ALGO                           | |
| 52 | algorand                              | G1/inner/1            | GA             | ALGO             | algo · G1 · GA · ALGO · [inner/1]               | =51 |
| 53 | algorand                              | G1/inner/2            | GA             | ALGO             | algo · G1 · GA · ALGO · [inner/2]               | ≠52 |
| 54 | hedera                                | H@082525000           | 0.0.48213      | HBAR             | hbar · H@082525000 · 0.0.48213 · HBAR           | |
| 55 | hedera                                | H-082525000           | 0.0.48213      | HBAR             | hbar · H@082525000 · 0.0.48213 · HBAR           | =54 |
| 56 | hedera                                | H@82525000            | 0.0.48213      | HBAR             | hbar · H@082525000 · 0.0.48213 · HBAR           | =54 |
| 57 | hedera                                | H-825250000           | 0.0.48213      | HBAR             | hbar · H@825250000 · 0.0.48213 · HBAR           | ≠55 |
| 58 | hedera                                | H-082525000           | HL             | HBAR             | hbar · H@082525000 · 0.0.48213 · HBAR           | =54 |
| 59 | hedera                                | H@082525000?scheduled | 0.0.48213      | HBAR             | hbar · H@082525000?scheduled · 0.0.48213 · HBAR | ≠54 |
| 60 | cardano                               | K1                    | KA             | ADA              | ada · K1 · KA · ADA                             | |
| 61 | cardano                               | K1#0                  | upper(KA)      | ADA              | ada · K1 · KA · ADA · [0]                       | =60 |
| 62 | polkadot                              | 24680135-2            | P0             | DOT              | dot · 24680135-2 · PK · DOT                     | |
| 63 | polkadot                              | 24680135-2            | PK             | DOT              | dot · 24680135-2 · PK · DOT                     | =62 |
| 64 | polkadot                              | 24680135-3            | P0             | DOT              | dot · 24680135-3 · PK · DOT                     | ≠62 |
| 65 | ton                                   | N1                    | NE             | TON              | ton · N1 · NR · TON                             | |
| 66 | ton                                   | N64                   | NU             | TON              | ton · N1 · NR · TON                             | =65 |
| 67 | tvm:-239                              | N64u                  | NP             | TON              | ton · N1 · NR · TON                             | =65 |
| 68 | near                                  | R1                    | RI             | NEAR             | near · R1 · RI · NEAR                           | |
| 69 | sui                                   | U1                    | UL             | SUI              | sui · U1 · UL · SUI                             | |
| 70 | sui:mainnet                           | U1                    | US             | SUI              | sui · U1 · UL · SUI                             | =69 |
| 71 | aptos                                 | 0xQ1                  | QL             | APT              | apt · Q1 · QL · APT                             | |
| 72 | aptos:1                               | upper(Q1)             | QS             | APT              | apt · Q1 · QL · APT                             | =71 |
| 73 | avalanche x                           | V1                    | VX             | AVAX             | avax-x · V1 · VX · AVAX                         | |
| 74 | avalanche x                           | V1                    | VP             | AVAX             | avax-x · V1 · VP · AVAX                         | ≠73 |
"#;

/// The values that cells name.
const VALUES: &[(&str, &str)] = &[
    ("E1", "a8fbb15b3cb9d6ae2c1d68efdb76ff5eb54efcb6973245c11b5226a3be4adcfc"),
    ("A1", "0x1a1587d621dc57b5a11584dc95614514ac7f03b2"),
    ("A1c", "0x1a1587d621DC57b5a11584Dc95614514Ac7f03b2"),
    ("B1", "f7d7494c9c2344f420409de98c021a20195c53c7445d60e7a9322b8329eee28f"),
    ("BA", "bc1q0kfrqkcu2y8ps8fxhm4p8nw7qvm5sen5k0p5d8"),
    ("BT", "tb1q0kfrqkcu2y8ps8fxhm4p8nw7qvm5sen5uf68k5"),
    ("C1", "91a7d3adad1066d58b154c4b9968c30cf818918294b1b84c80b96046ed38ef3b"),
    ("CA", "bitcoincash:qp7eyvzmr3gsuxqay6lw5y7dmcpnwjrxwswacz9v6s"),
    ("CZ", "bitcoincash:zp7eyvzmr3gsuxqay6lw5y7dmcpnwjrxwsfhtut29r"),
    ("BP", "1CSxbMwJ115ZqgfpbydtJrHkMsyrSrZAtc"),
    ("L1", "345ba4455f5c2bb565fc19b63cd950f850f3a66501f8a9149983b1ff0a0a5a44"),
    ("LM", "MKM7pnqhW2FNjMe9pxHpZ7u5q6s1wgSyFf"),
    ("L3", "3D8yWuRjYuPwvrNFj5JUjUegWQGZzcQf8B"),
    ("LB", "ltc1q0kfrqkcu2y8ps8fxhm4p8nw7qvm5sen5jnms4h"),
    ("S1", "2ZngrSPXQNDGAZvSewALCE2oGrdedQxABHxypB3kc5ewtrnRvjEVWUuYBfRTgTFgibuUKAdcko97oiVyvZ7MmVAV"),
    ("SA", "BL4fFBRritfveDWdiwrUAtQ57xc6o2hQD7c1bs9dHHQ6"),
    ("ST", "2BfqWSdqC12YvRywcZB3v5YHZGgBBXej6gKHbS4NXJY1"),
    ("T1", "a942c859247b3ff4e99f49cff8a02667a64a06eba18b513d1b991b2fdfbf0fb7"),
    ("TA", "TGRcDw3iXjZsarBCyv7VEzqpnyDESinawk"),
    ("T41", "4146cef455307b7adaddfac781095a7751a603cbd2"),
    ("T0", "0x46cef455307b7adaddfac781095a7751a603cbd2"),
    ("X1", "24deea5563ef1334752c8d292e3ce0e808260d0506bd12cc4de6cf6aa67a5309"),
    ("XA", "r9THsLCQwi5dwRmcccX5zM89uPJ1aznz86"),
    ("XX", "X7AaQZU7JK1rLB1HFk6WbymSGKbW6ZvTckRDadVd7icLYG9"),
    ("M1", "f6ead8691b5d17e8102a553600469854cdf7090229cf5d801f81848d3a2d1c04"),
    ("MG", "GCX3UATUGCLHHMZTSAXI75PAMNT67GLXZG7Y6ZXLPOWODRWSSI2TOKEW"),
    ("MM", "MCX3UATUGCLHHMZTSAXI75PAMNT67GLXZG7Y6ZXLPOWODRWSSI2TOAAAAAAAAAABUQ63S"),
    ("MM0", "MCX3UATUGCLHHMZTSAXI75PAMNT67GLXZG7Y6ZXLPOWODRWSSI2TOAAAAAAAAAAAABRH6"),
    ("O1", "2b4df6c7b86d49a71c5ad6c1ffc2e85fde618c69400d2a0ccabb8dd12df4ae25"),
    ("OA", "cosmos1p3w2wke483hkfe27aydp0g2zwl6pw9475gn5mg"),
    ("G1", "775K7ZNQDE5QELRKBBJU3KPZEUBSQH5KZECD2BDLEGEOP4MVT3PA"),
    ("GA", "YCBOL7VG4RAJNVPILBTY4R7FFBG3WS2JHR5GUEA3JO7C577S5VRWHFATC4"),
    ("HL", "0x000000000000000000000000000000000000bc55"),
    ("K1", "86225ea73dd6fb47a8b413116002d4da1c5858ea745731fae2dc51cc2cfe28cb"),
    ("KA", "addr1qyhleyag2y7678gf8rvsldtgqu396t6j456tv5ss7tmk06y2cfvgwlf7spg5dtvnjs7jh0gzr548u5y02l65jwfl8vfqvlfy9d"),
    ("P0", "161z9QSxZ8VKevDfUibWZLhYWiQbUccrHUfGgXWqzstVmWb4"),
    ("PK", "0xdded88be0e33741e22505f24b53d27f2846ec744e2580891b02e765721c746f4"),
    ("N1", "fad6d75a67fdf96bfd5920f1d1ce81948610b9a45d95974b9894b0a258ca1b27"),
    ("N64", "+tbXWmf9+Wv9WSDx0c6BlIYQuaRdlZdLmJSwoljKGyc="),
    ("N64u", "-tbXWmf9-Wv9WSDx0c6BlIYQuaRdlZdLmJSwoljKGyc="),
    ("NE", "EQAgLVy6PRODp-JTD1wU9HfEiJng-mWjp-VA_fA1u3uOMQTa"),
    ("NU", "UQAgLVy6PRODp-JTD1wU9HfEiJng-mWjp-VA_fA1u3uOMVkf"),
    ("NP", "EQAgLVy6PRODp+JTD1wU9HfEiJng+mWjp+VA/fA1u3uOMQTa"),
    ("NR", "0:202d5cba3d1383a7e2530f5c14f477c48899e0fa65a3a7e540fdf035bb7b8e31"),
    ("R1", "FoYnsEk4JVWabRTdh4ve1qC1gCTnJXtKpq3N1gzXZ7uZ"),
    ("RI", "4a647e7718b6384649b3d1d6c1aab7ce436c16978aae5e8ea375568b21f7dc98"),
    ("U1", "DmG2Tju11qXsq7uxzDW9gAzPBPasBrEjmWW2nLiHdSKX"),
    ("UL", "0x00000cce4229feb718d723b0e8a0580c7db616e4c4a18a3d399d61efe42065d7"),
    ("US", "0xcce4229feb718d723b0e8a0580c7db616e4c4a18a3d399d61efe42065d7"),
    ("Q1", "a65e9a275c06dcd4a8fec078de2d02586e1aaacffd8703ad8720f7ef29284320"),
    ("QL", "0x00e1b0249d250a9ffbec850f9347559cc2544f17afdde47fbc4192119cc3abad"),
    ("QS", "0xe1b0249d250a9ffbec850f9347559cc2544f17afdde47fbc4192119cc3abad"),
    ("V1", "2FAzMLCtxjzNo2jS97JppGigAi1bV9USSXj925zMwzgPDfJewE"),
    ("VX", "X-avax10kfrqkcu2y8ps8fxhm4p8nw7qvm5sen54hjksh"),
    ("VP", "P-avax10kfrqkcu2y8ps8fxhm4p8nw7qvm5sen54hjksh"),
    ("CA′", "qp7eyvzmr3gsuxqay6lw5y7dmcpnwjrxwswacz9v6s"),
    ("H@", "0.0.9401@1598924675."),
    ("H-", "0.0.9401-1598924675-"),
];

/// The names of chains in the table.
const CHAINS: &[(&str, &str)] = &[
    ("e1", "eip155:1"),
    ("e137", "eip155:137"),
    ("e8453", "eip155:8453"),
    ("e43114", "eip155:43114"),
    ("btc", "bip122:000000000019d6689c085ae165831e93"),
    ("btc-test", "bip122:000000000933ea01ad0ee984209779ba"),
    ("bch", "bip122:000000000000000000651ef99cb9fcbe"),
    ("ltc", "bip122:12a765e31ffd4059bada1e25190f6e98"),
    ("sol", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"),
    ("tron", "tron:0x2b6653dc"),
    ("xrp", "xrpl:0"),
    ("xlm", "stellar:pubnet"),
    ("atom", "cosmos:cosmoshub-4"),
    ("algo", "algorand:wGHE2Pwdvd7S12BL5FaOP20EGYesN73k"),
    ("hbar", "hedera:mainnet"),
    ("ada", "cip34:1-764824073"),
    ("dot", "polkadot:91b171bb158e2d3848fa23a9f1c25182"),
    ("ton", "tvm:-239"),
    ("near", "near:mainnet"),
    ("sui", "sui:mainnet"),
    ("apt", "aptos:1"),
    ("avax-x", "avax:imji8papUf2EhV3le337w1vgFauqkJg-"),
];

/// What a cell writes: `0x`, `upper(…)`, `lower(…)`, a named value, and any text after it.
fn value(cell: &str) -> String {
    if let Some(rest) = cell.strip_prefix("0x") {
        return format!("0x{}", value(rest));
    }
    for (function, apply) in [("upper(", str::to_uppercase as fn(&str) -> String), ("lower(", str::to_lowercase)] {
        if let Some((argument, rest)) = cell.strip_prefix(function).and_then(|rest| rest.split_once(')')) {
            return apply(&value(argument)) + rest;
        }
    }
    let named = VALUES.iter().filter(|(name, _)| cell.starts_with(name)).max_by_key(|(name, _)| name.len());
    named.map_or(cell.to_owned(), |(name, value)| format!("{value}{}", &cell[name.len()..]))
}

struct Row {
    number: usize,
    coin: CoinId,
    expected: String,
    relations: Vec<(bool, usize)>,
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [number, chain, id, address, asset, expected, relations] = cells.try_into().expect("seven cells");
    let (address, tag) = address.split_once(" + tag ").map_or((address, None), |(address, tag)| (address, Some(tag)));
    let network = (chain != "–").then(|| Network::named(chain));
    let id = if id == "\"\"" { String::new() } else { value(id) };
    let address = value(address);
    let told =
        ToldCoin { hash: Some(&id), address: Some(&address), tag, asset: Some(asset), network: network.as_ref() };
    let relation = |text: &str| (text.starts_with('='), text.trim_start_matches(['=', '≠']).parse().expect("a row"));
    Row {
        number: number.parse().expect("a row's number"),
        coin: CoinId::of(told),
        expected: expected.to_owned(),
        relations: relations.split_whitespace().map(relation).collect(),
    }
}

fn rows() -> Vec<Row> {
    TABLE.trim().lines().map(row).collect()
}

/// The cell of the expected coin, with values in place of their names.
fn expected(cell: &str) -> String {
    let parts = cell.split(" · ").enumerate().map(|(at, part)| match (at, part) {
        (0, chain) => CHAINS.iter().find(|(name, _)| *name == chain).map_or(chain, |(_, caip2)| caip2).to_owned(),
        (1 | 2, part) => value(part),
        (_, part) => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join(" · ")
}

/// `coin` as the table writes it.
fn written(coin: &CoinId) -> String {
    let or = |part: Option<&str>, missing: &str| part.unwrap_or(missing).to_owned();
    let mut parts = vec![or(coin.chain(), "–"), or(coin.transaction(), "none"), or(coin.address(), "–")];
    parts.push(or(coin.asset(), "–"));
    parts.extend(coin.tag().map(|tag| format!("({})", tag.value())));
    parts.extend(coin.output().map(|output| format!("[{output}]")));
    parts.join(" · ")
}

#[test]
fn every_notation_has_its_canonical_spelling() {
    let rows = rows();
    assert_eq!(rows.len(), 74);
    for (at, row) in rows.iter().enumerate() {
        assert_eq!(row.number, at + 1);
        assert_eq!(written(&row.coin), expected(&row.expected), "row {}", row.number);
    }
}

#[test]
fn every_notation_is_the_coin_that_it_must_be_and_no_other() {
    let rows = rows();
    let mut compared = 0;
    for Row { number, coin, relations, .. } in &rows {
        for (is_same, other) in relations {
            let other_coin = &rows[other - 1].coin;
            let found = (coin.is_same_coin_as(other_coin), other_coin.is_same_coin_as(coin));
            assert_eq!(found, (*is_same, *is_same), "rows {number} and {other}");
            compared += 1;
        }
    }
    assert_eq!(compared, 57);
}

#[test]
fn a_row_without_an_id_is_compared_by_everything_else() {
    let rows = rows();
    let coin = |number: usize| &rows[number - 1].coin;
    assert!(coin(22).could_be(coin(1)), "no id, on the same chain");
    assert!(!coin(22).could_be(coin(8)), "no id, on another chain");
    assert!(!coin(22).is_same_coin_as(coin(22)), "without an id nothing is the same coin");
}

#[test]
fn outputs_of_one_transaction_share_it_and_are_different_coins() {
    let rows = rows();
    let coin = |number: usize| &rows[number - 1].coin;
    for (one, other, shares) in [(5, 7, true), (26, 27, true), (52, 53, true), (8, 1, false), (45, 48, false)] {
        assert!(!coin(one).is_same_coin_as(coin(other)), "rows {one} and {other}");
        assert_eq!(coin(one).shares_transaction_with(coin(other)), shares, "rows {one} and {other}");
    }
}

#[test]
fn only_the_number_of_a_muxed_account_is_a_muxed_tag() {
    let rows = rows();
    let muxed = rows.iter().filter(|row| row.coin.tag().is_some_and(Tag::is_muxed));
    assert_eq!(muxed.map(|row| row.number).collect::<Vec<_>>(), [47, 48]);
}

#[test]
fn a_coin_is_read_back_as_it_was_stored() {
    for Row { number, coin, .. } in rows() {
        let stored = serde_json::to_string(&coin).expect("JSON");
        assert!(!stored.contains("null"), "row {number}: {stored}");
        assert_eq!(serde_json::from_str::<CoinId>(&stored).expect("a coin"), coin, "row {number}");
    }
}
