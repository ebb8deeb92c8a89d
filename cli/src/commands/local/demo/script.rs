//! The script of the demo: what is sent, and the expected result.

use fundhook_local_stack::sending::Authenticity;

pub(super) struct Chapter {
    pub(super) title: &'static str,
    /// Whether the events of each step are awaited before the next step, as when days lie between the webhooks.
    pub(super) in_order: bool,
    pub(super) steps: &'static [DemoStep],
}

pub(super) enum DemoStep {
    /// A sample is sent.
    Send(SampleDelivery),
    /// Something happens today, and the provider drops the webhook about it.
    Drop(Today),
    /// The reconciler runs, as on its schedule.
    Reconcile,
    /// The dropped webhooks are delivered late.
    SendDropped,
    /// The provider replaces its key, then confirms another deposit.
    Rotate,
    /// A person decides which of two credits of one coin is right.
    Accept,
}

/// A sample, changed so that it is about something of today.
#[derive(Clone, Copy)]
pub(super) struct Today {
    /// Below `events/`.
    pub(super) file: &'static str,
    /// What it is about.
    pub(super) resource: &'static str,
    /// The members that are changed, besides the dates, as JSON pointers.
    pub(super) changes: &'static [(&'static str, &'static str)],
}

/// How a sample is sent, and the number of events that its first acceptance causes.
pub(super) struct SampleDelivery {
    /// Below `events/`.
    pub(super) file: &'static str,
    pub(super) authenticity: Authenticity,
    pub(super) times: u32,
    /// More than one if the webhook is about two resources.
    pub(super) events: usize,
}

const fn sample(file: &'static str) -> SampleDelivery {
    SampleDelivery { file, authenticity: Authenticity::Genuine, times: 1, events: 1 }
}

impl SampleDelivery {
    const fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    const fn events(self, events: usize) -> Self {
        Self { events, ..self }
    }

    const fn rejected(self, authenticity: Authenticity) -> Self {
        Self { authenticity, events: 0, ..self }
    }
}

