//! A similarity matrix as an SVG: one cell for each pair, its number in it.

use std::fmt::Write as _;

use super::escape::escape;

const CELL: usize = 84;
const GAP: usize = 2;
const LEFT: usize = 34;
const TOP: usize = 26;

/// Writes the matrix of `values` over `labels`. The colour says where a value lies between -1 and 1
/// (below 0: none); the number says it exactly. The labels themselves are listed beside the
/// picture, by number.
pub(super) fn write(out: &mut String, title: &str, labels: &[String], values: &[Vec<f32>]) {
    let side = labels.len() * (CELL + GAP);
    let (width, height) = (LEFT + side, TOP + side);
    let title = escape(title);
    let _ = write!(
        out,
        "<figure class=\"heat\"><figcaption>{title}</figcaption><div class=\"pair\">\
         <svg viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{title}\">"
    );
    for index in 0..labels.len() {
        let middle = index * (CELL + GAP) + CELL / 2;
        let number = index + 1;
        let _ = write!(
            out,
            "<text class=\"axis\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{number}</text>\
             <text class=\"axis\" x=\"{}\" y=\"{}\" text-anchor=\"end\" dominant-baseline=\"central\">{number}</text>",
            LEFT + middle,
            TOP - 10,
            LEFT - 10,
            TOP + middle
        );
    }
    for (y, row) in values.iter().enumerate() {
        for (x, &value) in row.iter().enumerate() {
            cell(out, x, y, value);
        }
    }
    out.push_str("</svg><ol class=\"labels\">");
    for label in labels {
        let _ = write!(out, "<li>{}</li>", escape(label));
    }
    out.push_str("</ol></div></figure>");
}

fn cell(out: &mut String, x: usize, y: usize, value: f32) {
    let (left, top) = (LEFT + x * (CELL + GAP), TOP + y * (CELL + GAP));
    let share = value.clamp(0.0, 1.0);
    // Above the middle the cell is dark in the light theme and light in the dark one: the number
    // takes the other colour.
    let ink = if share > 0.55 { "on" } else { "off" };
    let _ = write!(
        out,
        "<g><title>{} and {}: {value:.4}</title>\
         <rect class=\"cell\" x=\"{left}\" y=\"{top}\" width=\"{CELL}\" height=\"{CELL}\" rx=\"6\" fill-opacity=\"{:.3}\"/>\
         <text class=\"value {ink}\" x=\"{}\" y=\"{}\" text-anchor=\"middle\" dominant-baseline=\"central\">{value:.4}</text></g>",
        y + 1,
        x + 1,
        0.06 + 0.94 * share,
        left + CELL / 2,
        top + CELL / 2
    );
}
