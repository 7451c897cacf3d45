//! Templates that nobody would write end in a text or an error. `examples/mangled.rs` tries any
//! number of them, and tells which took longest.

#[path = "support/mangle.rs"]
mod mangle;

#[test]
fn any_template_ends_in_a_text_or_an_error() {
    let corpus = mangle::Corpus::load();
    let mut random = mangle::Random(7);
    for _ in 0..2000 {
        corpus.render(&corpus.mangled(&mut random));
    }
}
