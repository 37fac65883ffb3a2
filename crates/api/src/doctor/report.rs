//! Findings, and how they are written down: as text for people, as JSON for programs.

use serde::Serialize;
use serde_json::{Map, Value};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// As it should be.
    Ok,
    /// It works, and somebody should look at it.
    Warn,
    /// It does not work.
    Fail,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Finding {
    /// What was looked at; the same in every version.
    pub(crate) name: &'static str,
    pub(crate) state: State,
    /// What was found, as a sentence without a full stop.
    pub(crate) found: String,
    /// What to do; `None` where there is nothing to do.
    pub(crate) advice: Option<String>,
    /// The figures behind the sentence.
    pub(crate) facts: Map<String, Value>,
}

impl Finding {
    /// Everything is in order.
    pub(crate) fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self {
            name,
            state: State::Ok,
            found: found.into(),
            advice: None,
            facts: Map::new(),
        }
    }

    /// It works, and somebody should look at it.
    pub(crate) fn warn(
        name: &'static str,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            state: State::Warn,
            advice: Some(advice.into()),
            ..Self::ok(name, found)
        }
    }

    /// It does not work.
    pub(crate) fn fail(
        name: &'static str,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            state: State::Fail,
            ..Self::warn(name, found, advice)
        }
    }

    /// With a figure.
    #[must_use]
    pub(crate) fn with(mut self, fact: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(fact.to_owned(), value.into());
        self
    }
}

/// Everything that was looked at, in that order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Report {
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Document<'a> {
    trawl: &'static str,
    state: State,
    findings: &'a [Finding],
}

impl Report {
    pub(crate) fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// The worst of all states.
    pub(crate) fn state(&self) -> State {
        let states = self.findings.iter().map(|finding| finding.state);
        states.max().unwrap_or(State::Ok)
    }

    /// One line a finding, and one more for what to do about it.
    pub(crate) fn as_text(&self) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            let Finding {
                name,
                state,
                found,
                advice,
                facts: _,
            } = finding;
            text.push_str(&format!("{:<5} {name:<17} {found}\n", state.as_str()));
            if let Some(advice) = advice {
                text.push_str(&format!("{:<23} -> {advice}\n", ""));
            }
        }
        let count = |state| {
            let findings = self.findings.iter();
            findings.filter(|finding| finding.state == state).count()
        };
        text.push_str(&match (count(State::Fail), count(State::Warn)) {
            (0, 0) => "\nEverything is in order.\n".to_owned(),
            (failed, warned) => format!("\n{failed} failed, {warned} to look at.\n"),
        });
        text
    }

    /// The same as one document. Members are added, never renamed.
    pub(crate) fn as_json(&self) -> serde_json::Result<String> {
        let document = Document {
            trawl: env!("CARGO_PKG_VERSION"),
            state: self.state(),
            findings: &self.findings,
        };
        Ok(format!("{}\n", serde_json::to_string_pretty(&document)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_says_what_to_do_and_the_worst_state_counts() {
        let mut report = Report::default();
        report.add(Finding::ok("server", "PostgreSQL 15"));
        assert_eq!(report.state(), State::Ok);
        report.add(Finding::fail("clock", "it is late", "set it"));
        report.add(Finding::warn("queue", "it is long", "start a worker"));
        assert_eq!(report.state(), State::Fail);
        assert_eq!(
            report.as_text(),
            "ok    server            PostgreSQL 15\n\
             fail  clock             it is late\n\
             \x20                       -> set it\n\
             warn  queue             it is long\n\
             \x20                       -> start a worker\n\
             \n1 failed, 1 to look at.\n"
        );
    }

    #[test]
    fn the_document_has_every_member_in_every_finding() {
        let mut report = Report::default();
        report.add(Finding::ok("server", "PostgreSQL 15").with("version", "15"));
        let document: Value = serde_json::from_str(&report.as_json().unwrap()).unwrap();
        assert_eq!(
            document,
            serde_json::json!({
                "trawl": env!("CARGO_PKG_VERSION"), "state": "ok",
                "findings": [{"name": "server", "state": "ok", "found": "PostgreSQL 15",
                              "advice": null, "facts": {"version": "15"}}],
            })
        );
    }
}
