//! Webhooks that are never sent: zerohash drops a webhook after its last attempt, and the platform must read the list.

use fundhook_domain::digest_hex;
use serde::{Deserialize, Serialize};

/// The share of webhooks that the provider drops.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct DropShare {
    /// How many of a hundred.
    pub percent: u8,
    /// Selects which ones.
    #[serde(default)]
    pub seed: u64,
}

impl DropShare {
    pub const NONE: Self = Self { percent: 0, seed: 0 };
    pub const ALL: Self = Self { percent: 100, seed: 0 };

    /// Whether the webhook with this body is dropped: under one seed, every time or never.
    pub(super) fn drops(self, body: &[u8]) -> bool {
        let digest = digest_hex(&[self.seed.to_string().as_bytes(), b" ", body].concat());
        // With 32 bits of the digest, the remainder by 100 is biased by less than one in forty million.
        let drawn = u64::from_str_radix(&digest[..8], 16).unwrap_or_default() % 100;
        drawn < u64::from(self.percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dropped(percent: u8, seed: u64) -> Vec<u32> {
        let share = DropShare { percent, seed };
        (0..1000).filter(|number| share.drops(format!("{{\"number\":{number}}}").as_bytes())).collect()
    }

    #[test]
    fn about_the_requested_share_is_dropped_and_the_seed_selects_which() {
        assert!(dropped(0, 7).is_empty());
        assert_eq!(dropped(100, 7).len(), 1000);
        let some = dropped(30, 7);
        assert!((250..350).contains(&some.len()), "{}", some.len());
        assert_eq!(some, dropped(30, 7));
        assert_ne!(some, dropped(30, 8));
    }

    #[test]
    fn a_larger_share_drops_everything_that_a_smaller_one_drops() {
        let (few, many) = (dropped(10, 7), dropped(60, 7));
        assert!(few.iter().all(|number| many.contains(number)));
    }
}
