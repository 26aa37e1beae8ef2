//! The checks of the SDK itself.

use crate::stack::{await_counts, counted, identities, stored, variable, Instance};
use crate::{Check, Checks};
use flagsmith::flagsmith::models::{Flags, SDKTrait};
use flagsmith::{Flagsmith, FlagsmithOptions};
use flagsmith_flag_engine::types::{FlagsmithValue, FlagsmithValueType};
use serde_json::{json, Value};
use std::collections::BTreeMap;

pub fn client(api: &Instance, key: &str, settings: FlagsmithOptions) -> Flagsmith {
    let api_url = format!("{}/api/v1/", api.url());
    Flagsmith::new(key.to_string(), FlagsmithOptions { api_url, request_timeout_seconds: 5, ..settings })
}

fn usual(api: &Instance) -> Flagsmith {
    client(api, &variable("CLIENT_KEY"), FlagsmithOptions::default())
}

/// Traits of each type, from JSON.
fn traits(values: Value) -> Option<Vec<SDKTrait>> {
    let values = values.as_object().unwrap().clone();
    let of = |value: Value| serde_json::from_value::<FlagsmithValue>(value).unwrap();
    Some(values.into_iter().map(|(key, value)| SDKTrait::new(key, of(value))).collect())
}

fn all_traits() -> Value {
    json!({"plan": "pro", "orders": 73, "rating": 4.5, "newsletter": true})
}

fn flags_of(flags: &Flags) -> BTreeMap<String, (bool, String, String)> {
    let all = flags.all_flags().into_iter();
    all.map(|f| (f.feature_name, (f.enabled, format!("{:?}", f.value.value_type), f.value.value))).collect()
}

fn price(flags: &Flags) -> Option<i64> {
    flags.get_flag("free_shipping_from").unwrap().value_as_i64()
}

fn environment_flags(api: &mut Instance) {
    let flags = usual(api).get_environment_flags().unwrap();
    assert_eq!(price(&flags), Some(40));
    assert!(!flags_of(&flags).contains_key("fraud_score_limit"));
    let server = client(api, &variable("SERVER_KEY"), FlagsmithOptions::default());
    assert!(flags_of(&server.get_environment_flags().unwrap()).contains_key("fraud_score_limit"));
}

fn identity_traits(api: &mut Instance) {
    let flags = usual(api).get_identity_flags("rust-traits", traits(all_traits()), None).unwrap();
    assert_eq!(price(&flags), Some(0));
    assert_eq!(stored("rust-traits"), all_traits());
}

fn transient_identity(api: &mut Instance) {
    usual(api).get_identity_flags("rust-transient", traits(all_traits()), Some(true)).unwrap();
    assert_eq!(stored("rust-transient"), Value::Null);
}

fn transient_trait(api: &mut Instance) {
    let mut given = traits(json!({"plan": "pro"})).unwrap();
    let value = FlagsmithValue { value_type: FlagsmithValueType::Integer, value: "3".to_string() };
    given.push(SDKTrait::new_with_transient("orders".to_string(), value, true));
    usual(api).get_identity_flags("rust-mixed", Some(given), None).unwrap();
    assert_eq!(stored("rust-mixed"), json!({"plan": "pro"}));
}

fn trait_removed(api: &mut Instance) {
    usual(api).get_identity_flags("rust-removed", traits(all_traits()), None).unwrap();
    usual(api).get_identity_flags("rust-removed", traits(json!({"plan": null})), None).unwrap();
    assert_eq!(stored("rust-removed"), json!({"orders": 73, "rating": 4.5, "newsletter": true}));
}

fn anonymous(api: &mut Instance) {
    let before = identities();
    let flags = usual(api).get_identity_flags("", traits(json!({"plan": "pro"})), Some(true)).unwrap();
    assert_eq!(price(&flags), Some(0));
    assert_eq!(identities(), before);
}

fn local_evaluation(api: &mut Instance) {
    let key = variable("SERVER_KEY");
    let local = client(api, &key, FlagsmithOptions { enable_local_evaluation: true, ..Default::default() });
    let remote = client(api, &key, FlagsmithOptions::default());
    for n in 0..1000 {
        let (plan, country) = [("free", "SE"), ("pro", "NL"), ("pro", "FI")][n % 3];
        let given = json!({"plan": plan, "country": country, "orders": n, "beta": n % 2 == 0});
        let name = format!("rust-local-{n}");
        let here = local.get_identity_flags(&name, traits(given.clone()), None).unwrap();
        let there = remote.get_identity_flags(&name, traits(given), Some(true)).unwrap();
        assert_eq!(flags_of(&here), flags_of(&there), "identity {n}");
    }
    assert_eq!(stored("rust-local-1"), Value::Null);
}

fn analytics_once(api: &mut Instance) {
    let before = counted();
    let settings = FlagsmithOptions { enable_analytics: true, ..Default::default() };
    let counting = client(api, &variable("CLIENT_KEY"), settings);
    let flags = counting.get_environment_flags().unwrap();
    for _ in 0..7 {
        flags.is_feature_enabled("photo_search").unwrap();
    }
    await_counts(before); // it sends every ten seconds
}

fn wrong_key(api: &mut Instance) {
    assert!(client(api, "no-such-key", FlagsmithOptions::default()).get_environment_flags().is_err());
}

fn server_returns(api: &mut Instance) {
    let sdk = usual(api);
    sdk.get_environment_flags().unwrap();
    api.stop();
    assert!(sdk.get_environment_flags().is_err());
    api.start();
    assert_eq!(price(&sdk.get_environment_flags().unwrap()), Some(40));
}

pub fn checks() -> Checks {
    vec![
        ("environment_flags", Check::Work(environment_flags)),
        ("identity_traits", Check::Work(identity_traits)),
        ("transient_identity", Check::Work(transient_identity)),
        ("transient_trait", Check::Work(transient_trait)),
        ("trait_removed", Check::Work(trait_removed)),
        ("anonymous", Check::Work(anonymous)),
        ("local_evaluation", Check::Work(local_evaluation)),
        ("analytics_once", Check::Work(analytics_once)),
        ("wrong_key", Check::Work(wrong_key)),
        ("server_returns", Check::Work(server_returns)),
        ("realtime", Check::None("the SDK polls")),
    ]
}
