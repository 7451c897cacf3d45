//! Dates as Python writes them. The golden is from `make_goldens/strftime.py`.

use scaffold_jinja::DateTime;

#[test]
fn dates_are_those_of_python() {
    let golden: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("data/strftime.json")).unwrap();
    let format = golden[0].as_str().unwrap();
    assert!(golden.len() > 80);
    for pair in &golden[1..] {
        let seconds = pair[0].as_i64().unwrap();
        let text = DateTime::from_unix(seconds).strftime(format);
        assert_eq!(text, pair[1].as_str().unwrap(), "{seconds}");
    }
}
