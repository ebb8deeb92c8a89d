//! `preview`: the events that webhooks would become, without a stack.

use std::io::{self, ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use fundhook::preview::{Defaults, Preview, parse_feed, preview, read, report, review, silences};
use fundhook_domain::Feed;
use fundhook_ports::chain;
use fundhook_providers::ReadingSettings;
use fundhook_runtime::settings::{self, Environment, SettingError};
use fundhook_runtime::variable;

use super::Ending;

/// The exit code of input that cannot be read or understood, as of an invalid command line.
const BAD_INPUT: u8 = 2;
/// The exit code when something needs review in the end.
const NEEDS_REVIEW: u8 = 3;

pub(crate) const HELP: &str = "\
Shows what would come out: the events that these webhooks would become if they arrived verified and in this order, and \
what each user is owed in the end. It runs offline: without a stack, keys, signatures or AWS.

The webhooks take the deployed path; only their signatures are not verified, and the evidence of the events says so.";

const AFTER_HELP: &str = r#"Input:
  A FILE is the raw body of one webhook, any bytes. A FILE whose name ends in .ndjson, and standard input (-), have one
  webhook a line:

    {"feed": "zerohash", "payload_type": "deposit.status_changed", "body": {…}, "at": "2026-11-28T12:00:00Z"}

  body     the body as JSON; its text is kept byte for byte. For any other body, use "text": "the raw body"
  at       when it is received and signed [default: one second after the one before]
  list     true for a row of a provider's list, with the row as the body; "url" says where it was read, and which list it is.
           Or the list: transactions (Connect's), fund_transactions, deposits, payments, bank_payments, participants,
           external_accounts, accounts (zerohash's)

  Only the body is required; a feed can also be passed as --feed. Blank lines are skipped.

Settings:
  As for the deployed functions, FUNDHOOK_DEPOSIT_FEES_BORNE_BY (customer or platform), FUNDHOOK_CREDITING_FAMILIES
  (fund,deposit_status) and FUNDHOOK_ZEROHASH_REASON_CODES (CODE=not_converted,…) are read from the environment.

Exit code:
  0  everything was understood
  2  a file or a line cannot be read or understood, or the command line is invalid; nothing is printed
  3  something needs review in the end: a resource whose statements conflict, a webhook that is not recognized, a
     hold that needs a review or a setting

Examples:
  cargo fundhook preview events/connect/deposits.pending.json events/connect/deposits.confirmed.json
  cargo fundhook preview --feed zerohash --payload-type deposit.status_changed body.json
  cargo fundhook preview --json webhooks.ndjson | jq .type"#;

#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The webhooks, in the order in which they arrive. `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The feed of webhooks that do not name it, such as striga, or zerohash/acme for a tenant [default: of a FILE that
    /// is one body, the provider that names its folder]
    #[arg(long, value_name = "FEED", value_parser = parse_feed)]
    feed: Option<Feed>,
    /// The payload type of webhooks that do not name it: the value of the header x-zh-hook-payload-type
    #[arg(long, value_name = "TYPE")]
    payload_type: Option<String>,
    /// Who bears the fees of a deposit where the provider's numbers leave it open: the template's parameter
    /// DepositFeesBorneBy
    #[arg(long, value_name = "WHO", value_parser = ["customer", "platform", "unknown"])]
    deposit_fees_borne_by: Option<String>,
    /// The webhook families whose deposits are credited, such as fund or connect,deposit_status: the template's parameter
    /// CreditingFamilies
    #[arg(long, value_name = "FAMILIES")]
    crediting_families: Option<String>,
    /// Print each event as one line of JSON, and nothing else. Notes go to standard error
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let Arguments { files, feed, payload_type, deposit_fees_borne_by, crediting_families, json } = arguments;
    let inputs = match read(&files, &Defaults { feed, payload_type }) {
        Ok(inputs) => inputs,
        Err(error) => {
            eprintln!("error: {}", chain(&error));
            return Ok(ExitCode::from(BAD_INPUT));
        }
    };
    let settings = match settings(deposit_fees_borne_by, crediting_families) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("error: {}", chain(&error));
            return Ok(ExitCode::from(BAD_INPUT));
        }
    };
    let preview = preview(inputs, &settings)?;
    let review = review(&preview);
    if json {
        print(&events(&preview)?)?;
        silences(&preview).iter().for_each(|line| eprintln!("· {line}"));
        review.iter().for_each(|line| eprintln!("· needs review: {line}"));
    } else {
        print(&report(&preview)?)?;
    }
    Ok(if review.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(NEEDS_REVIEW) })
}

/// The settings of the functions, from the environment, and those that options replace.
fn settings(
    deposit_fees_borne_by: Option<String>,
    crediting_families: Option<String>,
) -> Result<ReadingSettings, SettingError> {
    let lookup = |name: &str| {
        let option = match name {
            "FUNDHOOK_DEPOSIT_FEES_BORNE_BY" => deposit_fees_borne_by.clone(),
            "FUNDHOOK_CREDITING_FAMILIES" => crediting_families.clone(),
            _ => None,
        };
        option.or_else(|| variable(name))
    };
    settings::reading(&Environment::new(&lookup))
}

/// The events, one a line, as they would be published.
fn events(preview: &Preview) -> Result<String, serde_json::Error> {
    let events = preview.steps.iter().flat_map(|step| step.events());
    events.map(|event| Ok(serde_json::to_string(event)? + "\n")).collect()
}

/// Prints `text`. A reader that wants no more of it, such as `head`, is not an error.
fn print(text: &str) -> io::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}
