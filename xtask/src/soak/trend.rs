//! Whether a figure grows: the slope of a straight line through it, after the warm-up.

use super::samples::Sample;
use std::fmt;
use std::time::Duration;

/// How much a figure may climb over the observed time and still count as flat: a share of its mean
/// (chosen: tables are saws, and a few samples more at a peak tilt the line).
const SHARE_MAX: f64 = 0.10;

/// A slope counts when it is this many times its standard error (the usual two; chosen).
const ERRORS_MIN: f64 = 2.0;

/// Below this many samples a slope says nothing.
const SAMPLES_MIN: usize = 30;

/// One figure of a sample.
pub(super) struct Figure {
    pub(super) name: &'static str,
    pub(super) of: fn(&Sample) -> f64,
    /// A climb that nobody need mind, in the figure's own unit: one connection, one buffer.
    grain: f64,
}

/// Every figure that ought to be bounded.
pub(super) const FIGURES: [Figure; 9] = [
    figure("RSS, MiB", |sample| sample.rss_mib, 2.0),
    figure("open files", |sample| sample.files, 4.0),
    figure("threads", |sample| sample.threads, 1.0),
    figure("pooler clients", |sample| sample.clients, 1.0),
    figure("server connections", |sample| sample.backends, 1.0),
    figure("tables, MiB", Sample::table_mib, 1.0),
    figure("indexes, MiB", Sample::index_mib, 1.0),
    figure("live rows", Sample::live_rows, 500.0),
    figure("dead rows", Sample::dead_rows, 500.0),
];

const fn figure(name: &'static str, of: fn(&Sample) -> f64, grain: f64) -> Figure {
    Figure { name, of, grain }
}

/// How a figure went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Trend {
    name: &'static str,
    mean: f64,
    max: f64,
    per_hour: f64,
    /// The standard error of that: large for a saw, whose line tilts with its phase.
    error_per_hour: f64,
    /// By how much the line climbs over the observed time.
    climb: f64,
    grain: f64,
    is_short: bool,
}

impl Trend {
    /// Of every figure, after the warm-up.
    pub(super) fn of_all(samples: &[Sample], warm_up: Duration) -> Vec<Self> {
        let settled: Vec<_> = samples.iter().filter(|s| s.at >= warm_up).collect();
        let trend = |figure: &Figure| {
            let points: Vec<_> = settled
                .iter()
                .map(|sample| (sample.at.as_secs_f64() / 3600.0, (figure.of)(sample)))
                .collect();
            Self::of(figure.name, &points, figure.grain)
        };
        FIGURES.iter().map(trend).collect()
    }

    /// Of points of hours and values: least squares.
    fn of(name: &'static str, points: &[(f64, f64)], grain: f64) -> Self {
        let count = points.iter().fold(0.0, |count, _| count + 1.0_f64).max(1.0);
        let mean_of = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
        let (hour, mean) = (mean_of(|point| point.0), mean_of(|point| point.1));
        let products = points.iter().map(|(x, y)| (x - hour) * (y - mean));
        let squares = points.iter().map(|(x, _)| (x - hour).powi(2)).sum::<f64>();
        let per_hour = if squares > 0.0 {
            products.sum::<f64>() / squares
        } else {
            0.0
        };
        let residual = |(x, y): &(f64, f64)| (y - mean - per_hour * (x - hour)).powi(2);
        let scatter = points.iter().map(residual).sum::<f64>() / (count - 2.0).max(1.0);
        let error_per_hour = if squares > 0.0 {
            (scatter / squares).sqrt()
        } else {
            0.0
        };
        let hours = match points {
            [(first, _), .., (last, _)] => last - first,
            _ => 0.0,
        };
        Self {
            name,
            mean,
            max: points.iter().map(|point| point.1).fold(0.0, f64::max),
            per_hour,
            error_per_hour,
            climb: per_hour * hours,
            grain,
            is_short: points.len() < SAMPLES_MIN,
        }
    }

    /// Whether it stays where it is; a run too short to say counts as that.
    pub(super) fn is_flat(&self) -> bool {
        self.is_short
            || self.climb <= self.grain.max(self.mean * SHARE_MAX)
            || self.per_hour <= ERRORS_MIN * self.error_per_hour
    }

    /// The verdict in a few words.
    pub(super) fn verdict(&self) -> String {
        let slope = format!("{:+.2} an hour", self.per_hour);
        match (self.is_short, self.is_flat()) {
            (true, _) => format!("too short to judge ({slope})"),
            (false, true) => format!("flat ({slope})"),
            (false, false) => format!("GROWS ({slope})"),
        }
    }
}

impl fmt::Display for Trend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<18}  mean {:10.2}  max {:10.2}  {}",
            self.name,
            self.mean,
            self.max,
            self.verdict()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trend(value: impl Fn(u32) -> f64) -> Trend {
        let points: Vec<_> = (0..120)
            .map(|minute| (f64::from(minute) / 60.0, value(minute)))
            .collect();
        Trend::of("a figure", &points, 1.0)
    }

    #[test]
    fn a_leak_grows_and_a_saw_is_flat() {
        let leak = trend(|minute| 100.0 + f64::from(minute));
        assert!((leak.per_hour - 60.0).abs() < 1e-6, "{leak}");
        assert!(!leak.is_flat(), "{leak}");
        let saw = trend(|minute| 100.0 + f64::from(minute % 10));
        assert!(saw.is_flat(), "{saw}");
        let high_saw = trend(|minute| f64::from(minute % 50));
        assert!(high_saw.is_flat(), "{high_saw}");
        let falling = trend(|minute| 200.0 - f64::from(minute));
        assert!(falling.is_flat(), "{falling}");
        assert_eq!(leak.verdict(), "GROWS (+60.00 an hour)");
    }

    #[test]
    fn a_short_run_is_not_judged() {
        let trend = Trend::of("a figure", &[(0.0, 1.0), (0.1, 9.0)], 1.0);
        assert!(trend.is_flat());
        assert!(trend.verdict().starts_with("too short"), "{trend}");
    }
}
