//! Rows of zerohash's lists, made from the webhooks about the same things [zerohash-openapi].

use fundhook_domain::Timestamp;
use serde_json::{Map, Value, json};

use crate::connect::{text, unix_ms, uuid_of};

/// Members that every fund transaction has as a row, and a webhook may omit.
const FEES: [&str; 4] = ["raw_fee_bps", "raw_fee_notional", "deposit_fee_bps", "deposit_fee_notional"];

/// The statuses of a payment in crypto, in their order [zerohash-releasing-funds].
const PAYMENT_STATUSES: [&str; 7] = ["initialized", "submitted", "pending", "posted", "settled", "failed", "abandoned"];

/// A row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) members: Map<String, Value>,
    /// The time by which the list is ordered and filtered.
    pub(super) dated_ms: u64,
    /// How new the statement is. A row is replaced by one that is at least as new.
    pub(super) newness: u64,
    /// When its newest webhook was signed.
    pub(super) signed_at: Timestamp,
}

impl Row {
    fn new(id: &str, members: Value, dated_ms: u64, newness: u64, signed_at: Timestamp) -> Option<Self> {
        match members {
            Value::Object(members) if !id.is_empty() => {
                Some(Self { id: id.to_owned(), members, dated_ms, newness, signed_at })
            }
            Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                None
            }
        }
    }

    /// Whether it is an account that holds nothing.
    pub(super) fn has_no_balance(&self) -> bool {
        let balance = self.text("/balance");
        !balance.is_empty() && balance.chars().all(|digit| matches!(digit, '0' | '.'))
    }

    /// A member as text, by its JSON pointer.
    pub(super) fn text(&self, pointer: &str) -> String {
        let mut value = &Value::Null;
        for (depth, name) in pointer.trim_start_matches('/').split('/').enumerate() {
            value = if depth == 0 { self.members.get(name).unwrap_or(&Value::Null) } else { &value[name] };
        }
        match value {
            Value::Bool(flag) => flag.to_string(),
            other @ (Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => {
                text(other)
            }
        }
    }
}

/// The time in `value`, in any unit or form.
fn time(value: &Value) -> Option<Timestamp> {
    Timestamp::from_any_form(&text(value)).ok()
}

/// A fund transaction. Times are in milliseconds, whatever the webhook's unit.
pub(super) fn fund_transaction(body: &Value, signed_at: Timestamp) -> Option<Row> {
    let mut members = body.clone();
    let (funded_at, deposited_at) = (time(&body["fund_timestamp"]), time(&body["deposit_timestamp"]));
    for (name, at) in [("fund_timestamp", funded_at), ("deposit_timestamp", deposited_at)] {
        if let Some(at) = at {
            members[name] = json!(unix_ms(at));
        }
    }
    for fee in FEES {
        if members[fee].is_null() {
            members[fee] = json!("");
        }
    }
    let dated_at = deposited_at.or(funded_at).unwrap_or(signed_at);
    let newness = funded_at.max(deposited_at).unwrap_or(signed_at);
    Row::new(body["fund_id"].as_str()?, members, unix_ms(dated_at), unix_ms(newness), signed_at)
}

/// A deposit on a chain. `known` is the row so far, whose history it continues.
pub(super) fn crypto_deposit(body: &Value, signed_at: Timestamp, known: Option<&Row>) -> Option<Row> {
    let id = body["deposit_id"].as_str()?;
    let state = text(&body["state"]);
    let at = time(&body["timestamp"]).unwrap_or(signed_at);
    let mut history = known.and_then(|row| row.members.get("history")?.as_array().cloned()).unwrap_or_default();
    if !history.iter().any(|change| change["toState"] == state.as_str()) {
        history.push(json!({ "toState": state, "timestamp": at.to_string() }));
    }
    history.sort_by_key(|change| time(&change["timestamp"]));
    let mut before = String::new();
    for change in &mut history {
        change["fromState"] = json!(before);
        before = text(&change["toState"]);
    }
    let created_at = history.first().and_then(|change| time(&change["timestamp"])).unwrap_or(at);
    let members = json!({
        "depositId": id,
        "accountId": uuid_of(&format!("account {} general", text(&body["participant_code"]))),
        "participantCode": body["participant_code"],
        "transactionHash": body["transaction_hash"],
        "asset": body["asset"],
        "amount": body["amount"],
        "state": state,
        "stateReason": body["state_reason"],
        "travelRuleStatus": "not_required",
        "sourceAddress": body["source_address"],
        "receivedAddress": body["received_address"],
        "createdAt": created_at.to_string(),
        "updatedAt": at.to_string(),
        "history": history,
    });
    Row::new(id, members, unix_ms(created_at), unix_ms(at), signed_at)
}

/// A settled deposit, if the webhook says that the deposit is one.
pub(super) fn deposit(body: &Value, signed_at: Timestamp) -> Option<Row> {
    let account_label = match body["state"].as_str()? {
        "completed" => "general",
        "recovery_quarantine" => "recovery_quarantine",
        _ => return None,
    };
    let deposit_id = body["deposit_id"].as_str()?;
    let settled_ms = unix_ms(time(&body["timestamp"]).unwrap_or(signed_at));
    let movement_id = uuid_of(&format!("movement of {deposit_id}"));
    let members = json!({
        "movement_id": movement_id,
        "participant_code": body["participant_code"],
        "account_label": account_label,
        "asset": body["asset"],
        "amount": body["amount"],
        "reference_id": body["transaction_hash"],
        "source": body["source_address"],
        "received_address": body["received_address"],
        "settle_timestamp": settled_ms,
        "run_id": settled_ms.to_string(),
        "state_reason": "",
        "travel_rule_status": "not_required",
    });
    Row::new(&movement_id, members, settled_ms, settled_ms, signed_at)
}

