//! An example of every event type: what the functions publish for webhooks like the samples in events/.

use fundhook_domain::{Event, Kind, event_types};
use fundhook_local_stack::Workspace;
use serde_json::Value;

use super::GenerateError;
use super::simulation::{SampleWebhook, SimulatedStep, Simulation};

/// An event caused by sample webhooks.
#[derive(Clone, Debug)]
pub(super) struct Example {
    event: Event,
    json: String,
}

impl Example {
    pub(super) fn event(&self) -> Value {
        serde_json::from_str(&self.json).unwrap_or_default()
    }

    /// The event as published, in the order of its members, indented by two spaces.
    pub(super) fn json(&self) -> &str {
        &self.json
    }

    /// Such as `fundhook.deposit.confirmed`.
    pub(super) fn event_type(&self) -> &str {
        &self.event.event_type
    }

    pub(super) fn kind(&self) -> Kind {
        self.event.data.resource.kind()
    }

    /// The message attributes.
    pub(super) fn attributes(&self) -> Value {
        self.event.attributes().into_iter().collect()
    }
}

/// One example of each type, in the order of the kinds and their types.
pub(super) fn examples(workspace: &Workspace) -> Result<Vec<Example>, GenerateError> {
    let simulation = Simulation::new(workspace)?;
    let stories = stories();
    let types = Kind::ALL.into_iter().flat_map(event_types);
    let example = |name: String| {
        let missing = || GenerateError::NoExample(name.clone());
        let (_, steps) = stories.iter().find(|(of, _)| name == format!("fundhook.{of}")).ok_or_else(missing)?;
        let events = simulation.run(steps)?;
        let event = events.into_iter().rfind(|event| event.event_type == name).ok_or_else(missing)?;
        // Events contain only texts, numbers and maps with text keys, which always have a JSON form.
        let json = serde_json::to_string_pretty(&event).unwrap_or_default();
        Ok(Example { event, json })
    };
    types.map(example).collect()
}

/// The steps that lead to an event of each type. The last event of the type is the example.
fn stories() -> Vec<(&'static str, Vec<SimulatedStep>)> {
    let of_webhooks =
        |(name, webhooks): (_, Vec<SampleWebhook>)| (name, webhooks.into_iter().map(SimulatedStep::from).collect());
    let then_silence = |(name, webhooks): (_, Vec<SampleWebhook>)| {
        (name, webhooks.into_iter().map(SimulatedStep::from).chain([SimulatedStep::Silence]).collect())
    };
    let unrecognized = || SampleWebhook::new("connect/odd/unknown_event.json");
    let read_again = vec![SimulatedStep::from(unrecognized()), SimulatedStep::NewerVersion(unrecognized())];
    let stories = after_webhooks().into_iter().map(of_webhooks).chain(after_silence().into_iter().map(then_silence));
    let rejected =
        vec![SimulatedStep::from(SampleWebhook::new("connect/deposits.confirmed.json")), SimulatedStep::Rejection];
    stories.chain([("unrecognized.updated", read_again), ("deposit.reversed", rejected)]).collect()
}

/// Events about resources for which no further webhook arrives in time.
fn after_silence() -> Vec<(&'static str, Vec<SampleWebhook>)> {
    let sample = SampleWebhook::new;
    vec![
        (
            "deposit.overdue",
            vec![sample("connect/deposits.pending.6e735627.json"), sample("connect/deposits.submitted.json")],
        ),
        ("withdrawal.overdue", vec![sample("striga/withdrawal.initiated.json")]),
        ("exchange.overdue", vec![sample("striga/exchange.pending.json")]),
        ("recovery.overdue", vec![sample("connect/deposits.unexpected.recovery.json")]),
    ]
}

/// The id of a payment whose samples have only its request's id.
const PAYMENT: &str = "0d0bd4c9-7d4d-4a57-8f6e-3f0a4e4b1a52";

