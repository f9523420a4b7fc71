//! Licenses, from outside.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State as Extract};
use serde::Deserialize;
use serde_json::{Value, json};

use super::reply::{Refusal, Reply, done, read};
use crate::model::Service;
use crate::store::World;
use crate::store::licenses::{Entitlement, ISSUER, License, Standing, Terms, fingerprint_of};
use crate::store::tasks::{ACCOUNT, is_region};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    product_sku: String,
    entitlements: Vec<Entitlement>,
    name: Option<String>,
    begin_ms: Option<i64>,
    end_ms: Option<i64>,
    ttl_minutes: Option<i64>,
    home_region: Option<String>,
    issuer: Option<String>,
    fingerprint: Option<String>,
    account: Option<String>,
    received_status: Option<String>,
    grant_type: Option<String>,
}

pub(super) async fn create(Extract(world): Extract<Arc<World>>, body: Bytes) -> Reply {
    create_license(&world, &body)
}

pub(super) fn create_license(world: &World, body: &Bytes) -> Reply {
    let create: Create = read(body)?;
    check_entitlements(&create.entitlements)?;
    let received_status = create.received_status.unwrap_or_else(|| "ACTIVE".to_owned());
    check_enum("ReceivedStatus", &received_status)?;
    let grant_type = create.grant_type.unwrap_or_else(|| "BuyerGrant".to_owned());
    check_enum("GrantType", &grant_type)?;
    let ttl_minutes = create.ttl_minutes.unwrap_or(60);
    if !(1..=525_600).contains(&ttl_minutes) {
        return Err(Refusal::bad_request(format!(
            "`{ttl_minutes}` is not a time to live: use minutes from 1 on"
        )));
    }
    let home_region = create.home_region.unwrap_or_else(|| "us-east-1".to_owned());
    if !is_region(&home_region) {
        return Err(Refusal::bad_request(format!(
            "`{home_region}` is not a Region; write it as `us-east-1`"
        )));
    }
    let now_ms = world.clock.now_ms();
    let issuer = create.issuer.unwrap_or_else(|| ISSUER.to_owned());
    let license = License {
        id: License::new_id(),
        name: create.name.unwrap_or_else(|| create.product_sku.clone()),
        product_sku: create.product_sku,
        fingerprint: create.fingerprint.unwrap_or_else(|| fingerprint_of(&issuer)),
        issuer,
        account: create.account.unwrap_or_else(|| ACCOUNT.to_owned()),
        begin_ms: create.begin_ms.unwrap_or(now_ms),
        created_ms: now_ms,
        ttl_minutes,
        home_region,
        received_status,
        grant_type,
        standing: Standing::Good,
        versions: vec![Terms { entitlements: create.entitlements, end_ms: create.end_ms }],
    };
    let answer = brief(&license, now_ms);
    world.state().licenses.add(license);
    done(answer)
}

fn check_entitlements(entitlements: &[Entitlement]) -> Result<(), Refusal> {
    if entitlements.is_empty() {
        return Err(Refusal::bad_request(
            "a license needs at least one entitlement: give `entitlements`",
        ));
    }
    for (index, entitlement) in entitlements.iter().enumerate() {
        let name = &entitlement.name;
        check_enum("EntitlementUnit", &entitlement.unit)?;
        if entitlements[..index].iter().any(|earlier| earlier.name == *name) {
            return Err(Refusal::bad_request(format!(
                "entitlement `{name}` occurs twice; name each once"
            )));
        }
        if entitlement.is_counted() && entitlement.value.is_some() {
            let error = format!("entitlement `{name}` is counted: give `max_count`, not `value`");
            return Err(Refusal::bad_request(error));
        }
        if !entitlement.is_counted() && entitlement.max_count.is_some() {
            let error =
                format!("entitlement `{name}` has unit `None`: give `value`, not `max_count`");
            return Err(Refusal::bad_request(error));
        }
        if entitlement.max_count.is_some_and(i64::is_negative) {
            return Err(Refusal::bad_request(format!(
                "entitlement `{name}` needs a `max_count` from 0 on"
            )));
        }
    }
    Ok(())
}

/// Holds a word against an enumeration of AWS's model.
fn check_enum(shape: &str, word: &str) -> Result<(), Refusal> {
    let allowed = Service::LicenseManager.model().shape(shape).words();
    if allowed.iter().any(|allowed| allowed == word) {
        return Ok(());
    }
    Err(Refusal::bad_request(format!("`{word}` is no {shape}; use one of {}", allowed.join(", "))))
}

pub(super) async fn list(Extract(world): Extract<Arc<World>>) -> Reply {
    let now_ms = world.clock.now_ms();
    let licenses: Vec<Value> =
        world.state().licenses.all().map(|license| full(license, now_ms)).collect();
    done(json!({"licenses": licenses}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Upgrade {
    entitlements: Vec<Entitlement>,
    end_ms: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Renew {
    end_ms: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// `POST /_sandbox/licenses/<id>/<deed>`.
pub(super) async fn change(
    Extract(world): Extract<Arc<World>>,
    Path((id, deed)): Path<(String, String)>,
    body: Bytes,
) -> Reply {
    if deed == "token" {
        return super::tokens::refresh_token(&world, &id, &body);
    }
    let now_ms = world.clock.now_ms();
    let mut state = world.state();
    let license = state.licenses.get_mut(&id).ok_or_else(|| no_license(&id))?;
    match deed.as_str() {
        "upgrade" => {
            let Upgrade { entitlements, end_ms } = read(&body)?;
            check_entitlements(&entitlements)?;
            let end_ms = end_ms.or(license.terms().end_ms);
            license.amend(Terms { entitlements, end_ms });
        }
        "renew" => {
            let Renew { end_ms } = read(&body)?;
            let entitlements = license.terms().entitlements.clone();
            license.amend(Terms { entitlements, end_ms: Some(end_ms) });
        }
        _ => {
            read::<Nothing>(&body)?;
            match deed.as_str() {
                "expire" => license.end_now(now_ms),
                "suspend" => license.standing = Standing::Suspended,
                "resume" => license.standing = Standing::Good,
                "deactivate" => license.standing = Standing::Deactivated,
                "delete" => license.standing = Standing::Deleted,
                other => {
                    let error = format!(
                        "cannot `{other}` license `{id}`; use upgrade, renew, expire, suspend, resume, deactivate, \
                         delete or token"
                    );
                    return Err(Refusal::not_found(error));
                }
            }
        }
    }
    done(brief(license, now_ms))
}

pub(super) fn no_license(id: &str) -> Refusal {
    Refusal::not_found(format!("no license `{id}`: see GET /_sandbox/licenses"))
}

fn brief(license: &License, now_ms: i64) -> Value {
    json!({
        "id": license.id,
        "license_arn": license.arn(),
        "version": license.versions.len().to_string(),
        "status": license.status(now_ms),
    })
}

fn full(license: &License, now_ms: i64) -> Value {
    let mut view = brief(license, now_ms);
    let details = json!({
        "product_sku": license.product_sku,
        "name": license.name,
        "issuer": license.issuer,
        "fingerprint": license.fingerprint,
        "account": license.account,
        "begin_ms": license.begin_ms,
        "end_ms": license.terms().end_ms,
        "ttl_minutes": license.ttl_minutes,
        "home_region": license.home_region,
        "entitlements": license.terms().entitlements,
        "received_status": license.received_status,
        "grant_type": license.grant_type,
    });
    for (name, value) in details.as_object().into_iter().flatten() {
        view[name] = value.clone();
    }
    view
}
