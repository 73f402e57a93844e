use std::cell::RefCell;

use super::*;

const WINDOW: Duration = Duration::from_secs(3);

/// Plays requests at these milliseconds, with runs that take `run_ms`; returns when each run began.
async fn runs(requests_ms: &[u64], run_ms: u64) -> Vec<u128> {
    let start = Instant::now();
    let requested = Notify::new();
    let began = RefCell::new(Vec::new());
    let running = debounce(&requested, WINDOW, || {
        began.borrow_mut().push(start.elapsed().as_millis());
        tokio::time::sleep(Duration::from_millis(run_ms))
    });
    let requesting = async {
        for at in requests_ms {
            sleep_until(start + Duration::from_millis(*at)).await;
            requested.notify_one();
        }
        // Time enough for whatever is still to come.
        tokio::time::sleep(Duration::from_secs(3600)).await;
    };
    tokio::select! {
        () = running => {}
        () = requesting => {}
    }
    began.into_inner()
}

#[tokio::test(start_paused = true)]
async fn the_first_request_is_served_at_once() {
    assert_eq!(runs(&[], 10).await, [0; 0]);
    assert_eq!(runs(&[100], 10).await, [100]);
}

#[tokio::test(start_paused = true)]
async fn a_burst_makes_one_run_at_its_begin_and_one_after_it() {
    let burst: Vec<u64> = (0..200).map(|number| number * 10).collect();
    assert_eq!(runs(&burst, 10).await, [0, 3_000]);
}

#[tokio::test(start_paused = true)]
async fn a_steady_stream_makes_one_run_a_window() {
    let stream: Vec<u64> = (0..100).map(|number| number * 100).collect();
    assert_eq!(runs(&stream, 10).await, [0, 3_000, 6_000, 9_000, 12_000]);
}

#[tokio::test(start_paused = true)]
async fn a_request_during_a_run_is_not_lost_and_never_makes_two_at_once() {
    // The run takes longer than the window: the next begins when it has ended.
    assert_eq!(runs(&[0, 4_000], 5_000).await, [0, 5_000]);
}

#[tokio::test(start_paused = true)]
async fn requests_that_are_far_apart_are_each_served_at_once() {
    assert_eq!(runs(&[0, 10_000, 20_000], 10).await, [0, 10_000, 20_000]);
}

fn command(argv: &[&str]) -> WakeCommand {
    let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
    WakeCommand::new(&argv, Duration::from_secs(60)).unwrap()
}

#[test]
fn no_command_is_no_waker() {
    assert!(WakeCommand::new(&[], Duration::from_secs(1)).is_none());
}

#[tokio::test]
async fn what_the_command_says_comes_back_and_no_shell_reads_its_arguments() {
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("made by the command");
    command(&["touch", &marker.to_string_lossy()]).run().await.unwrap();
    assert!(marker.exists());

    let error = command(&["ls", "$(echo nothing); echo"]).run().await.unwrap_err();
    assert!(matches!(&error, WakeError::Failed { output, .. } if output.contains("$(echo nothing)")), "{error}");
}

#[tokio::test]
async fn a_command_that_is_not_there_is_told_from_one_that_fails() {
    let error = command(&["showrunner-test-no-such-program"]).run().await.unwrap_err();
    assert!(matches!(error, WakeError::Start(_)), "{error}");
    let error = command(&["false"]).run().await.unwrap_err();
    assert!(matches!(&error, WakeError::Failed { status, .. } if status.code() == Some(1)), "{error}");
}

#[tokio::test]
async fn a_command_that_hangs_is_killed() {
    let mut hanging = command(&["sleep", "600"]);
    hanging.timeout = Duration::from_millis(50);
    let error = hanging.run().await.unwrap_err();
    assert!(matches!(error, WakeError::TooLong(_)), "{error}");
}

#[tokio::test]
async fn only_the_beginning_of_a_long_output_is_kept() {
    let long = "x".repeat(3 * OUTPUT_BYTES);
    let mut output = Vec::new();
    read_beginning(Some(long.as_bytes()), &mut output).await;
    assert_eq!(output.len(), OUTPUT_BYTES);
}