/// A payment in crypto with the id `payment_id`. `known` is the row so far: what it says and a later status leaves empty is
/// kept.
pub(super) fn payment(body: &Value, payment_id: &str, signed_at: Timestamp, known: Option<&Row>) -> Option<Row> {
    let rank = PAYMENT_STATUSES.iter().position(|status| *status == body["status"])?;
    let created_at = known.and_then(|row| time(row.members.get("created_at")?)).or(time(&body["created_at"]));
    let created_at = created_at.unwrap_or(signed_at);
    let mut members = body.clone();
    members["payment_id"] = json!(payment_id);
    members["created_at"] = json!(created_at.to_string());
    if members["updated_at"].is_null() {
        members["updated_at"] = json!(signed_at.to_string());
    }
    let details = known.and_then(|row| row.members.get("payment_details")?.as_object());
    for (name, value) in details.into_iter().flatten() {
        if text(&members["payment_details"][name]).is_empty() {
            members["payment_details"][name] = value.clone();
        }
    }
    Row::new(payment_id, members, unix_ms(created_at), u64::try_from(rank).ok()?, signed_at)
}

/// A payment in fiat money.
pub(super) fn payment_status(body: &Value, signed_at: Timestamp, known: Option<&Row>) -> Option<Row> {
    let id = body["transaction_id"].as_str()?;
    let at = time(&body["timestamp"]).unwrap_or(signed_at);
    let mut members = body.clone();
    let status = members.as_object_mut()?.remove("payment_status")?;
    members["status"] = status;
    members["ach_failure_reason"] = body["reason_code"].clone();
    let created_at = known.and_then(|row| time(row.members.get("created_at")?)).unwrap_or(at);
    members["created_at"] = json!(created_at.to_string());
    members["updated_at"] = json!(at.to_string());
    Row::new(id, members, unix_ms(created_at), unix_ms(at), signed_at)
}

/// The history of a payment in fiat money. `known` is the row so far.
pub(super) fn payment_history(body: &Value, signed_at: Timestamp, known: Option<&Row>) -> Option<Row> {
    let id = body["transaction_id"].as_str()?;
    let at = time(&body["timestamp"]).unwrap_or(signed_at);
    let mut steps = known.and_then(|row| row.members.get("status_history")?.as_array().cloned()).unwrap_or_default();
    let step = json!({ "status": body["payment_status"], "timestamp": at.to_string() });
    if !steps.contains(&step) {
        steps.push(step);
    }
    let members = json!({
        "transaction_id": id,
        "participant_code": body["participant_code"],
        "status_history": steps,
    });
    let newest = known.map_or(0, |row| row.newness).max(unix_ms(at));
    Row::new(id, members, newest, newest, signed_at)
}

/// The account whose balance changed.
pub(super) fn account(body: &Value, signed_at: Timestamp) -> Option<Row> {
    let id = account_id(body);
    let updated_ms = unix_ms(time(&body["timestamp"]).unwrap_or(signed_at));
    let members = json!({
        "account_id": id,
        "account_owner": body["participant_code"],
        "account_group": body["account_group"],
        "account_label": body["account_label"],
        "account_type": body["account_type"],
        "asset": body["asset"],
        "balance": body["balance"],
        "last_update": updated_ms,
    });
    Row::new(&id, members, updated_ms, updated_ms, signed_at)
}

/// The movements that changed a balance.
pub(super) fn movements(body: &Value, signed_at: Timestamp) -> Vec<Row> {
    let changed_at = time(&body["timestamp"]).unwrap_or(signed_at);
    let listed = body["movements"].as_array().into_iter().flatten();
    let row = |movement: &Value| {
        let moved_ms = unix_ms(time(&movement["movement_timestamp"]).unwrap_or(changed_at));
        let mut members = movement.clone();
        members["account_id"] = json!(account_id(body));
        members["participant_code"] = body["participant_code"].clone();
        members["asset"] = body["asset"].clone();
        members["movement_timestamp"] = json!(moved_ms);
        members["run_id"] = json!(if body["run_id"].is_null() { moved_ms.to_string() } else { text(&body["run_id"]) });
        Row::new(movement["movement_id"].as_str()?, members, moved_ms, moved_ms, signed_at)
    };
    listed.filter_map(row).collect()
}

/// A user of the platform.
pub(super) fn participant(body: &Value, signed_at: Timestamp) -> Option<Row> {
    let code = body["participant_code"].as_str()?;
    let updated_ms = unix_ms(time(&body["timestamp"]).unwrap_or(signed_at));
    let members = json!({
        "participant_code": code,
        "status": body["participant_status"],
        "reason_code": body["reason_code"],
        "updated_at": updated_ms,
    });
    Row::new(code, members, updated_ms, updated_ms, signed_at)
}

/// A user's account at a bank.
pub(super) fn external_account(body: &Value, signed_at: Timestamp) -> Option<Row> {
    let id = body["external_account_id"].as_str()?;
    let updated_at = time(&body["timestamp"]).unwrap_or(signed_at);
    let members = json!({
        "external_account_id": id,
        "participant_code": body["participant_code"],
        "account_nickname": body["account_nickname"],
        "account_type": body["account_type"],
        "status": body["external_account_status"],
        "status_reason": body["status_reason"],
        "updated_at": updated_at.to_string(),
    });
    let updated_ms = unix_ms(updated_at);
    Row::new(id, members, updated_ms, updated_ms, signed_at)
}

fn account_id(body: &Value) -> String {
    let key = ["participant_code", "account_group", "account_label", "account_type", "asset"];
    uuid_of(&key.map(|name| text(&body[name])).join(" "))
}
