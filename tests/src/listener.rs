//! A subscriber to the topic.

use std::collections::BTreeSet;
use std::time::Instant;

use fundhook::subscription::{Delivery, Subscription};
use fundhook_adapters::Aws;
use fundhook_domain::ResourceId;

use crate::promised::assert_as_promised;
use crate::{Platform, WITHIN};

/// The events received since the subscription.
pub struct Listener<'a> {
    platform: &'a Platform,
    subscription: Subscription,
    received: Vec<Delivery>,
}

impl<'a> Listener<'a> {
    pub(crate) async fn subscribe(platform: &'a Platform, aws: &Aws, topic: &str) -> Self {
        let subscription = Subscription::open(aws, topic).await.expect("the topic takes a subscription");
        Self { platform, subscription, received: Vec::new() }
    }

    /// Receives until each of these events was received.
    pub async fn receive<I: Into<String>>(&mut self, ids: impl IntoIterator<Item = I>) {
        let mut missing: BTreeSet<String> = ids.into_iter().map(Into::into).collect();
        let deadline = Instant::now() + WITHIN;
        missing.retain(|id| !self.received.iter().any(|delivery| delivery.id() == id));
        while !missing.is_empty() {
            if Instant::now() > deadline {
                let received: Vec<&str> = self.received.iter().map(Delivery::id).collect();
                let whereabouts = self.platform.whereabouts().await;
                assert!(
                    missing.is_empty(),
                    "not received after {WITHIN:?}: {missing:#?}\nreceived: {received:#?}\n{whereabouts}"
                );
            }
            self.receive_more().await;
            missing.retain(|id| !self.received.iter().any(|delivery| delivery.id() == id));
        }
    }

    /// Receives for about a second. Every event must match its schema.
    async fn receive_more(&mut self) {
        let new = self.subscription.next().await.expect("the subscription can be read");
        new.iter().for_each(assert_as_promised);
        self.received.extend(new);
    }

    /// Receives until an event matches `is`, and returns its first delivery. `what` describes it in a failure.
    pub async fn receive_one(&mut self, what: &str, is: impl Fn(&Delivery) -> bool) -> Delivery {
        let deadline = Instant::now() + WITHIN;
        loop {
            if let Some(delivery) = self.received.iter().find(|delivery| is(delivery)) {
                return delivery.clone();
            }
            if Instant::now() > deadline {
                let received: Vec<&str> = self.received.iter().map(Delivery::id).collect();
                let whereabouts = self.platform.whereabouts().await;
                assert!(
                    Instant::now() < deadline,
                    "not received after {WITHIN:?}: {what}\nreceived: {received:#?}\n{whereabouts}"
                );
            }
            self.receive_more().await;
        }
    }

    /// Receives until the event was received, and returns its first delivery.
    pub async fn event(&mut self, id: &str) -> Delivery {
        self.receive([id]).await;
        self.received.iter().find(|delivery| delivery.id() == id).expect("it was received").clone()
    }

    /// All deliveries so far, in order of arrival.
    pub fn received(&self) -> &[Delivery] {
        &self.received
    }

    /// The ids of the events about `resource` received so far.
    pub fn ids_about(&self, resource: &ResourceId) -> BTreeSet<&str> {
        let subject = resource.to_string();
        self.received.iter().filter(|delivery| delivery.text("/subject") == subject).map(Delivery::id).collect()
    }
}
