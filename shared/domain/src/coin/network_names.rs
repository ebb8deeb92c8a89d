//! The table of known networks.

/// A known network: slug, CAIP-2 chain id where there is one, and its spellings in lower case without separators.
pub(super) type Known = (&'static str, Option<&'static str>, &'static [&'static str]);

/// The known networks.
///
/// The chain ids follow the [caip-2] namespaces: `eip155` is the EIP-155 chain id, `bip122` the first 32 hex digits of
/// the genesis block's hash (Bitcoin Cash: of the first block after the fork), `solana` the first 32 characters of the
/// genesis hash. Tron and NEAR have no namespace in the standard: theirs are the ids that wallets use.
pub(super) const NETWORKS: &[Known] = &[
    ("algorand", Some("algorand:wGHE2Pwdvd7S12BL5FaOP20EGYesN73k"), &["algorand", "algo"]),
    ("aptos", Some("aptos:1"), &["aptos", "apt"]),
    ("arbitrum", Some("eip155:42161"), &["arbitrum", "arbitrumone", "arb"]),
    // Avalanche is three chains: a deposit on the X chain is not one on the C chain.
    (
        "avalanche",
        Some("eip155:43114"),
        &["avalanche", "avalanchec", "avalanchecchain", "avax", "avaxc", "avaxcchain", "cchain"],
    ),
    (
        "avalanche-p",
        Some("avax:Rr9hnPVPxuUvrdCul-vjEsU1zmqKqRDo"),
        &["avalanchep", "avalanchepchain", "avaxp", "avaxpchain", "pchain"],
    ),
    (
        "avalanche-x",
        Some("avax:imji8papUf2EhV3le337w1vgFauqkJg-"),
        &["avalanchex", "avalanchexchain", "avaxx", "avaxxchain", "xchain"],
    ),
    ("base", Some("eip155:8453"), &["base"]),
    ("base-sepolia", Some("eip155:84532"), &["basesepolia"]),
    ("bitcoin", Some("bip122:000000000019d6689c085ae165831e93"), &["bitcoin", "btc"]),
    ("bitcoin-cash", Some("bip122:000000000000000000651ef99cb9fcbe"), &["bitcoincash", "bch"]),
    (
        "bitcoin-testnet",
        Some("bip122:000000000933ea01ad0ee984209779ba"),
        &["bitcointestnet", "bitcointestnet3", "bitcointest", "btctestnet", "btctestnet3", "btctest"],
    ),
    // BEP2 is the former Beacon Chain, not this one.
    (
        "bnb-smart-chain",
        Some("eip155:56"),
        &["bnbsmartchain", "binancesmartchain", "bnbchain", "bnbbsc", "bsc", "bnb", "bep20"],
    ),
    (
        "bnb-smart-chain-testnet",
        Some("eip155:97"),
        &["bnbsmartchaintestnet", "binancesmartchaintestnet", "bsctestnet", "bsctest", "bnbtestnet", "bnbtest"],
    ),
    ("cardano", Some("cip34:1-764824073"), &["cardano", "ada"]),
    ("cosmos-hub", Some("cosmos:cosmoshub-4"), &["cosmoshub", "cosmos", "atom"]),
    ("dogecoin", Some("bip122:1a91e3dace36e2be3bf030a65679fe82"), &["dogecoin", "doge"]),
    ("ethereum", Some("eip155:1"), &["ethereum", "eth", "erc20"]),
    (
        "ethereum-sepolia",
        Some("eip155:11155111"),
        &["sepolia", "ethereumsepolia", "ethsepolia", "sepoliatestnet", "ethereumtestnetsepolia"],
    ),
    ("hedera", Some("hedera:mainnet"), &["hedera", "hederahashgraph", "hbar"]),
    // The name "Hyperliquid" is not listed: a deposit to Hyperliquid arrives on Arbitrum, and the name may mean that
    // chain, HyperCore or HyperEVM.
    ("hypercore", None, &["hypercore", "hyperliquidcore"]),
    ("hyperevm", Some("eip155:999"), &["hyperevm", "hyperliquidevm"]),
    // Its own network and never Bitcoin: a payment over Lightning has no transaction on the chain.
    ("lightning", None, &["lightning", "lightningnetwork", "bitcoinlightning", "btclightning", "ln", "btcln"]),
    ("litecoin", Some("bip122:12a765e31ffd4059bada1e25190f6e98"), &["litecoin", "ltc"]),
    ("near", Some("near:mainnet"), &["near", "nearprotocol"]),
    ("optimism", Some("eip155:10"), &["optimism", "op"]),
    ("polkadot", Some("polkadot:91b171bb158e2d3848fa23a9f1c25182"), &["polkadot", "dot"]),
    ("polygon", Some("eip155:137"), &["polygon", "matic", "pol", "polygonpos"]),
    ("polygon-amoy", Some("eip155:80002"), &["polygonamoy", "polygontestnetamoy", "amoy"]),
    ("solana", Some("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"), &["solana", "sol", "spl"]),
    ("solana-devnet", Some("solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"), &["solanadevnet", "soldevnet"]),
    ("stellar", Some("stellar:pubnet"), &["stellar", "xlm"]),
    ("stellar-testnet", Some("stellar:testnet"), &["stellartestnet", "xlmtestnet"]),
    ("sui", Some("sui:mainnet"), &["sui"]),
    ("ton", Some("tvm:-239"), &["ton", "toncoin", "theopennetwork"]),
    ("tron", Some("tron:0x2b6653dc"), &["tron", "trx", "trc20"]),
    ("xrp-ledger", Some("xrpl:0"), &["xrpledger", "xrpl", "ripple", "xrp"]),
    ("xrp-ledger-testnet", Some("xrpl:1"), &["xrpledgertestnet", "xrpltestnet", "xrptestnet", "rippletestnet"]),
    ("zksync", Some("eip155:324"), &["zksync", "zksyncera"]),
];

/// Second chain ids of a network, and its slug.
pub(super) const CHAIN_ID_ALIASES: &[(&str, &str)] =
    &[("avax:8aDU0Kqh-5d23op-B-r-4YbQFRbsgF9a", "avalanche"), ("tron:728126428", "tron")];

/// Coins whose bare code names their own network: code and slug.
///
/// `MATIC` and `POL` are not among them: each is also a contract on Ethereum. `BNB` was also a coin of the Beacon Chain.
pub(super) const NATIVE_COINS: &[(&str, &str)] = &[
    ("ADA", "cardano"),
    ("ALGO", "algorand"),
    ("APT", "aptos"),
    ("ATOM", "cosmos-hub"),
    ("AVAX", "avalanche"),
    ("BCH", "bitcoin-cash"),
    ("BTC", "bitcoin"),
    ("DOGE", "dogecoin"),
    ("DOT", "polkadot"),
    ("ETH", "ethereum"),
    ("HBAR", "hedera"),
    ("LTC", "litecoin"),
    ("NEAR", "near"),
    ("SOL", "solana"),
    ("SUI", "sui"),
    ("TON", "ton"),
    ("TRX", "tron"),
    ("XLM", "stellar"),
    ("XRP", "xrp-ledger"),
];