/// Events that webhooks cause.
fn after_webhooks() -> Vec<(&'static str, Vec<SampleWebhook>)> {
    let sample = SampleWebhook::new;
    let participant =
        |status: &str| vec![sample("zerohash/participant.approved.json").with("/participant_status", status)];
    let external_account =
        |status: &str| vec![sample("zerohash/external_account.approved.json").with("/external_account_status", status)];

    let pending = || sample("connect/deposits.pending.6e735627.json");
    let submitted = || sample("connect/deposits.submitted.json");
    let confirmed = || sample("connect/deposits.confirmed.json");
    let unexpected = || sample("connect/deposits.unexpected.recovery.json");
    let initiated = || sample("striga/withdrawal.initiated.json");
    let network_fee = || sample("striga/network_fee.json");
    let broadcast = || sample("striga/withdrawal.pending.json");
    // The samples of a failure are about another withdrawal.
    let of_initiated = |failure: SampleWebhook| {
        failure
            .with("/id", "d646143f-85af-4197-88ac-a84e46002205")
            .with("/syncedOwnerId", "104894c7-95fc-4dde-97dd-cb25b2587b91")
            .with("/timestamp", "2024-09-10T12:11:07.187Z")
            .with("/memo", "")
    };
    let payment = || sample("zerohash/payment.submitted.json");
    let settled = || sample("zerohash/payment.settled.json");
    vec![
        ("deposit.pending", vec![pending()]),
        ("deposit.submitted", vec![pending(), submitted()]),
        ("deposit.held", vec![sample("zerohash/fund.pending_match.json")]),
        ("deposit.abandoned", vec![sample("connect/deposits.abandoned.json")]),
        ("deposit.confirmed", vec![sample("zerohash/fund.fee.json")]),
        ("deposit.failed", vec![sample("connect/deposits.failed.json")]),
        ("deposit.unexpected", vec![unexpected()]),
        ("deposit.updated", vec![pending(), confirmed(), submitted()]),
        (
            "deposit.duplicate",
            vec![sample("zerohash/deposit.completed.json"), sample("connect/deposits.confirmed.other_spelling.json")],
        ),
        (
            "deposit.conflicting",
            vec![sample("zerohash/fund.success.json"), sample("connect/deposits.confirmed.same_coin.json")],
        ),
        ("withdrawal.initiated", vec![initiated()]),
        ("withdrawal.submitted", vec![payment()]),
        ("withdrawal.broadcast", vec![initiated(), network_fee(), broadcast()]),
        (
            "withdrawal.confirmed",
            vec![initiated(), network_fee(), broadcast(), sample("striga/withdrawal.confirmed.json")],
        ),
        (
            "withdrawal.failed",
            vec![
                initiated(),
                of_initiated(sample("striga/withdrawal.failed.json")).with("/credit", "9363699999622000"),
            ],
        ),
        ("withdrawal.abandoned", vec![payment(), payment().with("/status", "abandoned")]),
        (
            "withdrawal.returned",
            ["zerohash/payment.bank.settled.json", "zerohash/payment.bank.returned.json"]
                .map(|file| sample(file).adding("amount", "100").adding("currency", "USD"))
                .into(),
        ),
        ("withdrawal.updated", vec![initiated(), network_fee()]),
        (
            "withdrawal.duplicate",
            vec![
                payment(),
                // A webhook that names the payment by its own id only, and one that names it by both.
                payment().adding("payment_id", PAYMENT).with("/payment_details/withdrawal_request_id", ""),
                settled().adding("payment_id", PAYMENT),
            ],
        ),
        ("withdrawal.conflicting", vec![payment(), settled(), settled().with("/status", "failed")]),
        ("fee.charged", vec![network_fee()]),
        (
            "fee.refunded",
            vec![network_fee(), of_initiated(sample("striga/fee_refund.json")).with("/credit", "636300000378000")],
        ),
        (
            "fee.updated",
            vec![sample("striga/fee_refund.json"), network_fee().with("/id", "ee9e8733-3e1a-4ced-9bb3-7600b64d2a69")],
        ),
        (
            "fee.conflicting",
            vec![
                sample("striga/network_fee.json"),
                sample("striga/network_fee.json").with("/debit", "700000000000000"),
            ],
        ),
        ("exchange.pending", vec![sample("striga/exchange.pending.json")]),
        ("exchange.confirmed", vec![sample("striga/exchange.pending.json"), sample("striga/exchange.confirmed.json")]),
        (
            "exchange.refunded",
            vec![
                sample("striga/exchange.pending.json")
                    .with("/id", "a3b5c7d9-1e3f-4a5c-8e7d-9f1b3d5f7a90")
                    .with("/debit", "400")
                    .with("/order/debit/amount", "400")
                    .with("/order/debit/amountFloat", "4.00"),
                sample("striga/exchange.refunded.json"),
            ],
        ),
        ("exchange.updated", vec![sample("striga/exchange.confirmed.json"), sample("striga/exchange.pending.json")]),
        (
            "exchange.conflicting",
            vec![
                sample("striga/exchange.confirmed.json"),
                sample("striga/exchange.refunded.json").with("/id", "7e5c3a1f-9d8b-4f6e-8c2a-4b6d8f0e2c51"),
            ],
        ),
        ("recovery.required", vec![unexpected()]),
        ("recovery.in_progress", vec![unexpected(), payment()]),
        ("recovery.resolved", vec![unexpected(), payment(), settled()]),
        (
            "recovery.suspended",
            vec![
                sample("zerohash/deposit_failed.json"),
                // Another webhook reports the same coin as credited.
                sample("zerohash/deposit.completed.json")
                    .with("/transaction_hash", "a07407e8f98c21b037b4aa0cbc852b8489c5e122fcc3d4b33b7827d0605ad8ff")
                    .with("/amount", "100"),
            ],
        ),
        // Money that no webhook reported as arrived.
        ("recovery.surplus", vec![payment(), settled()]),
        ("recovery.updated", vec![unexpected(), sample("zerohash/deposit.recovery_quarantine.json")]),
        ("participant.submitted", participant("submitted")),
        ("participant.pending_approval", participant("pending_approval")),
        ("participant.approved", participant("approved")),
        ("participant.rejected", participant("rejected")),
        (
            "participant.locked",
            vec![sample("zerohash/participant.approved.json"), sample("zerohash/participant.locked.json")],
        ),
        ("participant.disabled", participant("disabled")),
        ("participant.divested", participant("divested")),
        ("participant.closed", participant("closed")),
        (
            "participant.updated",
            vec![sample("zerohash/participant.locked.json"), sample("zerohash/participant.approved.json")],
        ),
        ("external_account.pending", external_account("pending")),
        ("external_account.approved", external_account("approved")),
        ("external_account.rejected", external_account("rejected")),
        ("external_account.locked", external_account("locked")),
        ("external_account.disabled", external_account("disabled")),
        ("external_account.closed", external_account("closed")),
        (
            "external_account.updated",
            vec![
                sample("zerohash/external_account.approved.json"),
                sample("zerohash/external_account.approved.json")
                    .with("/external_account_status", "pending")
                    .with("/timestamp", 1_727_354_100_000_u64),
            ],
        ),
        ("balance.changed", vec![sample("zerohash/balance.changed.seconds.json")]),
        (
            "balance.updated",
            vec![sample("zerohash/balance.changed.milliseconds.json"), sample("zerohash/balance.changed.seconds.json")],
        ),
        ("unrecognized.seen", vec![sample("connect/odd/unknown_event.json")]),
    ]
}
