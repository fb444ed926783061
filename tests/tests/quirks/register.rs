//! Every peculiarity, and the tests that show it.

use std::path::Path;

use crate::{answers, dates, document, forms, lists, parts, sandbox, tasks};

/// What becomes of a peculiarity.
enum Seen {
    /// These tests show it.
    Tested(&'static [fn()]),
    /// It cannot show here, for this reason.
    #[allow(dead_code)]
    Moot(&'static str),
}

use Seen::Tested;

const REGISTER: &[(u8, &str, Seen)] = &[
    (
        1,
        "object lists start no task",
        Tested(&[tasks::object_lists_show_the_text_none_for_a_task, tasks::the_text_none_is_no_task_to_ask_for]),
    ),
    (2, "days to expiry have two names", Tested(&[forms::days_to_expiry_come_under_either_name_and_must_agree])),
    (
        3,
        "list entries have a type and a value",
        Tested(&[answers::list_entries_come_as_type_and_value_whatever_their_kind]),
    ),
    (
        4,
        "a mailbox goes with Internet message ids only",
        Tested(&[forms::a_mailbox_goes_with_an_internet_message_id_and_with_no_other]),
    ),
    (
        5,
        "an endpoint is named in one way",
        Tested(&[forms::an_endpoint_is_named_by_its_guid_or_else_by_its_name_and_never_by_both]),
    ),
    (6, "alerts have an old status and a new pair", Tested(&[forms::an_alert_s_status_is_sent_in_the_older_form])),
    (
        7,
        "sandbox texts are Base64, once",
        Tested(&[
            sandbox::sandbox_texts_are_encoded_once,
            sandbox::sandbox_texts_are_measured_before_encoding,
            sandbox::sandbox_passwords_are_shown_nowhere,
        ]),
    ),
    (8, "numbers stand where texts belong", Tested(&[answers::whole_numbers_are_taken_for_texts_and_texts_come_out])),
    (9, "examples spell some keys as on the wire", Tested(&[answers::keys_come_out_in_snake_case_at_every_depth])),
    (10, "an alert is nested under a key", Tested(&[answers::an_alert_s_details_are_under_the_key_alert])),
    (11, "activity events have nulls", Tested(&[answers::an_activity_event_holds_what_the_service_gave_and_no_nulls])),
    (
        12,
        "detections are limited to fifty",
        Tested(&[
            lists::detections_are_asked_for_once_and_more_than_fifty_are_an_error,
            lists::a_trigger_reads_all_detections,
        ]),
    ),
    (
        13,
        "a submission's error is nested once",
        Tested(&[sandbox::a_submission_s_error_comes_un_nested_and_only_if_there_is_one]),
    ),
    (
        14,
        "an action's name is misspelt",
        Tested(&[tasks::both_spellings_of_a_terminated_process_come_out_as_they_came_in]),
    ),
    (15, "a task's answer lacks most fields", Tested(&[tasks::what_a_task_lacks_is_left_out])),
    (
        16,
        "some tasks and states are recent",
        Tested(&[tasks::every_kind_of_task_is_read, tasks::a_state_that_is_neither_queued_nor_running_ends_the_wait]),
    ),
    (17, "titles hide names", Tested(&[document::names_that_titles_hide_are_the_ones_taken_and_given])),
    (
        18,
        "required cells are not what is required",
        Tested(&[
            document::a_file_is_required,
            document::risk_and_reaction_are_not_required,
            document::page_sizes_have_a_default,
            document::a_search_needs_fields_and_a_list_does_not,
        ]),
    ),
    (19, "some defaults are samples", Tested(&[sandbox::a_sample_stands_in_for_nothing])),
    (
        20,
        "dates come in many forms",
        Tested(&[
            dates::dates_are_taken_in_many_forms_and_sent_in_one,
            dates::what_is_no_date_is_refused,
            dates::dates_of_answers_stay_as_they_came,
        ]),
    ),
    (21, "operators come in any case", Tested(&[forms::an_operator_is_taken_in_any_case_and_with_blanks])),
    (
        22,
        "entity tags come in three forms",
        Tested(&[forms::entity_tags_go_out_as_each_endpoint_wants_them_or_not_at_all]),
    ),
    (23, "default descriptions", Tested(&[forms::a_description_is_the_caller_s_or_the_action_s_own])),
    (24, "counts are of two kinds", Tested(&[answers::counts_are_of_what_is_given_or_of_what_would_be_found])),
    (25, "statuses that come out", Tested(&[answers::statuses_that_come_out_are_the_service_s_own])),
    (26, "months to expiry", Tested(&[forms::months_to_expiry_go_out_as_a_number_and_are_never_left_out])),
    (
        27,
        "parts of a request fail",
        Tested(&[
            parts::a_failed_part_fails_the_action_and_hides_nothing,
            parts::a_key_that_was_made_beside_a_failed_one_is_given_and_printed_nowhere,
            parts::an_answer_for_other_elements_than_were_sent_is_an_error,
        ]),
    ),
    (28, "descriptions are copied by mistake", Tested(&[document::no_description_is_a_copy_of_another_s])),
    (29, "backslashes are doubled on paper", Tested(&[answers::a_backslash_stays_one_backslash])),
    (
        30,
        "commands of another product are named",
        Tested(&[sandbox::ids_of_submissions_are_what_the_sandbox_actions_take]),
    ),
    (31, "partial matches are promised", Tested(&[forms::wildcards_are_taken_where_a_list_has_them_and_nowhere_else])),
    (32, "permissions are missing", Tested(&[document::permissions_that_the_document_leaves_out_are_there])),
    (33, "types of outputs", Tested(&[answers::outputs_have_types_of_their_own])),
    (
        34,
        "windows overlap",
        Tested(&[lists::what_a_round_gave_is_not_given_again, lists::what_a_round_gave_is_remembered_between_runs]),
    ),
];

#[test]
fn every_peculiarity_is_registered_once_with_its_tests() {
    let numbers: Vec<u8> = REGISTER.iter().map(|(number, ..)| *number).collect();
    assert_eq!(numbers, (1..=34).collect::<Vec<u8>>());
    for (number, what, seen) in REGISTER {
        let shown = match seen {
            Seen::Tested(tests) => !tests.is_empty(),
            Seen::Moot(reason) => !reason.is_empty(),
        };
        assert!(shown, "{number}, {what}, has neither a test nor a reason");
    }
    // A function that is named here and is no test would show nothing.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/quirks");
    let files = std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    let sources = files.map(|path| std::fs::read_to_string(path).expect("a file of text"));
    let count = |source: String| source.matches("#[test]\n").count() + source.matches("#[tokio::test]\n").count();
    let tests: usize = sources.map(count).sum();
    let named: usize =
        REGISTER.iter().map(|(.., seen)| if let Seen::Tested(tests) = seen { tests.len() } else { 0 }).sum();
    assert_eq!(tests, named + 1);
}
