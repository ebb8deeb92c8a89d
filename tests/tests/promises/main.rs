//! Fundhook's promises to the platforms that deploy it. Each module tests one promise.
//!
//! All tests are in one program, so that they share one emulator.

mod a_flow_is_started;
mod a_lost_table_is_restored;
mod a_refused_caller_is_named;
mod a_subscriber_keeps_the_books;
mod accepted;
mod effects_happen_once;
mod emulator_differences;
mod every_state_can_be_explained;
mod keys;
mod money_is_exact;
mod money_means_what_it_says;
mod nothing_stays_missed;
mod nothing_stays_stuck;
mod nothing_unverified_gets_in;
mod nothing_verified_is_lost;
mod one_coin_one_credit;
mod one_coin_one_fate;
mod one_id_follows_a_webhook;
mod one_id_many_resources;
mod order_does_not_matter;
mod recovery_is_arithmetic;
mod secrets_come_and_go;
mod subscribed_elsewhere;
mod tenants_are_apart;

use fundhook_tests::Platform;
use tokio::sync::OnceCell;

/// A stack that tests may change. Tests that use it must not interfere with each other.
async fn workbench() -> &'static Platform {
    static WORKBENCH: OnceCell<Platform> = OnceCell::const_new();
    let deploy = async || {
        let platform = Platform::deploy(&[]).await;
        platform.redeliver_after(2).await;
        platform
    };
    WORKBENCH.get_or_init(deploy).await
}
