//! Products and subscriptions, from outside.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::reply::{Refusal, Reply, done, read};
use crate::store::products::Product;
use crate::store::{World, keys};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Put {
    product_code: String,
    product_sku: Option<String>,
    dimensions: Option<Vec<String>>,
    subscribed: Option<bool>,
    key_versions: Option<Vec<i32>>,
    expired_key_versions: Option<Vec<i32>>,
}

pub(super) async fn put(State(world): State<Arc<World>>, body: Bytes) -> Reply {
    // Finding keys takes a while; clock and requests go on meanwhile.
    tokio::task::spawn_blocking(move || put_product(&world, &body))
        .await
        .unwrap_or_else(|error| Err(Refusal::bad_request(format!("cannot make keys: {error}"))))
}

/// Creates the product, or changes what the body names and leaves the rest.
pub(super) fn put_product(world: &World, body: &Bytes) -> Reply {
    let put: Put = read(body)?;
    check(&put)?;
    let known: Vec<i32> = world
        .state()
        .products
        .get(&put.product_code)
        .map(|known| known.keys.keys().copied().collect())
        .unwrap_or_default();
    let wanted = put
        .key_versions
        .clone()
        .unwrap_or_else(|| if known.is_empty() { vec![1] } else { known.clone() });
    let mut made: Vec<_> = Vec::new();
    for version in wanted.iter().filter(|version| !known.contains(version)) {
        made.push((*version, keys::next()));
    }
    let now_ms = world.clock.now_ms();
    let mut state = world.state();
    if state.products.get(&put.product_code).is_none() {
        state.products.put(Product {
            product_code: put.product_code.clone(),
            product_sku: format!("prod-{}", put.product_code),
            dimensions: Vec::new(),
            subscribed: true,
            keys: Default::default(),
            expired_key_versions: Default::default(),
        });
    }
    let Some(product) = state.products.get_mut(&put.product_code) else {
        return Err(Refusal::conflict(format!(
            "product `{}` was removed meanwhile; try again",
            put.product_code
        )));
    };
    product.product_sku = put.product_sku.unwrap_or_else(|| product.product_sku.clone());
    product.dimensions = put.dimensions.unwrap_or_else(|| product.dimensions.clone());
    product.subscribed = put.subscribed.unwrap_or(product.subscribed);
    for (version, key) in made {
        product.keys.entry(version).or_insert(key);
    }
    product.keys.retain(|version, _| wanted.contains(version));
    if let Some(expired) = put.expired_key_versions {
        product.expired_key_versions =
            expired.into_iter().map(|version| (version, now_ms)).collect();
    }
    done(product.view())
}

fn check(put: &Put) -> Result<(), Refusal> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-/=:_.@".contains(letter);
    let code = &put.product_code;
    if code.is_empty() || code.len() > 255 || !code.chars().all(allowed) {
        let error =
            format!("`{code}` is not a product code; use 1 to 255 letters, digits and `-/=:_.@`");
        return Err(Refusal::bad_request(error));
    }
    let versions = put.key_versions.iter().chain(&put.expired_key_versions).flatten();
    if let Some(version) = versions.copied().find(|version| *version < 1) {
        return Err(Refusal::bad_request(format!(
            "`{version}` is not a key version; versions start at 1"
        )));
    }
    if put.key_versions.as_ref().is_some_and(Vec::is_empty) {
        return Err(Refusal::bad_request(format!(
            "product `{code}` needs at least one key version"
        )));
    }
    Ok(())
}

pub(super) async fn list(State(world): State<Arc<World>>) -> Reply {
    let products: Vec<Value> = world.state().products.all().map(Product::view).collect();
    done(json!({"products": products}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Subscribe {
    product_code: String,
    subscribed: bool,
}

pub(super) async fn subscribe(State(world): State<Arc<World>>, body: Bytes) -> Reply {
    let Subscribe { product_code, subscribed } = read(&body)?;
    let mut state = world.state();
    let product = state.products.get_mut(&product_code).ok_or_else(|| {
        Refusal::not_found(format!(
            "no product `{product_code}`: create it with POST /_sandbox/products"
        ))
    })?;
    product.subscribed = subscribed;
    done(json!({"product_code": product_code, "subscribed": subscribed}))
}
