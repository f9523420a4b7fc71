//! Reading the license itself: `GetLicense`, or `ListReceivedLicenses` while its ARN is unknown.

use super::{
    super::{
        Inner,
        exceptions::{self, Asked},
    },
    choice::{Read, choose},
};
use crate::model::outcome::Details;
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
    let (region, client) = match inner.licensing("GetLicense", &about).await {
        Ok(ready) => ready,
        Err(failure) => return Details::Failed(failure),
    };
    let asked = Asked { operation: "GetLicense", about, region: &region };
    let answer = inner.attempt(async || client.get_license().license_arn(arn).send().await).await;
    match answer {
        Ok(answer) => match answer.license() {
            Some(license) => found(inner, &asked, vec![Read::of_license(license)]),
            None => Details::Failed(asked.incomplete("license")),
        },
        Err(reading) => exceptions::details(&asked, &reading),
    }
}

async fn list(inner: &Inner) -> Details {
    let sku = inner.sku().unwrap_or_default();
    let about = format!("product SKU `{sku}`");
    let (region, client) = match inner.licensing("ListReceivedLicenses", &about).await {
        Ok(ready) => ready,
        Err(failure) => return Details::Failed(failure),
    };
    let asked = Asked { operation: "ListReceivedLicenses", about, region: &region };
    let by_sku = Filter::builder().name("ProductSKU").values(&sku).build();
    let mut licenses = Vec::new();
    let mut next = None;
    for _ in 0..PAGES_MAX {
        let answer = inner
            .attempt(async || {
                let call = client.list_received_licenses().filters(by_sku.clone());
                call.max_results(100).set_next_token(next.clone()).send().await
            })
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(reading) => return exceptions::details(&asked, &reading),
        };
        // An empty list is a list; an answer without one is not an answer.
        if answer.licenses.is_none() {
            return Details::Failed(asked.incomplete("list of licenses"));
        }
        licenses.extend(answer.licenses().iter().map(Read::of_granted));
        next = answer.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
        if next.is_none() {
            break;
        }
    }
    found(inner, &asked, licenses)
}

/// Of those that are of our product and issuer, the one that counts.
fn found(inner: &Inner, asked: &Asked, licenses: Vec<Read>) -> Details {
    let sku = inner.sku();
    let issuer = inner.settings.issuer_fingerprint.as_str();
    let (ours, others): (Vec<Read>, Vec<Read>) = licenses
        .into_iter()
        .partition(|l| l.sku == sku && l.fingerprint.as_deref() == Some(issuer));
    let delegated = ours.iter().any(|license| license.delegated);
    match choose(ours) {
        Some(contract) => Details::Found(contract),
        None => Details::Nothing(format!(
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
