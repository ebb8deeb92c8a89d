//! The story that the demo tells: what is sent, and where it must lead.

use fundhook_local_stack::sending::Manner;

/// Part of what is sent.
pub(super) struct Chapter {
    pub(super) title: &'static str,
    /// Whether each step is told to its end before the next is sent, as it would be in days instead of seconds.
    pub(super) in_order: bool,
    pub(super) steps: &'static [Step],
}

/// One thing that happens.
pub(super) enum Step {
    /// A file of events/ is sent in some manner, so many times. Its first arrival gives rise to so many events: one webhook may
    /// say something about two resources.
    Send(&'static str, Manner, u32, usize),
    /// A deposit of today is confirmed, and the provider drops the webhook that says so.
    Drop,
    /// The reconciler runs, as its schedule has it do.
    Reconcile,
    /// The dropped webhook comes after all.
    SendDropped,
    /// The provider signs with a new key from now on, and publishes the old one no more; then it announces another deposit.
    Rotate,
}

/// What is sent.
pub(super) const SCRIPT: &[Chapter] = &[
    Chapter {
        title: "Connect: a deposit from start to end; the provider repeats itself",
        in_order: false,
        steps: &[
            Step::Send("connect/deposits.pending.6e735627.json", Manner::Genuine, 1, 1),
            Step::Send("connect/deposits.submitted.json", Manner::Genuine, 3, 1),
            Step::Send("connect/deposits.confirmed.json", Manner::Genuine, 2, 1),
        ],
    },
    Chapter {
        title: "Connect: a travel-rule hold that is told after its end, and a withdrawal told back to front",
        in_order: false,
        steps: &[
            Step::Send("connect/deposits.confirmed.after_hold.json", Manner::Genuine, 1, 1),
            Step::Send("connect/deposits.on_hold.json", Manner::Genuine, 1, 1),
            Step::Send("connect/withdrawal.confirmed.json", Manner::Genuine, 1, 1),
            Step::Send("connect/withdrawal.broadcasted.json", Manner::Genuine, 2, 1),
            Step::Send("connect/withdrawal.initiated.json", Manner::Genuine, 1, 1),
        ],
    },
    Chapter {
        title: "zerohash: `success:false` is not the end: a fund transaction is held, then matched",
        in_order: true,
        steps: &[
            Step::Send("zerohash/fund.pending_match.json", Manner::Genuine, 2, 1),
            Step::Send("zerohash/fund.matched.json", Manner::Genuine, 2, 1),
        ],
    },
    Chapter {
        title: "One coin, told of by two feeds: credited once",
        in_order: true,
        steps: &[
            Step::Send("zerohash/fund.success.json", Manner::Genuine, 1, 1),
            Step::Send("connect/deposits.confirmed.same_coin.json", Manner::Genuine, 2, 1),
        ],
    },
    Chapter {
        title: "A recovery, from the banner to the end: announced three ways, counted once",
        in_order: true,
        steps: &[
            Step::Send("zerohash/deposit_failed.json", Manner::Genuine, 1, 2),
            Step::Send("connect/deposits.unexpected.recovery.json", Manner::Genuine, 1, 2),
            Step::Send("zerohash/deposit.recovery_quarantine.json", Manner::Genuine, 1, 2),
            Step::Send("zerohash/payment.submitted.json", Manner::Genuine, 1, 2),
            Step::Send("zerohash/payment.posted.json", Manner::Genuine, 2, 2),
            Step::Send("zerohash/payment.settled.json", Manner::Genuine, 1, 2),
        ],
    },
    Chapter {
        title: "Striga: one id for a withdrawal, its fee and a refund",
        in_order: false,
        steps: &[
            Step::Send("striga/deposit.pending.json", Manner::Genuine, 1, 1),
            Step::Send("striga/deposit.confirmed.json", Manner::Genuine, 1, 1),
            Step::Send("striga/withdrawal.initiated.json", Manner::Genuine, 1, 1),
            Step::Send("striga/network_fee.json", Manner::Genuine, 1, 2),
            Step::Send("striga/withdrawal.confirmed.json", Manner::Genuine, 1, 1),
            Step::Send("striga/withdrawal.failed.json", Manner::Genuine, 1, 1),
            Step::Send("striga/fee_refund.json", Manner::Genuine, 1, 2),
        ],
    },
    Chapter {
        title: "Who has which account, and what is in it",
        in_order: false,
        steps: &[
            Step::Send("zerohash/participant.approved.json", Manner::Genuine, 1, 1),
            Step::Send("zerohash/balance.changed.milliseconds.json", Manner::Genuine, 1, 1),
        ],
    },
    Chapter {
        title: "Signed, and not understood: never lost",
        in_order: false,
        steps: &[
            Step::Send("connect/odd/not_json.txt", Manner::Genuine, 2, 1),
            Step::Send("striga/odd/sepa_payin.json", Manner::Genuine, 1, 1),
        ],
    },
    Chapter {
        title: "A webhook that never comes: the provider's list tells what it would have said",
        in_order: true,
        steps: &[Step::Drop, Step::Reconcile, Step::SendDropped],
    },
    Chapter {
        title: "The provider rotates its key, without a word and without an overlap",
        in_order: true,
        steps: &[Step::Rotate],
    },
    Chapter {
        title: "Not the provider: never let in",
        in_order: false,
        steps: &[
            Step::Send("connect/deposits.confirmed.json", Manner::Forged, 1, 0),
            Step::Send("connect/deposits.confirmed.json", Manner::Stale, 1, 0),
            Step::Send("zerohash/fund.success.json", Manner::Tampered, 1, 0),
            Step::Send("striga/deposit.confirmed.json", Manner::Unsigned, 1, 0),
        ],
    },
];

/// The states that the script must end in.
pub(super) const OUTCOME: &[(&str, &str)] = &[
    ("deposit#connect#6e735627-f8d1-49ae-93cc-3b7923519c56", "confirmed"),
    ("deposit#connect#ddcfa16a-ac95-473b-bdc3-2b3cf06ed9c5", "confirmed"),
    ("withdrawal#connect#f2d4a13e-8a52-45e3-9825-b0b18c9a8233", "confirmed"),
    ("deposit#zerohash#8fadaae0-8896-4ef9-8d33-6fb82a020c2b", "confirmed"),
    ("deposit#zerohash#363b5b15-02bd-4797-892f-8baa4eec60d9", "confirmed"),
    ("recovery#zerohash#CUST01:USDC:base", "resolved"),
    ("deposit#striga#deaabb1b-50ec-4f2c-b30b-889d03826b64", "confirmed"),
    ("withdrawal#striga#d646143f-85af-4197-88ac-a84e46002205", "confirmed"),
    ("fee#striga#d646143f-85af-4197-88ac-a84e46002205:network", "charged"),
    ("withdrawal#striga#ee9e8733-3e1a-4ced-9bb3-7600b64d2a69", "failed"),
    ("fee#striga#ee9e8733-3e1a-4ced-9bb3-7600b64d2a69:network", "refunded"),
    ("participant#zerohash#CUST01", "approved"),
    ("deposit#connect#0d0c5f7e-2b6a-4f3d-9a53-5a1f6f0d7c11", "confirmed"),
    ("deposit#connect#5b1e4a52-77c9-4d0e-8f0b-3c1d9be2a6f4", "confirmed"),
];

/// The deposit whose confirmation the provider drops, and the one that it announces with a new key.
pub(super) const DROPPED: &str = "0d0c5f7e-2b6a-4f3d-9a53-5a1f6f0d7c11";
pub(super) const ROTATED: &str = "5b1e4a52-77c9-4d0e-8f0b-3c1d9be2a6f4";

/// The deposits of the one coin that two feeds tell of.
pub(super) const SAME_COIN: [&str; 2] =
    ["deposit#zerohash#363b5b15-02bd-4797-892f-8baa4eec60d9", "deposit#connect#cf59f58d-8aea-4cbb-9e0c-8ed327e381ab"];
