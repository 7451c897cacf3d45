//! The fuzz targets on the stable toolchain: their seeds replayed, and changed some hundred times.

use scaffold_grammar::fuzzing;
use scaffold_testing::corpus::survives;

#[test]
fn changed_schemas_are_survived() {
    survives("schema", fuzzing::schema, 500);
}

#[test]
fn changed_grammars_are_survived() {
    survives("gbnf", fuzzing::gbnf, 500);
}
