//! A deposit with its webhooks and its row in the list.

use fundhook_domain::{Feed, Kind, Provider, ResourceId, Timestamp, digest_hex};
use fundhook_ports::fakes::ApiRow;
use serde_json::{Value, json};

/// A deposit as the provider has it.
#[derive(Clone, Debug)]
pub(crate) struct TestDeposit {
    /// The feed of its webhooks.
    pub(crate) feed: Feed,
    pub(crate) id: String,
    pub(crate) amount: String,
    /// Its asset, its network in Connect's spelling, and both in zerohash's spelling.
    pub(crate) coin: (&'static str, &'static str, &'static str),
    pub(crate) hash: String,
    pub(crate) address: String,
    pub(crate) account: String,
    /// When it arrived.
    pub(crate) at: Timestamp,
    /// What zerohash and the list state in addition: the code of the reason while it is not credited, and its fee in USD.
    pub(crate) reason_code: Option<&'static str>,
    pub(crate) fee: Option<&'static str>,
}

pub(crate) const USDC: (&str, &str, &str) = ("USDC", "base", "USDC.BASE");
pub(crate) const ETH: (&str, &str, &str) = ("ETH", "ethereum", "ETH.ETH");

/// The deposit `id` of 100.5 USDC, reported by Connect, that arrived at `at`.
pub(crate) fn deposit(id: &str, at: Timestamp) -> TestDeposit {
    TestDeposit {
        feed: Provider::Connect.into(),
        id: id.to_owned(),
        amount: "100.5".to_owned(),
        coin: USDC,
        hash: digest_hex(id.as_bytes()),
        address: "0x34f53Aea3ba8b60B0ed19106baF43A4f3F73f248".to_owned(),
        account: "CUST01".to_owned(),
        at,
        reason_code: None,
        fee: None,
    }
}

impl TestDeposit {
    pub(crate) fn of(self, feed: &str) -> Self {
        Self { feed: feed.parse().expect("a feed"), ..self }
    }

    pub(crate) fn worth(self, amount: &str, coin: (&'static str, &'static str, &'static str)) -> Self {
        Self { amount: amount.to_owned(), coin, ..self }
    }

    pub(crate) fn arriving(self, at: Timestamp) -> Self {
        Self { at, ..self }
    }

    pub(crate) fn with_id(self, id: &str) -> Self {
        Self { id: id.to_owned(), ..self }
    }

    /// The recorded resource's id.
    pub(crate) fn resource(&self) -> ResourceId {
        ResourceId::new(Kind::Deposit, self.feed.clone(), &self.id).expect("a valid id")
    }

    /// The envelope of the webhook which says at `at` that it reached `status`. For Connect that is the word after
    /// `connect.deposits.`, for zerohash `held` or `confirmed`.
    pub(crate) fn webhook(&self, status: &str, at: Timestamp) -> String {
        let body = match self.feed.provider() {
            Provider::Zerohash => self.fund(status == "confirmed", at),
            Provider::Connect | Provider::Striga => self.connect(status, at),
        };
        webhook(&self.feed, &body.to_string(), at)
    }

    /// zerohash's deposit status about its coin, as the deposit `id`.
    pub(crate) fn completed(&self, id: &str) -> String {
        let body = json!({
            "deposit_id": id, "participant_code": self.account, "transaction_hash": self.hash, "state": "completed",
            "asset": self.coin.2, "amount": self.amount, "received_address": self.address,
            "timestamp": self.at.unix_seconds(),
        });
        webhook(&"zerohash".parse().expect("a feed"), &body.to_string(), self.at)
    }

    /// Its row in the list.
    pub(crate) fn row(&self, succeeded: bool) -> ApiRow {
        self.row_since(succeeded, self.at)
    }

    /// Its row in the list, with this status since `at`.
    pub(crate) fn row_since(&self, succeeded: bool, at: Timestamp) -> ApiRow {
        ApiRow { at: self.at, id: self.id.clone(), json: self.fund(succeeded, at).to_string() }
    }

    fn connect(&self, status: &str, at: Timestamp) -> Value {
        let has_arrived = !matches!(status, "pending" | "submitted");
        let hash = if has_arrived { self.hash.as_str() } else { "" };
        json!({
            "event": format!("connect.deposits.{status}"),
            "deposit": {
                "id": self.id,
                "amount": self.amount,
                "network": self.coin.1,
                "asset": self.coin.0,
                "created_at": self.at,
                "updated_at": at,
                "status": status.to_uppercase(),
                "source": { "type": "CUSTODIAL", "integration": "coinbase" },
                "transaction": { "hash": hash, "to": self.address },
            },
            "session": { "id": format!("session-of-{}", self.id), "metadata": { "cart": self.id } },
            "account": { "reference_id": self.account },
        })
    }

    fn fund(&self, succeeded: bool, at: Timestamp) -> Value {
        json!({
            "participant_code": self.account,
            "fund_asset": self.coin.2,
            "deposited_asset": self.coin.2,
            "rate": "1",
            "quoted_currency": "USD",
            "deposit_address": self.address,
            "quantity": self.amount,
            "notional": self.amount,
            "fund_id": self.id,
            "fund_timestamp": at.unix_seconds() * 1000,
            "deposit_timestamp": self.at.unix_seconds() * 1000,
            "transaction_id": self.hash,
            "account_label": "general",
            "success": succeeded,
            "status_reason": if succeeded { "" } else { "account match has not completed yet" },
            "status_reason_code": self.reason_code.filter(|_| !succeeded),
            "deposit_fee_notional": self.fee,
            "reference_id": format!("attempt-of-{}", self.id),
            "source": { "type": "CUSTODIAL", "integration": "coinbase" },
        })
    }
}

/// The envelope of a verified webhook of `feed` with this body, received at `at`.
pub(crate) fn webhook(feed: &Feed, body: &str, at: Timestamp) -> String {
    let (scheme, class) = match feed.provider() {
        Provider::Connect => ("connect-rsa-sha256", "asymmetric"),
        Provider::Zerohash => ("zerohash-hmac-sha256", "shared_secret"),
        Provider::Striga => ("striga-hmac-sha256", "shared_secret"),
    };
    let envelope = json!({
        "v": 1,
        "feed": feed,
        "received_at": at,
        "url": format!("https://webhooks.example/webhooks/{feed}"),
        "headers": [],
        "body": { "text": body },
        "attestation": { "scheme": scheme, "class": class, "key": "a-key", "signed_at": at },
    });
    envelope.to_string()
}
