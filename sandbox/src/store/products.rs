//! Products: what a seller has listed, and whether the buyer is subscribed.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::keys::{self, SigningKey};

/// One listing.
pub(crate) struct Product {
    pub(crate) product_code: String,
    pub(crate) product_sku: String,
    pub(crate) dimensions: Vec<String>,
    pub(crate) subscribed: bool,
    pub(crate) keys: BTreeMap<i32, Arc<SigningKey>>,
    /// Key versions whose answers carry `PublicKeyRotationTimestamp`, with that moment.
    pub(crate) expired_key_versions: BTreeMap<i32, i64>,
}

impl Product {
    pub(crate) fn view(&self) -> Value {
        let public_keys: BTreeMap<String, &str> = self
            .keys
            .iter()
            .map(|(version, key)| (version.to_string(), key.public_pem.as_str()))
            .collect();
        let expired: Vec<i32> = self.expired_key_versions.keys().copied().collect();
        json!({
            "product_code": self.product_code,
            "product_sku": self.product_sku,
            "dimensions": self.dimensions,
            "subscribed": self.subscribed,
            "public_keys": public_keys,
            "expired_key_versions": expired,
        })
    }
}

#[derive(Default)]
pub(crate) struct Products {
    by_code: BTreeMap<String, Product>,
}

impl Products {
    pub(crate) fn get(&self, code: &str) -> Option<&Product> {
        self.by_code.get(code)
    }

    pub(crate) fn get_mut(&mut self, code: &str) -> Option<&mut Product> {
        self.by_code.get_mut(code)
    }

    pub(crate) fn put(&mut self, product: Product) -> &Product {
        let code = product.product_code.clone();
        self.by_code.insert(code.clone(), product);
        &self.by_code[&code]
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Product> {
        self.by_code.values()
    }
}

impl Drop for Products {
    fn drop(&mut self) {
        let keys = std::mem::take(&mut self.by_code).into_values().flat_map(|product| product.keys);
        keys::give_back(keys.map(|(_, key)| key));
    }
}
