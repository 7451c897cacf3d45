//! The fuzz target on the stable toolchain: its seeds replayed, and changed some thousand times.

#[test]
fn changed_templates_are_survived_with_hostile_variables() {
    scaffold_testing::corpus::survives("jinja", scaffold_jinja::fuzzing::jinja, 3000);
}
