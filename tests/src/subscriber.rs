//! The example subscriber, deployed next to a stack.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::process::Command;

use aws_sdk_dynamodb::types::AttributeValue;
use fundhook::ledger::Sums;
use fundhook_domain::DecimalValue;
use fundhook_local_stack::{CargoOutput, Deployment, Profile, Program, Workspace, build};

use crate::{Item, Platform, eventually, session};

/// The program and the logical id of its function.
const PROGRAM: Program = Program { package: "subscriber" };

/// The visibility timeout in tests; the template has three minutes.
const REDELIVERY_SECONDS: u32 = 5;

/// A deployed subscriber and its ledger.
pub struct Subscriber<'a> {
    platform: &'a Platform,
    deployment: Deployment,
    /// The program, to ask it about its ledger.
    program: PathBuf,
}

impl<'a> Subscriber<'a> {
    /// Deploys it next to `platform` and subscribes it to the topic.
    pub async fn deploy(platform: &'a Platform) -> Self {
        let parameters = [("TopicArn", platform.output("TopicArn"))];
        let beside = session().await.beside(platform.deployment(), PROGRAM, "examples/subscriber", &parameters).await;
        let deployment = beside.map_err(|error| fundhook_ports::chain(&error)).expect("it is deployed");
        let workspace = Workspace::find().expect("the tests run in the workspace");
        let built = build(&workspace, &[PROGRAM], Profile::Dev, CargoOutput::Kept).await.expect("it is built");
        let program = built.get(PROGRAM).expect("it is built").to_owned();
        let subscriber = Self { platform, deployment, program };
        platform.redeliver_from(subscriber.output("QueueUrl"), REDELIVERY_SECONDS).await;
        subscriber
    }

    fn output(&self, name: &str) -> &str {
        self.deployment.output(name).expect("the template has this output")
    }

    /// Waits until its queue is empty, and returns the number of dead letters.
    pub async fn settled(&self) -> usize {
        let look = async || self.platform.messages(self.output("QueueUrl")).await;
        eventually("the subscriber's queue is empty", look, |messages| *messages == 0).await;
        self.platform.messages(self.output("DlqUrl")).await
    }

    /// The balances that are not zero, by tenant, ledger account and asset. Debits are above zero.
    pub async fn balances(&self) -> Sums {
        let scan = self.platform.clients().dynamodb.scan().table_name(self.output("TableName")).consistent_read(true);
        let items =
            scan.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await.expect("the ledger answers");
        let balance = |item: HashMap<String, AttributeValue>| {
            let asset = item["sk"].as_s().expect("a text").strip_prefix("balance#")?.to_owned();
            let account = item["pk"].as_s().expect("a text").strip_prefix("account#")?;
            let (tenant, account) = account.split_once('#').expect("a tenant and an account");
            let tenant = Some(tenant.to_owned()).filter(|tenant| tenant != "-");
            let total: DecimalValue = item["total"].as_n().expect("a number").parse().expect("an exact number");
            Some(((tenant, account.to_owned(), asset), total))
        };
        items.into_iter().filter_map(balance).filter(|(_, total)| *total != DecimalValue::zero()).collect()
    }

    /// All items of its ledger.
    pub async fn ledger(&self) -> Vec<Item> {
        self.platform.items(self.output("TableName")).await
    }

    /// The ids of the events that it has booked.
    pub async fn booked_events(&self) -> BTreeSet<String> {
        let keys = self.ledger().await.into_iter().map(|item| item["pk"].as_s().expect("a text").clone());
        keys.filter_map(|key| Some(key.strip_prefix("event#")?.to_owned())).collect()
    }

    /// Replaces its ledger by a copy.
    pub async fn restore(&self, ledger: &[Item]) {
        self.platform.replace_items(self.output("TableName"), &["pk", "sk"], ledger).await;
    }

    /// What the program prints when it is asked this about its ledger.
    pub async fn asked(&self, arguments: &[&str]) -> String {
        let clients = self.platform.clients();
        let mut command = Command::new(&self.program);
        command.args(arguments).env_clear().env("LEDGER_TABLE", self.output("TableName"));
        command.env("AWS_ENDPOINT_URL", &clients.endpoint).env("AWS_REGION", "us-east-1");
        command.env("AWS_ACCESS_KEY_ID", clients.account.as_str()).env("AWS_SECRET_ACCESS_KEY", "test");
        let output = tokio::task::spawn_blocking(move || command.output()).await.expect("it ends");
        let output = output.expect("it starts");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }
}
