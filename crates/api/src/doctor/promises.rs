//! The promises of the service, in words: for `trawl audit` and as one finding of the doctor.

use serde::Serialize;
use serde_json::{Map, Value};
use trawl_persistence::audit::AuditLine;

use super::report::Finding;

/// What to do about a broken promise.
const ADVICE: &str = "this is a defect of Trawl or a change made by hand: keep a dump of the \
                      database, then report it with the output of `trawl audit`; a running job \
                      without a live lease is taken back by any worker that runs";

#[derive(Serialize)]
struct Document<'a> {
    kept: bool,
    promises: Vec<Promise<'a>>,
}

#[derive(Serialize)]
struct Promise<'a> {
    promise: &'a str,
    broken: i64,
}

/// Whether no row breaks any promise.
pub(crate) fn are_kept(lines: &[AuditLine]) -> bool {
    lines.iter().all(|line| line.broken == 0)
}

/// One line a promise.
pub(crate) fn as_text(lines: &[AuditLine]) -> String {
    let mut text = String::new();
    for AuditLine { promise, broken } in lines {
        text.push_str(&match broken {
            0 => format!("kept    {promise}\n"),
            _ => format!("BROKEN  {promise}: {}\n", rows(*broken)),
        });
    }
    if !are_kept(lines) {
        text.push_str(&format!("\n{ADVICE}\n"));
    }
    text
}

/// The same as one document.
pub(crate) fn as_json(lines: &[AuditLine]) -> serde_json::Result<String> {
    let promises = lines.iter().map(|line| Promise {
        promise: &line.promise,
        broken: line.broken,
    });
    let document = Document {
        kept: are_kept(lines),
        promises: promises.collect(),
    };
    Ok(format!("{}\n", serde_json::to_string_pretty(&document)?))
}

/// The same as one finding.
pub(crate) fn finding(lines: &[AuditLine]) -> Finding {
    let name = "audit";
    let broken: Vec<_> = lines
        .iter()
        .filter(|line| line.broken != 0)
        .map(|line| format!("\"{}\" ({})", line.promise, rows(line.broken)))
        .collect();
    let finding = if broken.is_empty() {
        Finding::ok(name, format!("all {} promises are kept", lines.len()))
    } else {
        Finding::fail(name, format!("broken: {}", broken.join(", ")), ADVICE)
    };
    let facts: Map<String, Value> = lines
        .iter()
        .map(|line| (line.promise.clone(), line.broken.into()))
        .collect();
    finding.with("broken_rows", facts)
}

fn rows(count: i64) -> String {
    match count {
        1 => "1 row".to_owned(),
        count => format!("{count} rows"),
    }
}
