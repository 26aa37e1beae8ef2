//! Drives the official Rust SDK and the providers of OpenFeature; test/sdk/README.md says how
//! the checks are told.

mod openfeature;
mod sdk;
mod stack;

use serde_json::json;
use stack::Instance;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// A check that panics where it fails, or why the SDK has no such check.
pub enum Check {
    Work(fn(&mut Instance)),
    None(&'static str),
}

pub type Checks = Vec<(&'static str, Check)>;

/// The version of a package in the lock file.
fn version_of(package: &str) -> &'static str {
    let lock = include_str!("../Cargo.lock");
    let name = format!("name = \"{package}\"\nversion = \"");
    let rest = &lock[lock.find(&name).expect("it is in the lock file") + name.len()..];
    &rest[..rest.find('"').unwrap()]
}

fn run(work: fn(&mut Instance), api: &mut Instance) -> (&'static str, String) {
    let end = catch_unwind(AssertUnwindSafe(|| {
        api.start();
        work(api)
    }));
    let Err(panic) = end else {
        return ("ok", String::new());
    };
    let said = panic.downcast_ref::<String>().cloned();
    let said = said.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
    ("failed", said.unwrap_or_default().chars().take(300).collect())
}

fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    let mut api = Instance::new();
    for (name, package, checks) in [
        ("Rust flagsmith", "flagsmith", sdk::checks()),
        ("OFREP provider (Rust)", "open-feature-ofrep", openfeature::ofrep()),
        ("OpenFeature flagsmith provider (Rust)", "open-feature-flagsmith", openfeature::flagsmith()),
    ] {
        for (check, work) in checks {
            let (result, note) = match work {
                Check::Work(work) => run(work, &mut api),
                Check::None(reason) => ("none", reason.to_string()),
            };
            println!(
                "{}",
                json!({"sdk": name, "version": version_of(package), "check": check, "result": result, "note": note})
            );
        }
    }
    api.stop();
    std::process::exit(0); // the SDK's threads go on
}
