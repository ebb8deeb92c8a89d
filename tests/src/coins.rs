//! Coins that several webhook families report.

use fundhook_domain::{Kind, Provider, ResourceId};
use fundhook_local_stack::sending::Webhook;

use crate::{hash, resource, samples_with, unique, uuid};

/// A coin that three webhooks report: Connect's, zerohash's fund transaction and zerohash's deposit status.
pub struct Coin {
    pub webhooks: [Webhook; 3],
    /// The deposit of each webhook, in the same order.
    pub deposits: [ResourceId; 3],
}

impl Coin {
    /// A different coin for each test: 100 USDC on Ethereum, received for the user `account`.
    pub fn of(account: &str) -> Self {
        let hash = hash();
        let [connect, fund, deposit] = [unique(Kind::Deposit).native().to_owned(), uuid(), uuid()];
        let files = [
            "connect/deposits.confirmed.same_coin.json",
            "zerohash/fund.success.json",
            "zerohash/deposit.completed.json",
        ];
        let own = [
            ("cf59f58d-8aea-4cbb-9e0c-8ed327e381ab", connect.as_str()),
            ("363b5b15-02bd-4797-892f-8baa4eec60d9", &fund),
            ("cd7b9e8c-e0f3-4fcd-a192-48ff280bc4dd", &deposit),
            ("CUST01", account),
            // The third sample is of another coin.
            ("cd9e98ae631cf7cfcf4d351374337a55096abd01d9637303aaef31d5c0766569", &hash),
            ("bd031f32f88c15a6ee28bddec8ead829b2222b83c830360643a57e612d26dde0", &hash),
            ("0x50D874aAB0C6947b04604599dCF349fdB22e7177", "0x34f53Aea3ba8b60B0ed19106baF43A4f3F73f242"),
            ("USDC.BASE", "USDC.ETH"),
            (r#""75""#, r#""100""#),
        ];
        let webhooks = samples_with(&files, &own);
        let deposits = [
            resource(Kind::Deposit, Provider::Connect, &connect),
            resource(Kind::Deposit, Provider::Zerohash, &fund),
            resource(Kind::Deposit, Provider::Zerohash, &deposit),
        ];
        Self { webhooks: webhooks.try_into().expect("a webhook for each file"), deposits }
    }
}
