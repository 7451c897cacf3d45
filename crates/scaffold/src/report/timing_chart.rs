//! How long equal steps took, as an SVG: one bar a step, and a line at the median.

use std::fmt::Write as _;

use super::escape::escape;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 18.0;
const BOTTOM: f64 = 30.0;
/// More bars than this could not be told apart; then each stands for the longest of several steps.
const MOST_BARS: usize = 160;

pub(super) fn write(out: &mut String, title: &str, milliseconds: &[f64]) {
    let title = escape(title);
    let _ = write!(out, "<figure class=\"timing\"><figcaption>{title}</figcaption>");
    let Some(median) = median(milliseconds) else {
        out.push_str("<p>no steps</p></figure>");
        return;
    };
    let longest = milliseconds.iter().copied().fold(0.0, f64::max);
    let shortest = milliseconds.iter().copied().fold(f64::INFINITY, f64::min);
    let summary = format!(
        "{} steps: median {median:.1} ms, shortest {shortest:.1} ms, longest {longest:.1} ms",
        milliseconds.len()
    );
    let _ = write!(
        out,
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\" aria-label=\"{title}. {summary}\">"
    );
    let step = grid_step(longest);
    let top = (longest / step).ceil().max(1.0) * step;
    let plot = Plot { top };
    grid(out, &plot, step);
    bars(out, &plot, milliseconds);
    let y = plot.y(median);
    let foot = HEIGHT - 8.0;
    let _ = write!(
        out,
        "<line class=\"median\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
         <text class=\"axis\" x=\"{LEFT}\" y=\"{foot}\">1</text>\
         <text class=\"axis\" x=\"{}\" y=\"{foot}\" text-anchor=\"middle\">token</text>\
         <text class=\"axis\" x=\"{}\" y=\"{foot}\" text-anchor=\"end\">{}</text>\
         <text class=\"axis\" x=\"{}\" y=\"{}\" text-anchor=\"end\">ms</text></svg>\
         <p class=\"note\">{summary}; the line is the median</p></figure>",
        WIDTH - RIGHT,
        f64::midpoint(LEFT, WIDTH - RIGHT),
        WIDTH - RIGHT,
        milliseconds.len(),
        LEFT - 8.0,
        TOP - 8.0
    );
}

struct Plot {
    /// The value at the upper edge.
    top: f64,
}

impl Plot {
    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - value / self.top * (HEIGHT - TOP - BOTTOM)
    }
}

fn grid(out: &mut String, plot: &Plot, step: f64) {
    let lines = (plot.top / step).round() as usize;
    let digits = usize::from(step < 1.0);
    for line in 0..=lines {
        let value = line as f64 * step;
        let y = plot.y(value);
        let _ = write!(
            out,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"axis\" x=\"{}\" y=\"{y:.1}\" text-anchor=\"end\" dominant-baseline=\"central\">{value:.digits$}</text>",
            WIDTH - RIGHT,
            LEFT - 8.0
        );
    }
}

fn bars(out: &mut String, plot: &Plot, milliseconds: &[f64]) {
    let each = milliseconds.len().div_ceil(MOST_BARS).max(1);
    let count = milliseconds.len().div_ceil(each);
    let pitch = (WIDTH - LEFT - RIGHT) / count as f64;
    let width = (pitch * 0.8).clamp(1.0, 18.0);
    for (index, group) in milliseconds.chunks(each).enumerate() {
        let value = group.iter().copied().fold(0.0, f64::max);
        let x = LEFT + pitch * index as f64 + (pitch - width) / 2.0;
        let y = plot.y(value);
        let (first, last) = (index * each + 1, index * each + group.len());
        let name = if first == last { first.to_string() } else { format!("{first} to {last}") };
        let _ = write!(
            out,
            "<rect class=\"bar\" x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{:.2}\" rx=\"1.5\"><title>{name}: {value:.2} ms</title></rect>",
            (HEIGHT - BOTTOM - y).max(0.5)
        );
    }
}

/// 1, 2 or 5 times a power of ten, so that three to five lines fit under the longest.
fn grid_step(longest: f64) -> f64 {
    let rough = (longest / 4.0).max(1e-3);
    let power = 10f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough)
        .unwrap_or(10.0 * power)
}

pub(super) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}
