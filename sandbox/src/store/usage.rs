//! What metering has recorded: the bill.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};

use super::quantity::Quantity;

/// One record per dimension and hour of a task or pod. Source: MeterUsage API reference.
/// That the product is part of it too is our reading.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Slot {
    pub(crate) task: String,
    pub(crate) product_code: String,
    pub(crate) dimension: String,
    pub(crate) hour_ms: i64,
}

/// One recorded hour. It never changes.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) slot: Slot,
    pub(crate) timestamp_ms: i64,
    pub(crate) quantity: Quantity,
    /// As they were sent, or `null`.
    pub(crate) allocations: Value,
    /// The same allocations whatever the order and the spelling they were sent in.
    pub(crate) allocations_canonical: String,
    pub(crate) record_id: String,
    pub(crate) client_token: Option<String>,
    pub(crate) received_ms: i64,
}

struct Registration {
    at_ms: i64,
    calls: u64,
}

#[derive(Default)]
pub(crate) struct Usage {
    records: Vec<Record>,
    by_slot: HashMap<Slot, usize>,
    /// Client token, scoped by account, to the parameters it was first used with.
    tokens: HashMap<(String, String), (String, String)>,
    registrations: BTreeMap<(String, String), Registration>,
    metered: HashSet<(String, String)>,
}

impl Usage {
    pub(crate) fn in_slot(&self, slot: &Slot) -> Option<&Record> {
        self.by_slot.get(slot).map(|index| &self.records[*index])
    }

    pub(crate) fn store(&mut self, record: Record) {
        self.metered.insert((record.slot.task.clone(), record.slot.product_code.clone()));
        self.by_slot.insert(record.slot.clone(), self.records.len());
        self.records.push(record);
    }

    /// The parameters and the record id that this token stands for.
    pub(crate) fn token(&self, account: &str, token: &str) -> Option<&(String, String)> {
        self.tokens.get(&(account.to_owned(), token.to_owned()))
    }

    pub(crate) fn keep_token(
        &mut self,
        account: &str,
        token: &str,
        parameters: String,
        record_id: &str,
    ) {
        self.tokens
            .insert((account.to_owned(), token.to_owned()), (parameters, record_id.to_owned()));
    }

    pub(crate) fn register(&mut self, task: &str, product_code: &str, now_ms: i64) {
        let registration = self
            .registrations
            .entry((task.to_owned(), product_code.to_owned()))
            .or_insert(Registration { at_ms: now_ms, calls: 0 });
        registration.calls += 1;
    }

    /// Whether this task or pod has had a success for this product: AWS looks at the subscription on the
    /// initial call only. Source: RegisterUsage API reference.
    pub(crate) fn is_running(&self, task: &str, product_code: &str) -> bool {
        let key = (task.to_owned(), product_code.to_owned());
        self.registrations.contains_key(&key) || self.metered.contains(&key)
    }

    /// Records, totals and registrations, of one task or product if named.
    pub(crate) fn bill(&self, task: Option<&str>, product_code: Option<&str>) -> Value {
        let wanted = |of_task: &str, of_product: &str| {
            task.is_none_or(|task| task == of_task)
                && product_code.is_none_or(|code| code == of_product)
        };
        let records: Vec<&Record> = self
            .records
            .iter()
            .filter(|record| wanted(&record.slot.task, &record.slot.product_code))
            .collect();
        let mut sums: BTreeMap<&str, BTreeMap<&str, Quantity>> = BTreeMap::new();
        for record in &records {
            let sum = sums
                .entry(&record.slot.product_code)
                .or_default()
                .entry(&record.slot.dimension)
                .or_default();
            *sum = sum.saturating_add(record.quantity);
        }
        let totals: BTreeMap<&str, BTreeMap<&str, String>> = sums
            .into_iter()
            .map(|(code, sums)| {
                (code, sums.into_iter().map(|(name, sum)| (name, sum.to_string())).collect())
            })
            .collect();
        let registrations =
            self.registrations.iter().filter(|((task, code), _)| wanted(task, code));
        let registrations: Vec<Value> = registrations
            .map(|((task, code), registration)| {
                json!({"task": task, "product_code": code, "at_ms": registration.at_ms, "calls": registration.calls})
            })
            .collect();
        let records: Vec<Value> = records.into_iter().map(view).collect();
        json!({"records": records, "totals": totals, "registrations": registrations})
    }
}

fn view(record: &Record) -> Value {
    json!({
        "task": record.slot.task,
        "product_code": record.slot.product_code,
        "dimension": record.slot.dimension,
        "hour_ms": record.slot.hour_ms,
        "timestamp_ms": record.timestamp_ms,
        "quantity": record.quantity.to_string(),
        "allocations": record.allocations,
        "record_id": record.record_id,
        "client_token": record.client_token,
        "received_ms": record.received_ms,
    })
}
