//! Coins that several webhook families report.

use fundhook_domain::{Kind, Provider, ResourceId};
use fundhook_local_stack::sending::Webhook;

use crate::{hash, resource, samples_with, unique, uuid};

/// A coin that two webhooks report, each in its own spelling: Connect's and zerohash's deposit status. Both credit it in kind.
pub struct Coin {
    pub webhooks: [Webhook; 2],
    /// The deposit of each webhook, in the same order.
    pub deposits: [ResourceId; 2],
}

impl Coin {
    /// A different coin for each test: 75 USDC on Base, received for the user `account`.
    pub fn of(account: &str) -> Self {
        let hash = hash();
        let [connect, deposit] = [unique(Kind::Deposit).native().to_owned(), uuid()];
        let files = ["connect/deposits.confirmed.other_spelling.json", "zerohash/deposit.completed.json"];
        let own = [
            ("8f2b6c1d-4e7a-4b90-a3d5-6c8e0f1a2b3c", connect.as_str()),
            ("cd7b9e8c-e0f3-4fcd-a192-48ff280bc4dd", &deposit),
            ("CUST01", account),
            ("BD031F32F88C15A6EE28BDDEC8EAD829B2222B83C830360643A57E612D26DDE0", &hash.to_uppercase()),
            ("bd031f32f88c15a6ee28bddec8ead829b2222b83c830360643a57e612d26dde0", &hash),
        ];
        let webhooks = samples_with(&files, &own);
        let deposits = [
            resource(Kind::Deposit, Provider::Connect, &connect),
            resource(Kind::Deposit, Provider::Zerohash, &deposit),
        ];
        Self { webhooks: webhooks.try_into().expect("a webhook for each file"), deposits }
    }
}
