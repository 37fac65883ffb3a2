//! What scripts are, by their type.

/// What a script is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScriptKind {
    /// To be run, now or after consent.
    Code,
    /// What the page states for machines.
    JsonLd,
    /// Other data.
    Data,
}

impl ScriptKind {
    pub(super) fn of(media_type: &str) -> Self {
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        match essence.to_ascii_lowercase().as_str() {
            "application/ld+json" => Self::JsonLd,
            "application/json" | "importmap" | "speculationrules" => Self::Data,
            _ => Self::Code,
        }
    }
}
