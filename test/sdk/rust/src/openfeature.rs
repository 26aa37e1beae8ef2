//! The providers of OpenFeature: of its remote evaluation protocol, and Flagsmith's own.

use crate::sdk::client;
use crate::stack::{await_counts, counted, identities, stored, variable, Instance};
use crate::{Check, Checks};
use flagsmith::{Flagsmith, FlagsmithOptions};
use open_feature::provider::FeatureProvider as _;
use open_feature::EvaluationContext;
use open_feature_flagsmith::FlagsmithProvider;
use open_feature_of_flagsmith::provider::FeatureProvider as _;
use open_feature_of_flagsmith::EvaluationContext as Context;
use open_feature_ofrep::{OfrepOptions, OfrepProvider};
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::json;
use std::future::Future;
use std::sync::Arc;

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(work)
}

// ---- remote evaluation protocol ----

/// The price that the protocol gives for a context, if it gives one.
fn remote_price(api: &Instance, key: &str, context: EvaluationContext) -> Option<i64> {
    let mut headers = HeaderMap::new();
    headers.insert("X-Environment-Key", HeaderValue::from_str(key).unwrap());
    wait(async {
        let options = OfrepOptions { base_url: api.url(), headers, ..Default::default() };
        let provider = OfrepProvider::new(options).await.unwrap();
        let found = provider.resolve_int_value("free_shipping_from", &context).await;
        found.ok().map(|details| details.value)
    })
}

fn someone() -> EvaluationContext {
    EvaluationContext::default().with_targeting_key("x")
}

fn remote_environment_flags(api: &mut Instance) {
    assert_eq!(remote_price(api, &variable("CLIENT_KEY"), someone()), Some(40));
}

fn remote_identity_traits(api: &mut Instance) {
    let context = someone().with_custom_field("plan", "pro").with_custom_field("orders", 73_i64);
    let context = context.with_custom_field("rating", 4.5).with_custom_field("newsletter", true);
    assert_eq!(remote_price(api, &variable("CLIENT_KEY"), context), Some(0));
}

fn remote_anonymous(api: &mut Instance) {
    let before = identities();
    let context = EvaluationContext::default().with_custom_field("plan", "pro");
    assert_eq!(remote_price(api, &variable("CLIENT_KEY"), context), Some(0));
    assert_eq!(identities(), before);
}

fn remote_wrong_key(api: &mut Instance) {
    assert_eq!(remote_price(api, "no-such-key", someone()), None);
}

fn remote_server_returns(api: &mut Instance) {
    remote_environment_flags(api);
    api.stop();
    assert_eq!(remote_price(api, &variable("CLIENT_KEY"), someone()), None);
    api.start();
    remote_environment_flags(api);
}

pub fn ofrep() -> Checks {
    vec![
        ("environment_flags", Check::Work(remote_environment_flags)),
        ("identity_traits", Check::Work(remote_identity_traits)),
        ("transient_identity", Check::None("OFREP stores nothing")),
        ("transient_trait", Check::None("OFREP stores nothing")),
        ("trait_removed", Check::None("OFREP stores nothing")),
        ("anonymous", Check::Work(remote_anonymous)),
        ("local_evaluation", Check::None("OFREP asks for each flag")),
        ("analytics_once", Check::None("OFREP does not count")),
        ("wrong_key", Check::Work(remote_wrong_key)),
        ("server_returns", Check::Work(remote_server_returns)),
        ("realtime", Check::None("OFREP asks for each flag")),
    ]
}

// ---- Flagsmith's provider ----

/// Flagsmith's provider over an SDK.
fn provider(sdk: &Arc<Flagsmith>) -> FlagsmithProvider {
    FlagsmithProvider::from_client(sdk.clone())
}

fn usual(api: &Instance) -> Arc<Flagsmith> {
    Arc::new(client(api, &variable("CLIENT_KEY"), FlagsmithOptions::default()))
}

fn price(sdk: &Arc<Flagsmith>, name: &str, context: Context) -> Option<i64> {
    wait(async { provider(sdk).resolve_int_value(name, &context).await.ok().map(|details| details.value) })
}

