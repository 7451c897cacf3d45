use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Vec<Instruction> {
    Modelfile::parse(text).unwrap().instructions
}

fn parameter(name: &str, value: &str) -> Instruction {
    Instruction::Parameter { name: name.into(), value: value.into() }
}

fn message(role: &str, content: &str) -> Instruction {
    Instruction::Message { role: role.into(), content: content.into() }
}

/// Cases of Ollama's `parser/parser_test.go`, with what is expected there.
#[test]
fn ollamas_own_examples_are_read_to_the_same() {
    let from = |name: &str| Instruction::From(name.into());
    let template = |text: &str| Instruction::Template(text.into());
    for (text, wanted) in [
        (
            "\nFROM model1\nADAPTER adapter1\nLICENSE MIT\nPARAMETER param1 value1\nPARAMETER param2 value2\n\
             TEMPLATE \"\"\"{{ if .System }}<|start_header_id|>system<|end_header_id|>\n\n{{ .System }}<|eot_id|>{{ end }}\"\"\"    \n",
            vec![
                from("model1"),
                Instruction::Adapter("adapter1".into()),
                Instruction::License("MIT".into()),
                parameter("param1", "value1"),
                parameter("param2", "value2"),
                template(
                    "{{ if .System }}<|start_header_id|>system<|end_header_id|>\n\n{{ .System }}<|eot_id|>{{ end }}",
                ),
            ],
        ),
        (
            "\nFROM \"     model 1\"\nADAPTER      adapter3\nLICENSE \"MIT       \"\nPARAMETER param1        value1\nPARAMETER param2    value2\n\
             TEMPLATE \"\"\"   {{ if .System }}   \"\"\"",
            vec![
                from("     model 1"),
                Instruction::Adapter("adapter3".into()),
                Instruction::License("MIT       ".into()),
                parameter("param1", "value1"),
                parameter("param2", "value2"),
                template("   {{ if .System }}   "),
            ],
        ),
        ("FROM foo", vec![from("foo")]),
        ("FROM /path/to/model", vec![from("/path/to/model")]),
        ("FROM C:\\path\\to\\model\n", vec![from("C:\\path\\to\\model")]),
        ("# comment\nFROM foo\n", vec![from("foo")]),
        ("FROM foo # no comment\n", vec![from("foo # no comment")]),
        (
            "\nFROM foo\nMESSAGE system You are a file parser. Always parse things.\nMESSAGE user Hey there!\n",
            vec![
                from("foo"),
                message("system", "You are a file parser. Always parse things."),
                message("user", "Hey there!"),
            ],
        ),
        (
            "\nFROM foo\nMESSAGE system \"\"\"\nYou are a multiline file parser. Always parse things.\n\"\"\"\n",
            vec![
                from("foo"),
                message("system", "\nYou are a multiline file parser. Always parse things.\n"),
            ],
        ),
        (
            "FROM foo\nSYSTEM \"\"\"\nThis is a\nmultiline system.\n\"\"\"\t\t\n",
            vec![from("foo"), Instruction::System("\nThis is a\nmultiline system.\n".into())],
        ),
        (
            "FROM foo\nSYSTEM \"\"\"\nThis is a multiline with \"quotes\".\n\"\"\"\n",
            vec![
                from("foo"),
                Instruction::System("\nThis is a multiline with \"quotes\".\n".into()),
            ],
        ),
        ("FROM foo\nSYSTEM \"\"\n", vec![from("foo"), Instruction::System(String::new())]),
        ("FROM foo\nSYSTEM \"\"\"\"\"\"\n", vec![from("foo"), Instruction::System(String::new())]),
        ("FROM foo\nparameter num_ctx 8", vec![from("foo"), parameter("num_ctx", "8")]),
        ("FROM foo\nREQUIRES 0.14.0", vec![from("foo"), Instruction::Requires("0.14.0".into())]),
    ] {
        assert_eq!(parse(text), wanted, "{text}");
    }
}

#[test]
fn what_is_wrong_names_its_line_and_what_is_accepted() {
    for (text, line, words) in [
        ("FROM a\nBADCOMMAND x", 2, "PARAMETER"),
        ("FROM", 1, "FROM has no value"),
        ("FROM a\n\nPARAMETER temperature", 3, "PARAMETER takes a name and a value"),
        ("FROM a\nPARAMETER temp.x 1", 2, "PARAMETER takes"),
        ("FROM a\nMESSAGE badguy I'm a bad guy!", 2, "system, user, assistant"),
        ("FROM a\nSYSTEM \"\"\"never\nclosed", 2, "never closed"),
        ("FROM a\nSYSTEM \"never closed\n", 2, "never closed"),
    ] {
        let error = Modelfile::parse(text).unwrap_err();
        assert!(error.to_string().contains(words), "{text}: {error}");
        assert_eq!(error.place().line(), Some(line), "{text}");
    }
}

#[test]
fn lines_may_end_as_on_windows() {
    let read = parse(
        "\u{feff}FROM a\r\n\r\n# b\r\nSYSTEM \"\"\"x\r\ny\"\"\"\r\nPARAMETER stop \" z\"\r\n",
    );
    assert_eq!(
        read,
        [
            Instruction::From("a".into()),
            Instruction::System("x\r\ny".into()),
            parameter("stop", " z"),
        ]
    );
}

proptest! {
    #[test]
    fn no_text_panics(text in "(FROM|from|SYSTEM|MESSAGE user|PARAMETER stop|#|\"\"\"|\"| |\n|\r|x|é){0,30}") {
        if let Ok(file) = Modelfile::parse(&text) {
            let again = Modelfile::parse(&file.to_string()).unwrap();
            let is_lost = file.to_string().contains("that no Modelfile can hold");
            prop_assert!(again == file || is_lost, "{:?} {:?}", file, again);
        }
    }

    #[test]
    fn what_is_written_is_read_back(text in "[a-z\"\n #\\\\]{0,40}", name in "[a-z_]{1,8}") {
        let system = Instruction::System(text.clone());
        let file = Modelfile { instructions: vec![system, parameter(&name, "1")] };
        let lost = value::written(&text).is_none();
        let again = parse(&file.to_string());
        prop_assert_eq!(lost, again.len() == 1);
        prop_assert!(lost || again == file.instructions);
        // Only quotes can be in the way.
        prop_assert!(!lost || text.contains('"'));
    }
}
