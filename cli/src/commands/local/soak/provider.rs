//! The providers: they sign and send webhooks over HTTP, and send them again until they are accepted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fundhook_domain::{Feed, Timestamp};
use fundhook_local_stack::sending::{SendError, Webhook, post};
use fundhook_local_stack::session::Platform;
use fundhook_local_stack::{CallError, Deployment};
use fundhook_runtime::now;
use fundhook_sandbox::{SandboxClient, SignRequest, SignedHeaders};
use fundhook_simulator::soak::{Sending, SoakWebhook};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::Shared;

/// After how many seconds a webhook is sent again that was not accepted; then it is given up. A signature counts for five
/// minutes, which is longer than all of them.
const RETRY_SECONDS: [u64; 6] = [1, 2, 4, 8, 16, 32];

/// How many webhooks are sent concurrently for the first time. If the stack is slower than the providers, they wait.
const AT_A_TIME: usize = 12;

/// How long a provider waits before it repeats an accepted webhook, in milliseconds.
const REPEATED_AFTER_MS: std::ops::Range<u64> = 0..10_000;

/// How often it is looked at the clock.
const TICK: Duration = Duration::from_millis(20);

/// The providers.
pub(super) struct Providers {
    deployment: Deployment,
    sandbox: SandboxClient,
    shared: Arc<Shared>,
    slots: Arc<Semaphore>,
}

impl Providers {
    pub(super) fn of(platform: &Platform, shared: &Arc<Shared>) -> Self {
        Self {
            deployment: platform.deployment.clone(),
            sandbox: platform.sandbox.clone(),
            shared: Arc::clone(shared),
            slots: Arc::new(Semaphore::new(AT_A_TIME)),
        }
    }

    /// Sends about `rate` webhooks each second. New lives begin until then; those that have begun are told to their end.
    pub(super) async fn send_until(self: &Arc<Self>, until: Instant, rate: u64) -> Result<(), SendError> {
        let began = Instant::now();
        let mut due: BTreeMap<(Timestamp, u64), SoakWebhook> = BTreeMap::new();
        let mut drawn = 0;
        let mut sending = JoinSet::new();
        loop {
            let is_over = Instant::now() >= until;
            while !is_over && drawn <= began.elapsed().as_secs() * rate {
                for webhook in self.shared.soak().draw(now()) {
                    due.insert((webhook.at, drawn), webhook);
                    drawn += 1;
                }
            }
            while let Some(first) = due.first_entry()
                && first.key().0 <= now()
            {
                self.send(first.remove(), &mut sending).await?;
            }
            while sending.try_join_next().is_some() {}
            if is_over && due.is_empty() {
                break;
            }
            sleep(TICK).await;
        }
        while sending.join_next().await.is_some() {}
        Ok(())
    }

    /// Signs a webhook, so that the sandbox lists what it is about, and begins to send it. Webhooks are signed in the order
    /// in which things happen, so that the newest row is listed.
    async fn send(self: &Arc<Self>, webhook: SoakWebhook, sending: &mut JoinSet<()>) -> Result<(), SendError> {
        self.shared.counts.webhooks.add(1);
        let slot = Arc::clone(&self.slots).acquire_owned().await.ok();
        let headers = self.sign(&webhook).await?;
        if webhook.sending == Sending::Dropped {
            self.shared.counts.dropped.add(1);
            return Ok(());
        }
        let providers = Arc::clone(self);
        sending.spawn(async move { providers.tell(&webhook, &headers, slot).await });
        Ok(())
    }

    async fn sign(&self, webhook: &SoakWebhook) -> Result<SignedHeaders, SendError> {
        let body = webhook.body.as_bytes();
        let url = Webhook::new(webhook.provider, body.to_vec()).url(&self.deployment).map_err(CallError::from)?;
        let request = SignRequest::new(webhook.provider, now().unix_seconds(), body).to(&url);
        Ok(self.sandbox.sign(&request).await?)
    }

    async fn tell(&self, webhook: &SoakWebhook, headers: &SignedHeaders, slot: Option<OwnedSemaphorePermit>) {
        let is_accepted = self.deliver(webhook, headers, slot).await;
        if is_accepted && webhook.sending == Sending::Repeated {
            sleep(Duration::from_millis(fastrand::u64(REPEATED_AFTER_MS))).await;
            self.shared.counts.repeated.add(1);
            self.deliver(webhook, headers, None).await;
        }
    }

    /// Sends a webhook until it is accepted or given up. The slot is free after the first attempt.
    async fn deliver(
        &self,
        webhook: &SoakWebhook,
        headers: &SignedHeaders,
        mut slot: Option<OwnedSemaphorePermit>,
    ) -> bool {
        let counts = &self.shared.counts;
        for pause in RETRY_SECONDS.into_iter().map(Some).chain([None]) {
            let is_accepted = self.post(webhook, headers).await;
            drop(slot.take());
            if is_accepted {
                return true;
            }
            match pause {
                Some(seconds) => sleep(Duration::from_secs(seconds)).await,
                None => counts.given_up.add(1),
            }
        }
        false
    }

    /// Sends a webhook once. Returns whether it was accepted.
    async fn post(&self, webhook: &SoakWebhook, headers: &SignedHeaders) -> bool {
        let Shared { counts, .. } = &*self.shared;
        counts.requests.add(1);
        let feed = Feed::from(webhook.provider);
        let status = match post(&self.deployment, &feed, headers, webhook.body.clone().into_bytes()).await {
            Ok(response) => Some(response.status),
            Err(_) => None,
        };
        if status == Some(200) {
            counts.accepted.add(1);
            self.shared.soak().accepted(&webhook.body);
            return true;
        }
        counts.unanswered.add(1);
        if let Some(status @ 400..500) = status {
            let sentence = format!("a signed webhook of {feed} was refused with {status}: {}", webhook.body);
            self.shared.soak().broke(sentence);
        }
        false
    }
}
