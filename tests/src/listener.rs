//! A platform that has subscribed to the topic.

use std::collections::BTreeSet;
use std::time::Instant;

use fundhook::subscription::{Delivery, Subscription};
use fundhook_adapters::Aws;
use fundhook_domain::ResourceId;

use crate::promised::assert_as_promised;
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
            self.hear_more().await;
            missing.retain(|id| !self.heard.iter().any(|delivery| delivery.id() == id));
        }
    }

    /// Listens for a moment. Whatever is heard must be as it is promised to subscribers.
    async fn hear_more(&mut self) {
        let new = self.subscription.next().await.expect("the subscription can be read");
        new.iter().for_each(assert_as_promised);
        self.heard.extend(new);
    }

    /// Listens until an event of which `is` holds was heard, and returns its first delivery; `what` tells a person.
    pub async fn hear_one(&mut self, what: &str, is: impl Fn(&Delivery) -> bool) -> Delivery {
        let deadline = Instant::now() + WITHIN;
        loop {
            if let Some(delivery) = self.heard.iter().find(|delivery| is(delivery)) {
                return delivery.clone();
            }
            if Instant::now() > deadline {
                let heard: Vec<&str> = self.heard.iter().map(Delivery::id).collect();
                let whereabouts = self.platform.whereabouts().await;
                assert!(
                    Instant::now() < deadline,
                    "not heard after {WITHIN:?}: {what}\nheard: {heard:#?}\n{whereabouts}"
                );
            }
            self.hear_more().await;
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