pub(super) const SCRIPT: &[Chapter] = &[
    Chapter {
        title: "Connect: a deposit from pending to confirmed; some webhooks are repeated",
        in_order: false,
        steps: &[
            DemoStep::Send(sample("connect/deposits.pending.6e735627.json")),
            DemoStep::Send(sample("connect/deposits.submitted.json").times(3)),
            DemoStep::Send(sample("connect/deposits.confirmed.json").times(2)),
        ],
    },
    Chapter {
        title: "Connect: a hold that arrives after the confirmation, and a withdrawal in reverse order",
        in_order: false,
        steps: &[
            DemoStep::Send(sample("connect/deposits.confirmed.after_hold.json")),
            DemoStep::Send(sample("connect/deposits.on_hold.json")),
            DemoStep::Send(sample("connect/withdrawal.confirmed.json")),
            DemoStep::Send(sample("connect/withdrawal.broadcasted.json").times(2)),
            DemoStep::Send(sample("connect/withdrawal.initiated.json")),
        ],
    },
    Chapter {
        title: "zerohash: a fund transaction with success: false is held, then confirmed",
        in_order: true,
        steps: &[
            DemoStep::Send(sample("zerohash/fund.pending_match.json").times(2)),
            DemoStep::Send(sample("zerohash/fund.matched.json").times(2)),
        ],
    },
    Chapter {
        title: "zerohash: what may be credited, net of its fee; and what is held, with the reason",
        in_order: true,
        steps: &[
            DemoStep::Send(sample("zerohash/fund.fee.json").times(2)),
            DemoStep::Send(sample("zerohash/fund.fee_bearer_unknown.json")),
            DemoStep::Send(sample("zerohash/fund.threshold.json")),
            DemoStep::Send(sample("zerohash/fund.match_failed.json")),
        ],
    },
    Chapter {
        title: "Two feeds report the same coin, each in its own spelling: it may be credited once",
        in_order: true,
        steps: &[
            DemoStep::Send(sample("zerohash/deposit.completed.json")),
            DemoStep::Send(sample("connect/deposits.confirmed.other_spelling.json").times(2)),
        ],
    },
    Chapter {
        title: "Two feeds credit one coin differently: neither may be credited until a person decides",
        in_order: true,
        steps: &[
            DemoStep::Send(sample("zerohash/fund.success.json")),
            DemoStep::Send(sample("connect/deposits.confirmed.same_coin.json").times(2).events(3)),
            DemoStep::Accept,
        ],
    },
    Chapter {
        title: "A recovery from required to resolved: announced three times, counted once",
        in_order: true,
        steps: &[
            DemoStep::Send(sample("zerohash/deposit_failed.json").events(2)),
            DemoStep::Send(sample("connect/deposits.unexpected.recovery.json").events(2)),
            DemoStep::Send(sample("zerohash/deposit.recovery_quarantine.json").events(2)),
            DemoStep::Send(sample("zerohash/payment.submitted.json").events(2)),
            DemoStep::Send(sample("zerohash/payment.posted.json").times(2).events(2)),
            DemoStep::Send(sample("zerohash/payment.settled.json").events(2)),
        ],
    },
    Chapter {
        title: "Striga: a withdrawal, its fee and a refund share one id",
        in_order: false,
        steps: &[
            DemoStep::Send(sample("striga/deposit.pending.json")),
            DemoStep::Send(sample("striga/deposit.confirmed.json")),
            DemoStep::Send(sample("striga/withdrawal.initiated.json")),
            DemoStep::Send(sample("striga/network_fee.json").events(2)),
            DemoStep::Send(sample("striga/withdrawal.confirmed.json")),
            DemoStep::Send(sample("striga/withdrawal.failed.json")),
            DemoStep::Send(sample("striga/fee_refund.json").events(2)),
        ],
    },
    Chapter {
        title: "Participants and balances",
        in_order: false,
        steps: &[
            DemoStep::Send(sample("zerohash/participant.approved.json")),
            DemoStep::Send(sample("zerohash/balance.changed.milliseconds.json")),
        ],
    },
    Chapter {
        title: "Verified but not understood: archived and published",
        in_order: false,
        steps: &[
            DemoStep::Send(sample("connect/odd/not_json.txt").times(2)),
            DemoStep::Send(sample("striga/odd/card_authorization.json")),
        ],
    },
    Chapter {
        title: "Missing webhooks are reconciled from the providers' lists: a deposit, a failed deposit, a settled payment",
        in_order: true,
        steps: &[
            DemoStep::Drop(DROPPED[0]),
            DemoStep::Drop(DROPPED[1]),
            DemoStep::Drop(DROPPED[2]),
            DemoStep::Reconcile,
            DemoStep::SendDropped,
        ],
    },
    Chapter {
        title: "The provider rotates its key without notice and without overlap",
        in_order: true,
        steps: &[DemoStep::Rotate],
    },
    Chapter {
        title: "Forged, stale, tampered and unsigned webhooks are rejected",
        in_order: false,
        steps: &[
            DemoStep::Send(sample("connect/deposits.confirmed.json").rejected(Authenticity::Forged)),
            DemoStep::Send(sample("connect/deposits.confirmed.json").rejected(Authenticity::Stale)),
            DemoStep::Send(sample("zerohash/fund.success.json").rejected(Authenticity::Tampered)),
            DemoStep::Send(sample("striga/deposit.confirmed.json").rejected(Authenticity::Unsigned)),
        ],
    },
];

