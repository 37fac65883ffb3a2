//! The picture: one small chart a figure, as SVG. Written by hand, since lines and words are all
//! that it needs.

use super::samples::Sample;
use super::trend::{FIGURES, Figure, Trend};
use std::fmt::Write as _;
use std::time::Duration;

const COLUMNS: usize = 3;
const CELL_WIDTH: f64 = 320.0;
const CELL_HEIGHT: f64 = 180.0;
/// Around the lines of a chart, for its words.
const LEFT: f64 = 52.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 24.0;

/// Draws every figure, with the warm-up shaded.
pub(super) fn svg(samples: &[Sample], trends: &[Trend], warm_up: Duration) -> String {
    let columns = size(COLUMNS);
    let rows = size(FIGURES.len().div_ceil(COLUMNS));
    let (width, height) = (columns * CELL_WIDTH, rows * CELL_HEIGHT);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n"
    );
    for (index, figure) in FIGURES.iter().enumerate() {
        let x = size(index % COLUMNS) * CELL_WIDTH;
        let y = size(index / COLUMNS) * CELL_HEIGHT;
        let verdict = trends.get(index).map(Trend::verdict).unwrap_or_default();
        let chart = chart(samples, figure, &verdict, warm_up);
        let _infallible = writeln!(svg, "<g transform=\"translate({x} {y})\">\n{chart}</g>");
    }
    svg.push_str("</svg>\n");
    svg
}

fn chart(samples: &[Sample], figure: &Figure, verdict: &str, warm_up: Duration) -> String {
    let (width, height) = (CELL_WIDTH - LEFT - RIGHT, CELL_HEIGHT - TOP - BOTTOM);
    let length = samples.last().map_or(1.0, |sample| sample.at.as_secs_f64());
    let most = samples.iter().map(figure.of).fold(0.0, f64::max);
    let top = ceiling(most);
    let right = |at: Duration| LEFT + width * (at.as_secs_f64() / length.max(1.0)).min(1.0);
    let down = |value: f64| TOP + height * (1.0 - value / top);
    let points: Vec<_> = samples
        .iter()
        .map(|sample| format!("{:.1},{:.1}", right(sample.at), down((figure.of)(sample))))
        .collect();
    let shade = right(warm_up) - LEFT;
    let (bottom, end, minutes) = (TOP + height, LEFT + width, length / 60.0);
    format!(
        "<text x=\"{LEFT}\" y=\"16\" font-weight=\"bold\">{name}</text>\n\
         <text x=\"{LEFT}\" y=\"31\" fill=\"#555\">{verdict}</text>\n\
         <rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{shade:.1}\" height=\"{height}\" fill=\"#eee\"/>\n\
         <path d=\"M{LEFT} {TOP}V{bottom}H{end}\" fill=\"none\" stroke=\"#999\"/>\n\
         <text x=\"{label}\" y=\"{top_label}\" text-anchor=\"end\">{top}</text>\n\
         <text x=\"{label}\" y=\"{bottom}\" text-anchor=\"end\">0</text>\n\
         <text x=\"{LEFT}\" y=\"{words}\">0</text>\n\
         <text x=\"{end}\" y=\"{words}\" text-anchor=\"end\">{minutes:.0} min</text>\n\
         <polyline points=\"{points}\" fill=\"none\" stroke=\"#1663a6\" stroke-width=\"1.2\"/>\n",
        name = figure.name,
        label = LEFT - 5.0,
        top_label = TOP + 9.0,
        words = bottom + 15.0,
        points = points.join(" "),
    )
}

/// The least of 1, 2, 5, 10, 20 … that is not below `value`.
fn ceiling(value: f64) -> f64 {
    let mut decade = 1.0;
    while decade * 10.0 < value {
        decade *= 10.0;
    }
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * decade);
    steps
        .into_iter()
        .find(|step| *step >= value)
        .unwrap_or(value)
}

/// Exact, since there are a handful of charts.
fn size(count: usize) -> f64 {
    u32::try_from(count).unwrap_or(u32::MAX).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number() {
        for (value, expected) in [
            (0.0, 1.0),
            (1.0, 1.0),
            (1.5, 2.0),
            (20.1, 50.0),
            (700.0, 1_000.0),
            (1_001.0, 2_000.0),
        ] {
            assert!((ceiling(value) - expected).abs() < f64::EPSILON, "{value}");
        }
    }
}
