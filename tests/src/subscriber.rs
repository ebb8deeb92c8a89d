//! The example subscriber, deployed next to a stack.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use fundhook_domain::DecimalValue;
use fundhook_local_stack::{Deployment, Program};

use crate::{Platform, eventually, session};

/// The program and the logical id of its function.
const PROGRAM: Program = Program { package: "subscriber", logical_id: "Function" };

/// The visibility timeout in tests; the template has three minutes.
const REDELIVERY_SECONDS: u32 = 5;

/// A deployed subscriber and its ledger.
pub struct Subscriber<'a> {
    platform: &'a Platform,
    deployment: Deployment,
}

impl<'a> Subscriber<'a> {
    /// Deploys it next to `platform` and subscribes it to the topic.
    pub async fn deploy(platform: &'a Platform) -> Self {
        let parameters = [("TopicArn", platform.output("TopicArn"))];
        let beside = session().await.beside(platform.deployment(), PROGRAM, "examples/subscriber", &parameters).await;
        let deployment = beside.map_err(|error| fundhook_ports::chain(&error)).expect("it is deployed");
        let subscriber = Self { platform, deployment };
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

    /// The balances that are not zero, by `<tenant>#<account>#<asset>#<network>`, in whole units of the asset.
    pub async fn balances(&self) -> BTreeMap<String, DecimalValue> {
        let items = self.items("balance#").await.into_iter();
        let total = |item: HashMap<String, AttributeValue>| item["total"].as_n().expect("a number").parse();
        items.map(|(name, item)| (name, total(item).expect("an exact number"))).collect()
    }

    /// The entries, by deposit: `credited`, `held` or `disputed`.
    pub async fn entries(&self) -> BTreeMap<String, String> {
        let items = self.items("credit#").await.into_iter();
        items.map(|(name, item)| (name, item["state"].as_s().expect("a text").clone())).collect()
    }

    /// The items whose key starts with `prefix`, by the rest of the key.
    async fn items(&self, prefix: &str) -> BTreeMap<String, HashMap<String, AttributeValue>> {
        let scan = self.platform.clients().dynamodb.scan().table_name(self.output("TableName")).consistent_read(true);
        let items =
            scan.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await.expect("the ledger answers");
        let named = |item: HashMap<String, AttributeValue>| {
            let name = item["pk"].as_s().expect("a text").strip_prefix(prefix)?.to_owned();
            Some((name, item))
        };
        items.into_iter().filter_map(named).collect()
    }
}