/// The expected final status of each resource.
pub(super) const OUTCOME: &[(&str, &str)] = &[
    ("deposit#connect#6e735627-f8d1-49ae-93cc-3b7923519c56", "confirmed"),
    ("deposit#connect#ddcfa16a-ac95-473b-bdc3-2b3cf06ed9c5", "confirmed"),
    ("withdrawal#connect#f2d4a13e-8a52-45e3-9825-b0b18c9a8233", "confirmed"),
    ("deposit#zerohash#8fadaae0-8896-4ef9-8d33-6fb82a020c2b", "confirmed"),
    ("deposit#zerohash#363b5b15-02bd-4797-892f-8baa4eec60d9", "confirmed"),
    ("deposit#zerohash#cd7b9e8c-e0f3-4fcd-a192-48ff280bc4dd", "confirmed"),
    ("deposit#connect#8f2b6c1d-4e7a-4b90-a3d5-6c8e0f1a2b3c", "confirmed"),
    ("deposit#zerohash#0b7e4f7a-3c55-4d0e-9a41-7d7f8f3b2c61", "confirmed"),
    ("deposit#zerohash#c2a9d3b4-8e71-4f06-b5d8-1e2f3a4b5c6d", "held"),
    ("deposit#zerohash#5155f7c9-95cb-4556-ab89-c178943a7111", "held"),
    ("deposit#zerohash#3d5c7b9a-1f2e-4d3c-8b7a-6958473625f1", "held"),
    // Named by a digest of its user and asset, with the key of every local stack.
    ("recovery#zerohash#937dc1fb1c70ef2336240dfb47688501", "resolved"),
    ("deposit#striga#deaabb1b-50ec-4f2c-b30b-889d03826b64", "confirmed"),
    ("withdrawal#striga#d646143f-85af-4197-88ac-a84e46002205", "confirmed"),
    ("fee#striga#d646143f-85af-4197-88ac-a84e46002205:network", "charged"),
    ("withdrawal#striga#ee9e8733-3e1a-4ced-9bb3-7600b64d2a69", "failed"),
    ("fee#striga#ee9e8733-3e1a-4ced-9bb3-7600b64d2a69:network", "refunded"),
    ("participant#zerohash#CUST01", "approved"),
    ("deposit#connect#0d0c5f7e-2b6a-4f3d-9a53-5a1f6f0d7c11", "confirmed"),
    ("deposit#zerohash#6f0d2a18-93b4-4c7e-8a51-2d7b9e4c1f30", "held"),
    ("withdrawal#zerohash#e4b8c0d7-15a2-4f96-b3c8-7a9d0e2f6b41", "confirmed"),
    ("deposit#connect#5b1e4a52-77c9-4d0e-8f0b-3c1d9be2a6f4", "confirmed"),
];

/// The webhooks that the providers drop. A hash has the form of a chain's: with another form, the coin could be the same as one
/// that the other feed reported.
pub(super) const DROPPED: [Today; 3] = [
    Today {
        file: "connect/deposits.confirmed.json",
        resource: "deposit#connect#0d0c5f7e-2b6a-4f3d-9a53-5a1f6f0d7c11",
        changes: &[
            ("/deposit/id", "0d0c5f7e-2b6a-4f3d-9a53-5a1f6f0d7c11"),
            ("/deposit/transaction/hash", "0x0d0c5f7e2b6a4f3d9a535a1f6f0d7c110d0c5f7e2b6a4f3d9a535a1f6f0d7c11"),
        ],
    },
    Today {
        file: "zerohash/fund.match_failed.json",
        resource: "deposit#zerohash#6f0d2a18-93b4-4c7e-8a51-2d7b9e4c1f30",
        changes: &[
            ("/fund_id", "6f0d2a18-93b4-4c7e-8a51-2d7b9e4c1f30"),
            ("/transaction_id", "0x6f0d2a1893b44c7e8a512d7b9e4c1f306f0d2a1893b44c7e8a512d7b9e4c1f30"),
        ],
    },
    Today {
        file: "zerohash/payment.settled.json",
        resource: "withdrawal#zerohash#e4b8c0d7-15a2-4f96-b3c8-7a9d0e2f6b41",
        changes: &[
            ("/payment_id", "e4b8c0d7-15a2-4f96-b3c8-7a9d0e2f6b41"),
            ("/payment_details/withdrawal_request_id", "0a7d5c3e-68f1-4b29-9e04-c1d3b5a7f982"),
            // A withdrawal of the user, and not the return of an unexpected deposit.
            ("/payment_type", "payout"),
            ("/participant_code", "CUST03"),
        ],
    },
];

/// The deposit whose confirmation is signed with the new key.
pub(super) const ROTATED: Today = Today {
    file: "connect/deposits.confirmed.json",
    resource: "deposit#connect#5b1e4a52-77c9-4d0e-8f0b-3c1d9be2a6f4",
    changes: &[
        ("/deposit/id", "5b1e4a52-77c9-4d0e-8f0b-3c1d9be2a6f4"),
        ("/deposit/transaction/hash", "0x5b1e4a5277c94d0e8f0b3c1d9be2a6f45b1e4a5277c94d0e8f0b3c1d9be2a6f4"),
    ],
};

/// The two deposits that report the same coin.
pub(super) const SAME_COIN: [&str; 2] =
    ["deposit#zerohash#cd7b9e8c-e0f3-4fcd-a192-48ff280bc4dd", "deposit#connect#8f2b6c1d-4e7a-4b90-a3d5-6c8e0f1a2b3c"];

/// The deposit that a person accepts, and why.
pub(super) const ACCEPTED: &str = "deposit#zerohash#363b5b15-02bd-4797-892f-8baa4eec60d9";
pub(super) const ACCEPTED_BECAUSE: &str = "our customers are credited in USD";
