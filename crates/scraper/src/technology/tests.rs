use std::collections::{HashMap, HashSet};

use super::*;

fn entries() -> Vec<Entry> {
    serde_json::from_str(RULES).expect("the format")
}

/// What the rules tell of one input, with versions.
fn detect(kind: Kind, input: &str) -> HashMap<String, Option<String>> {
    let mut detector = Detector::new(rules());
    match kind {
        Kind::Script => detector.see_script(input),
        _ => detector.see(kind, input),
    }
    detector
        .finish()
        .into_iter()
        .map(|fact| (fact.name, fact.version))
        .collect()
}

/// A technology and all that it implies.
fn with_implied(name: &str) -> HashSet<String> {
    let mut names = HashSet::from([name.to_owned()]);
    let mut waiting = vec![rules().by_name[name]];
    while let Some(index) = waiting.pop() {
        for implied in &rules().technologies[index].implies {
            if names.insert(rules().technologies[*implied].name.clone()) {
                waiting.push(*implied);
            }
        }
    }
    names
}

#[test]
fn the_rule_file_is_well_formed() {
    Rules::parse(RULES).expect("rules");
    let entries = entries();
    assert!(entries.len() >= 150, "{} technologies", entries.len());
    let names: HashSet<String> = entries
        .iter()
        .map(|entry| entry.name.to_lowercase())
        .collect();
    assert_eq!(names.len(), entries.len(), "each name once");
    let order: Vec<String> = entries.iter().map(|e| e.name.to_lowercase()).collect();
    assert!(order.is_sorted(), "sorted by name");
    for entry in &entries {
        assert!(!entry.examples.is_empty(), "{} has examples", entry.name);
        assert!(!entry.patterns.is_empty(), "{} has patterns", entry.name);
        let mut known = HashSet::new();
        for (kind, signs) in &entry.patterns {
            for sign in signs {
                let (Sign::Sure(text) | Sign::Weighted { pattern: text, .. }) = sign;
                assert!(known.insert((kind, text)), "{}: {text} twice", entry.name);
                if let Sign::Weighted { confidence, .. } = sign {
                    assert!((1..100).contains(confidence), "{}: {text}", entry.name);
                }
            }
        }
    }
}

#[test]
fn every_example_shows_its_technology_and_no_other() {
    let mut wrong = Vec::new();
    for entry in entries() {
        for example in entry.examples {
            let mut found = detect(example.kind, &example.input);
            if found.get(&entry.name) != Some(&example.version) {
                wrong.push(format!("{}: {example:?} gives {found:?}", entry.name));
            }
            found.retain(|name, _| !with_implied(&entry.name).contains(name));
            if !found.is_empty() {
                wrong.push(format!("{}: {example:?} also gives {found:?}", entry.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_others_run_on_is_not_the_sites() {
    let detect = |url: &str| {
        let mut detector = Detector::new(rules());
        detector.see_foreign_url(url);
        let facts = detector.finish().into_iter();
        facts.map(|fact| fact.name).collect::<Vec<_>>()
    };
    for url in [
        "https://other.de/wp-content/uploads/x.png",
        "https://other.de/wp-content/plugins/borlabs-cookie/x.js",
        "https://other.de/cdn/shop/files/x.png",
        "https://d111.cloudfront.net/widget.js",
        "https://x.azureedge.net/widget.js",
    ] {
        assert_eq!(detect(url), [""; 0], "{url}");
    }
    assert_eq!(detect("https://static.shop.test/swiper.min.js"), ["Swiper"]);
    assert_eq!(detect("https://js.stripe.com/v3/"), ["Stripe"]);
}

#[test]
fn every_category_is_used() {
    let used: HashSet<Category> = entries().iter().map(|entry| entry.category).collect();
    assert_eq!(used.len(), 16);
}

#[test]
fn doubt_is_kept_and_weak_signs_add_up() {
    let rules: &'static Rules = Box::leak(Box::new(
        Rules::parse(
            r#"[{"name": "A", "category": "cms", "implies": ["B"], "examples": [],
                 "patterns": {"class": [{"pattern": "weak-1", "confidence": 40},
                                        {"pattern": "weak-2", "confidence": 40}]}},
                {"name": "B", "category": "language", "examples": [], "patterns": {}}]"#,
        )
        .expect("rules"),
    ));
    let found = |classes: &[&str]| {
        let mut detector = Detector::new(rules);
        for class in classes {
            detector.see(Kind::Class, class);
        }
        let facts = detector.finish();
        facts
            .into_iter()
            .map(|fact| (fact.name, fact.confidence))
            .collect::<Vec<_>>()
    };
    assert!(found(&["weak-1", "weak-1"]).is_empty());
    let both = [("A".to_owned(), 64), ("B".to_owned(), 64)];
    assert_eq!(found(&["weak-1 weak-2"]), both);
}

#[test]
fn broken_rules_are_refused() {
    let parse = |patterns: &str, implies: &str| {
        Rules::parse(&format!(
            r#"[{{"name": "A", "category": "cms", "implies": [{implies}], "examples": [],
                 "patterns": {patterns}}}]"#
        ))
    };
    assert!(parse("{}", "").is_ok());
    assert!(matches!(
        parse("{}", "\"B\""),
        Err(RuleError::Implied { .. })
    ));
    assert!(matches!(
        parse(r#"{"url": ["ab"]}"#, ""),
        Err(RuleError::Pattern { .. })
    ));
    assert!(matches!(
        parse(r#"{"path": ["abcd"]}"#, ""),
        Err(RuleError::Format(_))
    ));
}

#[test]
fn scripts_are_searched_across_windows_and_cuts() {
    let text = format!(
        "{}j.src='https://www.googletagmanager.com/gtm.js?id='{}",
        "x".repeat(16 * 1024 - 30),
        "ü".repeat(20_000)
    );
    let whole = detect(Kind::Script, &text);
    assert!(whole.contains_key("Google Tag Manager"));
    for cut in [1, 16 * 1024 - 10, 16 * 1024] {
        let mut detector = Detector::new(rules());
        detector.see_script(&text[..cut]);
        detector.see_script(&text[cut..]);
        assert_eq!(detector.finish().len(), whole.len());
    }
}
