//! Quantities that the SDK has no member for yet: `UsageQuantityAsDecimal`.
//!
//! The SDK writes the whole-number form and the body is rewritten before it is signed. Both members are
//! never sent together, and allocations are of the same kind as their parent. Source: MeterUsage model.

use crate::model::usage::{Allocation, Record};
use aws_sdk_marketplacemetering::{
    error::BuildError,
    types::{Tag, UsageAllocation},
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

/// The allocations in the SDK's form; the untagged part leaves the member `Tags` out.
pub(super) fn allocations(parts: &[Allocation]) -> Result<Option<Vec<UsageAllocation>>, String> {
    let broken = |error: BuildError| error.to_string();
    let mut allocations = Vec::with_capacity(parts.len());
    for part in parts {
        let mut allocation =
            UsageAllocation::builder().allocated_usage_quantity(part.units.whole().unwrap_or(0));
        for (key, value) in &part.tags {
            let tag = Tag::builder().key(key).value(value).build().map_err(broken)?;
            allocation = allocation.tags(tag);
        }
        allocations.push(allocation.build().map_err(broken)?);
    }
    Ok((!allocations.is_empty()).then_some(allocations))
}

/// Puts the record's decimals in place of the SDK's whole numbers.
pub(super) fn rewrite(request: &mut HttpRequest, record: &Record) {
    let body = request.body().bytes().and_then(|bytes| serde_json::from_slice(bytes).ok());
    let Some(Value::Object(mut body)) = body else {
        // Not a body that the SDK writes. Sent as it is, it would say zero and lock the hour; an empty one
        // is refused.
        *request.body_mut() = SdkBody::empty();
        return;
    };
    body.remove("UsageQuantity");
    body.insert("UsageQuantityAsDecimal".into(), json!(record.units.to_string()));
    let parts = body.get_mut("UsageAllocations").and_then(Value::as_array_mut);
    for (part, allocation) in parts.into_iter().flatten().zip(&record.allocations) {
        if let Value::Object(part) = part {
            part.remove("AllocatedUsageQuantity");
            let units = allocation.units.to_string();
            part.insert("AllocatedUsageQuantityAsDecimal".into(), json!(units));
        }
    }
    let text = Value::Object(body).to_string();
    request.headers_mut().insert("content-length", text.len().to_string());
    *request.body_mut() = SdkBody::from(text);
}