fn own_environment_flags(api: &mut Instance) {
    let (sdk, server) = (usual(api), Arc::new(client(api, &variable("SERVER_KEY"), FlagsmithOptions::default())));
    assert_eq!(price(&sdk, "free_shipping_from", Context::default()), Some(40));
    assert_eq!(price(&sdk, "fraud_score_limit", Context::default()), None);
    assert_eq!(price(&server, "fraud_score_limit", Context::default()), Some(70));
}

fn own_identity_traits(api: &mut Instance) {
    let context = Context::default().with_targeting_key("rust-of").with_custom_field("plan", "pro");
    let context = context.with_custom_field("orders", 73_i64).with_custom_field("rating", 4.5);
    let context = context.with_custom_field("newsletter", true);
    assert_eq!(price(&usual(api), "free_shipping_from", context), Some(0));
    assert_eq!(stored("rust-of"), json!({"plan": "pro", "orders": 73, "rating": 4.5, "newsletter": true}));
}

fn own_anonymous(api: &mut Instance) {
    let before = identities();
    let context = Context::default().with_custom_field("plan", "pro");
    assert_eq!(price(&usual(api), "free_shipping_from", context), Some(40));
    assert_eq!(identities(), before);
}

fn own_local_evaluation(api: &mut Instance) {
    let answers = [true, false].map(|enable_local_evaluation| {
        let settings = FlagsmithOptions { enable_local_evaluation, ..Default::default() };
        let sdk = Arc::new(client(api, &variable("SERVER_KEY"), settings));
        wait(async {
            let (provider, mut found) = (provider(&sdk), Vec::new());
            for n in 0..1000_i64 {
                let context = Context::default().with_targeting_key(format!("rust-of-{n}"));
                let context = context.with_custom_field("country", ["SE", "NL", "FI"][n as usize % 3]);
                let context = context.with_custom_field("orders", n);
                let enabled = provider.resolve_bool_value("express_checkout", &context).await.unwrap().value;
                let value = provider.resolve_string_value("checkout_button", &context).await.unwrap().value;
                found.push((enabled, value));
            }
            found
        })
    });
    assert!(answers[0] == answers[1]);
    let kinds: std::collections::HashSet<_> = answers[0].iter().collect();
    assert_eq!(kinds.len(), 6); // two states, three values
}

fn own_analytics_once(api: &mut Instance) {
    let before = counted();
    let settings = FlagsmithOptions { enable_analytics: true, ..Default::default() };
    let sdk = Arc::new(client(api, &variable("CLIENT_KEY"), settings));
    wait(async {
        for _ in 0..7 {
            provider(&sdk).resolve_bool_value("photo_search", &Context::default()).await.unwrap();
        }
    });
    await_counts(before);
}

fn own_wrong_key(api: &mut Instance) {
    let sdk = Arc::new(client(api, "no-such-key", FlagsmithOptions::default()));
    assert_eq!(price(&sdk, "free_shipping_from", Context::default()), None);
}

fn own_server_returns(api: &mut Instance) {
    let sdk = usual(api);
    assert_eq!(price(&sdk, "free_shipping_from", Context::default()), Some(40));
    api.stop();
    assert_eq!(price(&sdk, "free_shipping_from", Context::default()), None);
    api.start();
    assert_eq!(price(&sdk, "free_shipping_from", Context::default()), Some(40));
}

pub fn flagsmith() -> Checks {
    vec![
        ("environment_flags", Check::Work(own_environment_flags)),
        ("identity_traits", Check::Work(own_identity_traits)),
        ("transient_identity", Check::None("the provider does not pass it on")),
        ("transient_trait", Check::None("the provider does not pass it on")),
        ("trait_removed", Check::None("OpenFeature for Rust has no null")),
        ("anonymous", Check::Work(own_anonymous)),
        ("local_evaluation", Check::Work(own_local_evaluation)),
        ("analytics_once", Check::Work(own_analytics_once)),
        ("wrong_key", Check::Work(own_wrong_key)),
        ("server_returns", Check::Work(own_server_returns)),
        ("realtime", Check::None("the SDK in it polls")),
    ]
}
