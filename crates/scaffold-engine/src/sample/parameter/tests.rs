use super::*;

#[test]
fn the_words_say_the_range_and_the_neutral_value() {
    for row in &ALL {
        let range = match row.range {
            Range::Real { least, most, .. } if (least, most) == (f32::MIN, f32::MAX) => {
                "a number".to_owned()
            }
            Range::Real { least, included: true, most } if most == f32::MAX => {
                format!("a number, {least} or more")
            }
            Range::Real { least, included: true, most } => {
                format!("a number from {least} to {most}")
            }
            Range::Real { least, most, .. } if most == f32::MAX => {
                format!("a number above {least}")
            }
            Range::Real { least, most, .. } => format!("a number above {least}, up to {most}"),
            Range::Count(least) => format!("a whole number, {least} or more"),
            Range::Switch => "true or false".to_owned(),
            Range::Seed => "a whole number, 0 or more, or -1".to_owned(),
        };
        assert!(row.accepted.starts_with(&range), "{}: {range}", row.name);
        if row.accepted.contains("turns it off") {
            let off = format!("({} turns it off)", row.neutral);
            assert!(row.accepted.contains(&off), "{}: {off}", row.name);
        }
    }
}

#[test]
fn neutral_values_are_those_of_a_request_that_says_nothing() {
    let (sampling, stop) = (Sampling::default(), Stop::default());
    for row in &ALL {
        assert_eq!(row.get(&sampling, &stop), row.neutral, "{}", row.name);
        assert!(row.check(row.neutral).is_ok(), "{}", row.name);
    }
}

#[test]
fn a_value_arrives_in_its_own_field_and_no_other() {
    for row in &ALL {
        let (mut sampling, mut stop) = (Sampling::default(), Stop::default());
        let value = row.read("1").unwrap();
        row.put(&mut sampling, &mut stop, value);
        for other in &ALL {
            let wanted = if other.name == row.name { value } else { other.neutral };
            assert_eq!(other.get(&sampling, &stop), wanted, "{} {}", row.name, other.name);
        }
    }
}

#[test]
fn names_are_found_once() {
    for row in &ALL {
        for name in row.others.iter().chain([&row.name]) {
            assert_eq!(Parameter::by_name(name).map(|row| row.name), Some(row.name));
        }
    }
    assert!(Parameter::by_name("top").is_none());
}

/// What `transformers` raises an error for, and what it takes; a request's own values are
/// checked as text is.
#[test]
fn a_request_is_refused_where_its_text_is() {
    let numbers = [
        f32::NEG_INFINITY,
        -1.0,
        -1e-9,
        0.0,
        1e-9,
        0.5,
        1.0,
        1.000_001,
        2.0,
        f32::MAX,
        f32::INFINITY,
        f32::NAN,
    ];
    let refused = |row: &Parameter, value| {
        let (mut sampling, mut stop) = (Sampling::default(), Stop::default());
        row.put(&mut sampling, &mut stop, value);
        let error = sampling.check(10).err()?;
        let message = error.to_string();
        for part in [row.name, &value.to_string(), row.accepted] {
            assert!(message.contains(part), "{message}");
        }
        Some(value)
    };
    for row in &ALL {
        let Range::Real { .. } = row.range else {
            continue;
        };
        let wanted: Vec<_> = numbers
            .into_iter()
            .filter(|x| match row.name {
                "temperature" => !(0.0..=f32::MAX).contains(x),
                "top_p" | "min_p" => !(0.0..=1.0).contains(x),
                "typical_p" => !(*x > 0.0 && *x <= 1.0),
                "repetition_penalty" => !(*x > 0.0 && x.is_finite()),
                _ => !x.is_finite(),
            })
            .map(|x| x.to_string())
            .collect();
        let shown = |value: Value| value.to_string();
        let checked = numbers.into_iter().map(Value::Real);
        let checked: Vec<_> = checked.filter_map(|x| refused(row, x)).map(shown).collect();
        assert_eq!(checked, wanted, "{}", row.name);
        let read = numbers.into_iter().filter(|x| row.read(&x.to_string()).is_err());
        let read: Vec<_> = read.map(|x| x.to_string()).collect();
        assert_eq!(read, wanted, "{}", row.name);
    }
    for (row, text, taken) in [
        (&TOP_K, "0", true),
        (&TOP_K, "-1", false),
        (&TOP_K, "50.0", true),
        (&MAX_NEW_TOKENS, "0", false),
        (&MAX_NEW_TOKENS, "none", false),
        (&SEED, "-1", true),
        (&SEED, "-2", false),
        (&DO_SAMPLE, "off", true),
        (&DO_SAMPLE, "2", false),
    ] {
        assert_eq!(row.read(text).is_ok(), taken, "{} {text}", row.name);
    }
}
