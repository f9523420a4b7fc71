//! Reading the license itself: `GetLicense`, or `ListReceivedLicenses` while its ARN is unknown.

use super::{
    super::{
        Inner,
        exceptions::{self, Asked},
    },
    choice::{Read, choose},
};
use crate::model::{license::Standing, outcome::Details};
use aws_sdk_licensemanager::types::Filter;

/// An account receives at most ten licenses of a product. Source: [AC §8]. More pages than this are a loop.
const PAGES_MAX: usize = 10;

/// The license as AWS has it now.
pub(in crate::adapter::aws) async fn details(inner: &Inner, license_arn: Option<&str>) -> Details {
    match license_arn {
        Some(arn) => get(inner, arn).await,
        None => list(inner).await,
    }
}

async fn get(inner: &Inner, arn: &str) -> Details {
    let about = format!("license `{arn}`");
    let mut manager = match inner.manager("GetLicense", about).await {
        Ok(manager) => manager,
        Err(failure) => return Details::Failed(failure),
    };
    let answer =
        manager.ask(async |client| client.get_license().license_arn(arn).send().await).await;
    match answer {
        Ok(answer) => match answer.license() {
            Some(license) => {
                let silent = license.status().is_none();
                found(inner, &manager.asked, vec![Read::of_license(license)], silent)
            }
            None => Details::Failed(manager.asked.incomplete("license")),
        },
        Err(reading) => exceptions::details(&manager.asked, &reading),
    }
}

async fn list(inner: &Inner) -> Details {
    let sku = inner.sku().unwrap_or_default();
    let about = format!("product SKU `{sku}`");
    let mut manager = match inner.manager("ListReceivedLicenses", about).await {
        Ok(manager) => manager,
        Err(failure) => return Details::Failed(failure),
    };
    let by_sku = Filter::builder().name("ProductSKU").values(&sku).build();
    let mut licenses = Vec::new();
    let mut silent = false;
    let mut next = None;
    for _ in 0..PAGES_MAX {
        let answer = manager
            .ask(async |client| {
                let call = client.list_received_licenses().filters(by_sku.clone());
                call.max_results(100).set_next_token(next.clone()).send().await
            })
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(reading) => return exceptions::details(&manager.asked, &reading),
        };
        // An empty list is a list; an answer without one is not an answer.
        if answer.licenses.is_none() {
            return Details::Failed(manager.asked.incomplete("list of licenses"));
        }
        silent |= answer.licenses().iter().any(|license| license.status().is_none());
        licenses.extend(answer.licenses().iter().map(Read::of_granted));
        next = answer.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
        if next.is_none() {
            break;
        }
    }
    found(inner, &manager.asked, licenses, silent)
}

/// Of those that are of our product and issuer, the one that counts. `silent`: one of them has no status.
fn found(inner: &Inner, asked: &Asked, licenses: Vec<Read>, silent: bool) -> Details {
    let sku = inner.sku();
    let issuer = inner.settings.issuer_fingerprint.as_str();
    let (ours, others): (Vec<Read>, Vec<Read>) = licenses
        .into_iter()
        .partition(|l| l.sku == sku && l.fingerprint.as_deref() == Some(issuer));
    let unread = silent || others.iter().any(|l| l.sku.is_none() || l.fingerprint.is_none());
    let delegated = ours.iter().any(|license| license.delegated);
    match choose(ours) {
        Some(contract) if contract.standing == Standing::Usable || !unread => {
            Details::Found(contract)
        }
        // Only a license that can be read is another's, or one that may not be used.
        _ if unread => Details::Failed(asked.incomplete("product, issuer and status of a license")),
        _ => Details::Nothing(format!(
            "{} for {}: {}",
            asked.operation,
            asked.about,
            if delegated {
                "its license is only delegated to this AWS account, which entitles to nothing; buy it in AWS Marketplace"
            } else if others.is_empty() {
                "this AWS account has received no license of it; buy it in AWS Marketplace"
            } else {
                "the licenses that this AWS account has received are of another product or issuer; buy it in AWS Marketplace"
            }
        )),
    }
}
