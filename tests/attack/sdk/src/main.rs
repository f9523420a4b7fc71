//! A product as sellers write it, with the AWS SDK for Rust: licensed when the call returns.
//!
//! Argument: product code and SKU as JSON. Says in one line of JSON what each pricing came to, and whose key signed.
//! Everything is the SDK's default. Its default HTTP client is not among our features, so [`client`] makes the same
//! one on ring instead of aws-lc. Source: `default_https_client` of aws-smithy-runtime.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_licensemanager::types::{CheckoutType, EntitlementData, EntitlementDataUnit};
use aws_smithy_http_client::{
    Builder, ConnectorBuilder,
    proxy::ProxyConfig,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use serde_json::{Value, json};
use std::{env, error::Error, time::SystemTime};

fn main() -> Result<(), Box<dyn Error>> {
    let given: Value = serde_json::from_str(&env::args().nth(1).ok_or("give the product")?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("{}", runtime.block_on(told(&given)));
    Ok(())
}

async fn told(given: &Value) -> Value {
    let text = |name: &str| given[name].as_str().unwrap_or_default().to_owned();
    let code = env::var("PRODUCT_CODE").unwrap_or_else(|_| text("code"));
    let config =
        aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(client()).load().await;
    json!({
        "hourly": hourly(&config, &code).await.map_or_else(said, licensed),
        "usage": usage(&config, &code).await.map_or_else(said, licensed),
        "contract": contract(&config, &text("sku")).await.map_or_else(said, licensed),
        "signer": signer(&config).await,
    })
}

fn client() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector =
            ConnectorBuilder::default().tls_provider(Provider::Rustls(CryptoMode::Ring));
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector.set_proxy_config(Some(ProxyConfig::from_env()));
        connector.build()
    })
}

type Called = Result<(), Box<dyn Error>>;

async fn hourly(config: &SdkConfig, code: &str) -> Called {
    let client = aws_sdk_marketplacemetering::Client::new(config);
    client.register_usage().product_code(code).public_key_version(1).nonce("n").send().await?;
    Ok(())
}

async fn usage(config: &SdkConfig, code: &str) -> Called {
    let client = aws_sdk_marketplacemetering::Client::new(config);
    let call = client.meter_usage().product_code(code).usage_dimension("requests");
    call.usage_quantity(3).timestamp(SystemTime::now().into()).send().await?;
    Ok(())
}

async fn contract(config: &SdkConfig, sku: &str) -> Called {
    let client = aws_sdk_licensemanager::Client::new(config);
    let entitlement =
        EntitlementData::builder().name("Basic").unit(EntitlementDataUnit::None).build()?;
    let call = client.checkout_license().product_sku(sku).checkout_type(CheckoutType::Provisional);
    // A name for the request; the time is one.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    call.key_fingerprint("aws:294406891311:AWS/Marketplace:issuer-fingerprint")
        .entitlements(entitlement)
        .client_token(now.as_nanos().to_string())
        .send()
        .await?;
    Ok(())
}

async fn signer(config: &SdkConfig) -> Option<String> {
    let credentials = config.credentials_provider()?.provide_credentials().await.ok()?;
    Some(credentials.access_key_id().to_owned())
}

fn licensed((): ()) -> String {
    "licensed".to_owned()
}

fn said(error: Box<dyn Error>) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
