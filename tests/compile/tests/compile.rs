//! Mistakes that the types of a connector catch, each with the compiler's message.

#[test]
fn mistakes_do_not_compile_and_the_messages_help() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/a-good-call.rs");
    cases.compile_fail("tests/ui/a-required-input-is-missing.rs");
    cases.compile_fail("tests/ui/a-value-has-the-wrong-type.rs");
    cases.compile_fail("tests/ui/a-choice-is-misspelt.rs");
    cases.compile_fail("tests/ui/a-secret-is-printed.rs");
}
