//! Timeouts everywhere.

use std::time::Duration;

use connectome_core::{ErrorKind, Settings};
use connectome_tests::simulated::connect_with;

use crate::{Bare, faulty, isolate};

fn hurried(settings: &mut Settings) {
    settings.network.request_timeout = Duration::from_millis(400);
    settings.tries = 1;
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_a_timeout() {
    for fault in ["slow", "slow-body"] {
        let running = faulty(fault).await;
        let (connection, _) = connect_with(&running.url(), hurried);
        let error = connection.check().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{fault}: {error}");
    }
    let silent = Bare::start(vec![]).await;
    let (connection, _) = connect_with(&silent.url(), hurried);
    assert_eq!(connection.check().await.unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn a_write_without_an_answer_in_time_is_not_sent_again() {
    let silent = Bare::start(vec![]).await;
    let (connection, clock) =
        connect_with(&silent.url(), |settings| settings.network.request_timeout = Duration::from_millis(400));
    let error = isolate(&connection).await.unwrap_err();
    assert_eq!((error.kind(), silent.heard().len(), clock.waits().len()), (ErrorKind::Timeout, 1, 0), "{error}");
    assert!(error.to_string().contains("may have acted"), "{error}");
}
