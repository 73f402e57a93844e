//! Who is signed in, on one page.

use crate::auth::{Condition, GrantView, Overview};
use crate::cli::clean::clean;
use crate::cli::span::span;

pub(super) fn page(overview: &Overview, now_ms: u64) -> String {
    let mut page = format!("key  {}\n", clean(&overview.key.place));
    if let Some(problem) = &overview.key.problem {
        page.push_str(&format!("     {}\n", clean(problem)));
    }
    if overview.grants.is_empty() {
        page.push_str("\nThe config has no platform where one signs in.\n");
    }
    for grant in &overview.grants {
        page.push_str(&format!("\n{}\n", clean(&grant.name)));
        for line in lines(grant, now_ms) {
            page.push_str(&format!("  {}\n", clean(&line)));
        }
    }
    page
}

fn lines(grant: &GrantView, now_ms: u64) -> Vec<String> {
    let mut lines = Vec::new();
    if grant.condition != Condition::Absent {
        lines.push(format!("{} {} (id {})", word(grant.condition), grant.login, grant.user_id));
    }
    if !grant.is_used {
        lines.push("not used: one sign-in serves all channels, that of the first of them".to_owned());
    }
    if let Some(problem) = &grant.problem {
        lines.push(advised(problem, grant.what_to_do.as_deref()));
    }
    if matches!(grant.condition, Condition::SignedIn | Condition::Ending) {
        lines.push(expiry(grant, now_ms));
        lines.push(format!("granted: {}", list(&grant.scopes)));
        if !grant.missing.is_empty() {
            let again = "sign in again to be asked for them";
            lines.push(format!("missing: {}; {again}", list(&grant.missing)));
        }
    }
    lines
}

const fn word(condition: Condition) -> &'static str {
    match condition {
        Condition::SignedIn => "signed in as",
        Condition::Ending => "signed in, and not for long, as",
        Condition::SignedOut => "signed out:",
        Condition::Unusable => "the tokens can't be used of",
        Condition::Absent => "",
    }
}

fn expiry(grant: &GrantView, now_ms: u64) -> String {
    let is_last = grant.condition == Condition::Ending;
    let then = if is_last { "and is the last" } else { "and is refreshed then" };
    match grant.expires_at_ms {
        None => "its token holds until it is refused".to_owned(),
        Some(end_ms) if end_ms > now_ms => format!("its token holds for {}, {then}", span(end_ms - now_ms)),
        Some(_) if is_last => "its token has ended".to_owned(),
        Some(_) => "its token has ended, and is refreshed when it is needed".to_owned(),
    }
}

fn list(scopes: &[String]) -> String {
    if scopes.is_empty() { "nothing".to_owned() } else { scopes.join(" ") }
}

fn advised(problem: &str, what_to_do: Option<&str>) -> String {
    what_to_do.map_or_else(|| problem.to_owned(), |what_to_do| format!("{problem}; {what_to_do}"))
}

/// A grant that only a person can put right, in a line.
pub(in crate::cli) fn trouble(grant: &GrantView) -> String {
    let problem = grant.problem.as_deref().unwrap_or_default();
    format!("{}: {}", grant.name, advised(problem, grant.what_to_do.as_deref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{GrantId, KeyView};

    fn view(condition: Condition) -> GrantView {
        GrantView {
            id: GrantId::bot("twitch"),
            name: "Twitch: the bot".into(),
            condition,
            user_id: "7".into(),
            login: "pixel".into(),
            scopes: vec!["chat:read".into()],
            is_used: true,
            missing: vec!["chat:write".into()],
            expires_at_ms: Some(3_600_000),
            problem: None,
            what_to_do: None,
        }
    }

    #[test]
    fn the_page_says_who_what_and_for_how_long() {
        let problem = (Some("it was refused \x1b".to_owned()), Some("run it again".to_owned()));
        let out = GrantView { problem: problem.0, what_to_do: problem.1, ..view(Condition::SignedOut) };
        let key = KeyView { place: "/data/auth.key".into(), problem: None };
        let overview = Overview { key, grants: vec![view(Condition::SignedIn), out] };
        let expected = "key  /data/auth.key\n\n\
                        Twitch: the bot\n  signed in as pixel (id 7)\n  its token holds for 30 min 0 s, and is refreshed then\n  \
                        granted: chat:read\n  missing: chat:write; sign in again to be asked for them\n\n\
                        Twitch: the bot\n  signed out: pixel (id 7)\n  it was refused ␛; run it again\n";
        assert_eq!(page(&overview, 1_800_000), expected);
    }

    #[test]
    fn a_token_that_can_not_be_refreshed_says_that_it_is_the_last() {
        assert_eq!(expiry(&view(Condition::Ending), 0), "its token holds for 1 h 0 min, and is the last");
        assert_eq!(expiry(&view(Condition::Ending), 3_600_000), "its token has ended");
        assert!(expiry(&view(Condition::SignedIn), 3_600_000).contains("refreshed when it is needed"));
        let endless = GrantView { expires_at_ms: None, ..view(Condition::SignedIn) };
        assert_eq!(expiry(&endless, 0), "its token holds until it is refused");
    }
}
