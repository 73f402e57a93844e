//! A task's context may be any text; the agent gets one line of JSON all the same.

use showrunner_fuzz::fuzz_text;

use super::*;

/// The first line of an input is the prompt, the rest the context.
#[test]
fn queue_lines() {
    fuzz_text!(16, |text| {
        let (prompt, context) = text.split_once('\n').unwrap_or((text, ""));
        let task = Task {
            queue: "main".to_owned(),
            prompt: prompt.to_owned(),
            context_json: Some(context.to_owned()),
            priority: 0,
        };
        let line = QueueLine::new(&task, u64::MAX);
        let written = serde_json::to_string(&line).unwrap();
        assert!(!written.contains(['\n', '\r']), "{written}");
        assert_eq!(serde_json::from_str::<QueueLine>(&written).unwrap(), line);
    });
}
