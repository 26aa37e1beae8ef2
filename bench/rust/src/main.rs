//! Evaluates all identities with the crate flagsmith-flag-engine, alone in memory.
//!
//! flagsmith-bench ENVIRONMENT.json IDENTITIES.jsonl: says "ready" with a checksum over the
//! first 1000 identities, then answers each line of its input with the seconds that all took.

use flagsmith_flag_engine::engine::get_evaluation_result;
use flagsmith_flag_engine::engine_eval::context::{EngineEvaluationContext, IdentityContext};
use flagsmith_flag_engine::engine_eval::{environment_to_context, EvaluationResult};
use flagsmith_flag_engine::environments::Environment;
use std::hint::black_box;
use std::io::BufRead;
use std::time::Instant;

/// Puts the identity into the context for one evaluation; nothing is copied.
fn evaluate(context: &mut EngineEvaluationContext, identity: &mut Option<IdentityContext>) -> EvaluationResult {
    std::mem::swap(&mut context.identity, identity);
    let result = get_evaluation_result(context);
    std::mem::swap(&mut context.identity, identity);
    result
}

fn checksum(context: &mut EngineEvaluationContext, identities: &mut [Option<IdentityContext>]) -> (usize, usize) {
    let (mut enabled, mut length) = (0, 0);
    for identity in identities.iter_mut().take(1000) {
        for flag in evaluate(context, identity).flags.values() {
            enabled += flag.enabled as usize;
            length += flag.value.value.chars().count();
        }
    }
    (enabled, length)
}

fn timed(context: &mut EngineEvaluationContext, identities: &mut [Option<IdentityContext>]) -> f64 {
    let start = Instant::now();
    for identity in identities.iter_mut() {
        black_box(evaluate(context, identity));
    }
    start.elapsed().as_secs_f64()
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let read = |file: &str| std::fs::read_to_string(file).expect("a file that can be read");
    let environment: Environment = serde_json::from_str(&read(&args[1])).expect("an environment document");
    let mut context = environment_to_context(environment);
    let mut identities: Vec<Option<IdentityContext>> = read(&args[2])
        .lines()
        .map(|line| {
            let mut identity: IdentityContext = serde_json::from_str(line).expect("an identity");
            identity.key = format!("{}_{}", context.environment.key, identity.identifier);
            Some(identity)
        })
        .collect();

    let (enabled, length) = checksum(&mut context, &mut identities);
    println!("ready {enabled} {length}");
    for _ in std::io::stdin().lock().lines() {
        println!("{}", timed(&mut context, &mut identities));
    }
}
