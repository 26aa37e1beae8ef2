//! An API instance of the driver's own, which can go away and come back at the same port, and
//! the database asked with psql.

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

pub fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

pub struct Instance {
    port: String,
    process: Option<Child>,
}

impl Instance {
    pub fn new() -> Self {
        Instance { port: "0".to_string(), process: None }
    }

    /// Starts the instance unless it is there.
    pub fn start(&mut self) {
        if self.process.is_some() {
            return;
        }
        let mut child = Command::new(variable("API_PROGRAM"))
            .args(["--port", &self.port, "--database", &variable("API_DATABASE")])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the API instance starts");
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        for line in lines.by_ref() {
            let told: Value = serde_json::from_str(&line.unwrap()).unwrap_or_default();
            if told["event"] == "listening" {
                self.port = told["port"].to_string();
                break;
            }
        }
        std::thread::spawn(move || lines.count()); // or its log fills the pipe
        self.process = Some(child);
    }

    pub fn stop(&mut self) {
        if let Some(mut child) = self.process.take() {
            let _ = Command::new("kill").arg(child.id().to_string()).status();
            let _ = child.wait();
        }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

pub fn sql(query: &str) -> String {
    let output = Command::new("psql")
        .args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", query])
        .output()
        .expect("psql runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_string()
}

pub fn stored(identifier: &str) -> Value {
    let query = format!(
        "SELECT coalesce((SELECT traits FROM flagsmith.identity WHERE identifier = '{identifier}'), 'null')"
    );
    serde_json::from_str(&sql(&query)).unwrap()
}

pub fn identities() -> String {
    sql("SELECT count(*) FROM flagsmith.identity")
}

pub fn counted() -> i64 {
    sql("SELECT coalesce(sum(count), 0) FROM flagsmith.feature_evaluation e \
         JOIN flagsmith.feature f ON f.id = e.feature_id WHERE name = 'photo_search'")
    .parse()
    .unwrap()
}

/// Waits for seven more counts than before, and that there are no more.
pub fn await_counts(before: i64) {
    let end = Instant::now() + Duration::from_secs(25);
    while counted() < before + 7 && Instant::now() < end {
        sleep(Duration::from_millis(200));
    }
    sleep(Duration::from_secs(1));
    assert_eq!(counted() - before, 7);
}
