//! A platform that has subscribed to the topic.

use std::collections::BTreeSet;
use std::time::Instant;

use fundhook::subscription::{Delivery, Subscription};
use fundhook_adapters::Aws;
use fundhook_domain::ResourceId;

use crate::{Platform, WITHIN};

/// All that was heard since the subscription.
pub struct Listener<'a> {
    platform: &'a Platform,
    subscription: Subscription,
    heard: Vec<Delivery>,
}

impl<'a> Listener<'a> {
    pub(crate) async fn subscribe(platform: &'a Platform, aws: &Aws, topic: &str) -> Self {
        let subscription = Subscription::open(aws, topic).await.expect("the topic takes a subscription");
        Self { platform, subscription, heard: Vec::new() }
    }

    /// Listens until each of these events was heard.
    pub async fn hear<I: Into<String>>(&mut self, ids: impl IntoIterator<Item = I>) {
        let mut missing: BTreeSet<String> = ids.into_iter().map(Into::into).collect();
        let deadline = Instant::now() + WITHIN;
        missing.retain(|id| !self.heard.iter().any(|delivery| delivery.id() == id));
        while !missing.is_empty() {
            if Instant::now() > deadline {
                let heard: Vec<&str> = self.heard.iter().map(Delivery::id).collect();
                let whereabouts = self.platform.whereabouts().await;
                assert!(
                    missing.is_empty(),
                    "not heard after {WITHIN:?}: {missing:#?}\nheard: {heard:#?}\n{whereabouts}"
                );
            }
            let new = self.subscription.next().await.expect("the subscription can be read");
            new.iter().for_each(|delivery| {
                missing.remove(delivery.id());
            });
            self.heard.extend(new);
        }
    }

    /// Listens until the event was heard, and returns its first delivery.
    pub async fn event(&mut self, id: &str) -> Delivery {
        self.hear([id]).await;
        self.heard.iter().find(|delivery| delivery.id() == id).expect("it was heard").clone()
    }

    /// All deliveries so far, in the order in which they came.
    pub fn heard(&self) -> &[Delivery] {
        &self.heard
    }

    /// The ids of the events about `resource` that were heard so far.
    pub fn ids_about(&self, resource: &ResourceId) -> BTreeSet<&str> {
        let subject = resource.to_string();
        self.heard.iter().filter(|delivery| delivery.text("/subject") == subject).map(Delivery::id).collect()
    }
}
