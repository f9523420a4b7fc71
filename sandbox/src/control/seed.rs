//! A seed file: control calls to make before the first request.

use axum::body::Bytes;
use serde_json::{Map, Value};

use super::reply::{Refusal, Reply};
use super::{faults, licenses, products, switches, tasks};
use crate::store::World;

type Plant = fn(&World, &Bytes) -> Reply;

/// Sets up what the seed names: `{"switches": {…}, "tasks": […], "products": […], "faults": […]}`, each
/// entry as the body of the control call of that name.
pub(crate) fn plant(world: &World, seed: &str) -> Result<(), String> {
    let seed: Map<String, Value> = serde_json::from_str(seed).map_err(|error| error.to_string())?;
    let kinds: [(&str, Plant); 5] = [
        ("switches", switches::set_switches),
        ("tasks", tasks::put_task),
        ("products", products::put_product),
        ("licenses", licenses::create_license),
        ("faults", faults::arm_fault),
    ];
    if let Some(unknown) = seed.keys().find(|key| kinds.iter().all(|(name, _)| name != key)) {
        let known: Vec<&str> = kinds.iter().map(|(name, _)| *name).collect();
        return Err(format!("no seeds for `{unknown}`; use {}", known.join(", ")));
    }
    for (name, plant) in kinds {
        let entries = match seed.get(name).cloned() {
            None => continue,
            Some(Value::Array(entries)) => entries,
            Some(entry) => vec![entry],
        };
        for entry in entries {
            let planted = plant(world, &entry.to_string().into());
            if let Err(Refusal { error, .. }) = planted {
                return Err(format!("{name}: {error}"));
            }
        }
    }
    Ok(())
}
