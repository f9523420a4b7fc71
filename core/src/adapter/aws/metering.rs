//! AWS Marketplace Metering: `RegisterUsage` and `MeterUsage`.

mod examine;

use super::{
    Inner, dates, decimal,
    exceptions::{self, Asked},
    region::Region,
    signature,
};
use crate::{
    model::{
        ids::ProductCode,
        key::PublicKey,
        outcome::{Failure, Permitted, Refusal, RefusalReason, Registered, Sent},
        usage::Record,
    },
    port::cloud::UsageProbe,
};
use aws_sdk_marketplacemetering::{Client, operation::RequestId, primitives::DateTime};
pub(super) use examine::{dry_run, register_permission};

/// `RegisterUsage` with a fresh nonce, and the proof that AWS answered it.
pub(super) async fn register(inner: &Inner, product: &ProductCode, key: &PublicKey) -> Registered {
    let about = format!("product `{product}` with public key version `{}`", key.version);
    let (region, client) = match inner.metering("RegisterUsage", &about).await {
        Ok(ready) => ready,
        Err(failure) => return Registered::Failed(failure),
    };
    let asked = Asked { operation: "RegisterUsage", about, region };
    // One for each attempt: an answer to the first proves nothing about the second.
    let mut nonces = match (inner.entropy.seed(), inner.entropy.seed()) {
        (Ok(one), Ok(two)) => [one, two].into_iter(),
        (Err(why), _) | (_, Err(why)) => {
            return Registered::Failed(asked.not_sent(&format!("no randomness: {why}")));
        }
    };
    let mut nonce = String::new();
    let answer = inner
        .attempt(async || {
            if let Some(seed) = nonces.next() {
                nonce = signature::nonce(&seed);
            }
            let call = client.register_usage().product_code(product.as_str());
            call.public_key_version(key.version).nonce(&nonce).send().await
        })
        .await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(reading) => return exceptions::registered(&asked, &reading),
    };
    // Nobody signed this 200, so it is nobody's answer.
    let Some(jwt) = answer.signature() else {
        return Registered::Failed(asked.incomplete("signature"));
    };
    let expected =
        signature::Expected { product: product.as_str(), key_version: key.version, nonce: &nonce };
    match signature::verify(&key.pem, jwt, &expected) {
        Ok(strength) => Registered::Yes {
            key_rotation: answer.public_key_rotation_timestamp().and_then(|date| dates::of(*date)),
            weak_key: strength == signature::KeyStrength::Weak,
        },
        Err(why) => Registered::No(Refusal {
            reason: RefusalReason::SignatureInvalid,
            text: format!(
                "RegisterUsage for {}: the signed answer is not AWS's: {why}; check that trusted_products holds AWS's key of \
                 that version, and that nothing stands between the container and AWS",
                asked.about
            ),
        }),
    }
}

/// A dry run of `MeterUsage`.
pub(super) async fn check_usage(inner: &Inner, probe: &UsageProbe) -> Permitted {
    zero(inner, probe, true).await
}

/// A record of zero, which AWS answers by the subscription too. Source: Seller Guide: not entitled is said at
/// the first call.
pub(super) async fn probe(inner: &Inner, probe: &UsageProbe) -> Permitted {
    zero(inner, probe, false).await
}

async fn zero(inner: &Inner, probe: &UsageProbe, dry_run: bool) -> Permitted {
    let about = format!("dimension `{}` of product `{}`", probe.dimension, probe.product);
    let (region, client) = match inner.metering("MeterUsage", &about).await {
        Ok(ready) => ready,
        Err(failure) => return Permitted::Failed(failure),
    };
    let asked = Asked { operation: "MeterUsage", about, region };
    // Ours, so that the SDK does not invent one for each time that it sends the same thing.
    let token = match inner.entropy.seed() {
        Ok(seed) => signature::nonce(&seed),
        Err(why) => return Permitted::Failed(asked.not_sent(&format!("no randomness: {why}"))),
    };
    let answer = inner
        .attempt(async || {
            let call = client.meter_usage().product_code(probe.product.as_str());
            let call = call.set_dry_run(dry_run.then_some(true)).usage_quantity(0);
            let call = call.usage_dimension(&probe.dimension).client_token(&token);
            call.timestamp(DateTime::from_secs(probe.timestamp.epoch_seconds())).send().await
        })
        .await;
    match answer {
        Ok(_) if dry_run => Permitted::Yes,
        // Only a record that has an id was taken.
        Ok(answer) if answer.metering_record_id().is_some_and(|id| !id.is_empty()) => {
            Permitted::Yes
        }
        Ok(_) => Permitted::Failed(asked.incomplete("metering record id")),
        Err(reading) if dry_run => exceptions::permitted(&asked, &reading),
        Err(reading) => exceptions::probed(&asked, &reading),
    }
}

/// `MeterUsage` of a frozen record. Everything in the body comes from the record.
pub(super) async fn meter(inner: &Inner, product: &ProductCode, record: &Record) -> Sent {
    let about =
        format!("dimension `{}` of product `{product}`, hour {}", record.dimension, record.hour);
    let (region, client) = match inner.metering("MeterUsage", &about).await {
        Ok(ready) => ready,
        Err(failure) => return Sent::Failed(failure),
    };
    let asked = Asked { operation: "MeterUsage", about, region };
    let allocations = match decimal::allocations(&record.allocations) {
        Ok(allocations) => allocations,
        Err(text) => {
            return Sent::Refused(Refusal { reason: RefusalReason::InvalidProduct, text });
        }
    };
    let whole = record.units.whole();
    let answer = inner
        .attempt(async || {
            let call = client
                .meter_usage()
                .product_code(product.as_str())
                .timestamp(DateTime::from_secs(record.timestamp.epoch_seconds()))
                .usage_dimension(record.dimension.as_str())
                .usage_quantity(whole.unwrap_or(0))
                .set_usage_allocations(allocations.clone())
                .client_token(record.client_token.as_str());
            if whole.is_some() {
                return call.send().await;
            }
            let decimal = record.clone();
            call.customize()
                .mutate_request(move |body| decimal::rewrite(body, &decimal))
                .send()
                .await
        })
        .await;
    match answer {
        Ok(answer) => match answer.metering_record_id().filter(|id| !id.is_empty()) {
            Some(id) => Sent::Recorded {
                record_id: id.to_owned(),
                request_id: answer.request_id().map(str::to_owned),
            },
            None => Sent::Failed(asked.incomplete("metering record id")),
        },
        Err(reading) => exceptions::sent(&asked, &reading),
    }
}

impl Inner {
    /// A client with fresh credentials, or the failure that says what is missing.
    async fn metering(
        &self,
        operation: &'static str,
        about: &str,
    ) -> Result<(Region, Client), Failure> {
        let region = self.ready(operation, about).await?;
        let client = self.metering.get_or_try_init(|| self.clients()?.metering(&region)).cloned();
        match client {
            Ok(client) => Ok((region, client)),
            Err(why) => Err(Asked { operation, about: about.to_owned(), region }.not_sent(&why)),
        }
    }
}
