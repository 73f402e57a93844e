//! What moderators and `AutoMod` do.

use super::*;
use crate::event::Moderation;

fn acts(name: &str) -> Vec<Moderation> {
    let act = |event| match event {
        Event::Moderation(act) => act,
        other => panic!("{other:?}"),
    };
    events(name).into_iter().filter(|event| !matches!(event, Event::Raw(_))).map(act).collect()
}

fn act(name: &str) -> Moderation {
    acts(name).remove(0)
}

fn kinds(name: &str) -> Vec<String> {
    acts(name).into_iter().map(|act| act.kind).collect()
}

#[test]
fn bans_and_timeouts_say_who_whom_how_long_and_why() {
    let ban = act("ban");
    assert_eq!((ban.kind.as_str(), ban.seconds, ban.reason.as_deref()), ("ban", None, Some("spam")));
    assert_eq!((ban.target, ban.moderator), (Some(person("7734", "Target")), Some(person("77", "Mod"))));
    let timeout = act("timeout");
    assert_eq!((timeout.kind.as_str(), timeout.seconds, timeout.reason), ("timeout", Some(600), None));
    assert_eq!(act("unban").kind, "unban");
}

#[test]
fn channel_moderate_tells_of_all_acts() {
    let acts = acts("moderate");
    let kinds: Vec<&str> = acts.iter().map(|act| act.kind.as_str()).collect();
    assert_eq!(kinds, ["ban", "timeout", "unban", "unban", "delete", "clear", "warn"]);
    assert!(acts.iter().all(|act| act.moderator.as_ref().is_some_and(|moderator| moderator.id == "77")));
    assert_eq!(acts[1].seconds, Some(600), "to the nearest second");
    assert_eq!((acts[4].message_id.as_deref(), acts[4].text.as_deref()), (Some("m9"), None));
    assert_eq!(acts[6].reason.as_deref(), Some("cut it out"));
    let drafts = told("moderate");
    assert_eq!(extra_of(&drafts[3])["action"], "untimeout");
    assert_eq!(extra_of(&drafts[6])["chat_rules_cited"], json!(["be kind"]));
    assert!(drafts.iter().all(|draft| !format!("{draft:?}").contains("gone")), "what was deleted is not handed on");
}

#[test]
fn what_is_done_to_the_channel_has_kinds_too() {
    assert_eq!(kinds("moderate-roles"), ["moderator-added", "moderator-removed", "vip-added", "vip-removed"]);
    assert_eq!(
        kinds("moderate-channel"),
        ["raid", "unraid", "chat-settings", "chat-settings", "terms", "unban-request"]
    );
    let drafts = told("moderate-channel");
    assert_eq!(extra_of(&drafts[0]), json!({ "action": "raid", "viewer_count": 40 }));
    assert_eq!(extra_of(&drafts[2]), json!({ "action": "slow", "wait_time_seconds": 30 }));
    assert_eq!(extra_of(&drafts[4])["terms"], json!(["x"]));
    assert_eq!(acts("moderate-channel")[5].reason.as_deref(), Some("welcome back"));
    assert_eq!(kinds("roles"), kinds("moderate-roles"));
}

#[test]
fn an_act_in_another_channel_of_a_shared_chat_is_none_of_ours() {
    let timeout = act("moderate-shared");
    assert_eq!((timeout.kind.as_str(), timeout.seconds), ("shared-chat-timeout", Some(599)));
    assert_eq!(extra_of(&told("moderate-shared")[0])["source_broadcaster_user_id"], "112233");
}

#[test]
fn deletions_and_clearings() {
    let deleted = only("message-delete");
    assert_eq!(id_of(&deleted), "twitch:delete:m1");
    let deleted = act("message-delete");
    assert_eq!((deleted.message_id.as_deref(), deleted.target), (Some("m1"), Some(person("7734", "Target"))));
    assert_eq!(act("clear"), Moderation { kind: "clear".to_owned(), ..Moderation::default() });
    let cleared = act("clear-user-messages");
    assert_eq!((cleared.kind.as_str(), cleared.target), ("clear", Some(person("7734", "Target"))));
}

#[test]
fn warnings_and_their_acknowledgement() {
    let acts = acts("warning");
    assert_eq!((acts[0].kind.as_str(), acts[0].reason.as_deref()), ("warn", Some("cut it out")));
    assert_eq!((acts[1].kind.as_str(), acts[1].target.is_some()), ("warn-acknowledged", true));
}

#[test]
fn held_messages_can_be_decided_on() {
    let held = acts("automod-hold");
    assert_eq!((held[0].kind.as_str(), held[0].message_id.as_deref()), ("automod-hold", Some("h2")));
    assert_eq!((held[0].text.as_deref(), held[0].reason.as_deref()), (Some("ü ass"), Some("swearing")));
    assert_eq!(held[1].reason.as_deref(), Some("blocked_term"));
    let drafts = told("automod-hold");
    assert_eq!(id_of(&drafts[0]), "twitch:automod-hold:h2");
    assert_eq!(extra_of(&drafts[0])["found"], json!(["ass"]), "boundaries count characters, the last one included");
    assert_eq!(extra_of(&drafts[1])["found"], json!(["blah"]));
    assert_eq!(extra_of(&drafts[0])["automod"]["level"], 4);

    let decided = only("automod-update");
    assert_eq!(id_of(&decided), "twitch:automod-denied:h2");
    assert_eq!(act("automod-update").kind, "automod-denied");
    assert_eq!(act("own-message-held").kind, "automod-hold");
    assert_eq!(act("own-message-decided").kind, "automod-approved");
}

#[test]
fn suspicious_users() {
    let acts = acts("suspicious");
    assert_eq!((acts[0].kind.as_str(), acts[0].text.as_deref()), ("suspicious", Some("bad stuff")));
    assert_eq!(acts[0].reason.as_deref(), Some("active_monitoring, ban_evader, manually_added"));
    assert_eq!(acts[0].message_id.as_deref(), Some("m10"));
    assert_eq!((acts[1].kind.as_str(), acts[1].reason.as_deref()), ("suspicious-update", Some("restricted")));
}
