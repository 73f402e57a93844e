//! Helix: what calls answer, what they do, and how they are refused.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use showrunner_tests::service::Answer;
use showrunner_tests::twitch::{
    BOT, BOT_ID, BOT_SCOPES, BROADCASTER_SCOPES, CLIENT_ID, DropReason, FakeTwitch, STREAMER, STREAMER_ID,
};
use twitch_api::helix;

use super::client::{Helix, http};
use super::twitch_session::listening;

fn bot(twitch: &FakeTwitch) -> Helix<'_> {
    Helix::new(twitch, &twitch.grant(BOT, BOT_SCOPES).access)
}

fn streamer(twitch: &FakeTwitch) -> Helix<'_> {
    Helix::new(twitch, &twitch.grant(STREAMER, BROADCASTER_SCOPES).access)
}

fn line(text: &str) -> Value {
    json!({ "broadcaster_id": STREAMER_ID, "sender_id": BOT_ID, "message": text })
}

/// What another library makes of each item.
fn read<T: DeserializeOwned>(answer: &Value) -> Vec<T> {
    serde_json::from_value(answer["data"].clone()).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

#[tokio::test]
async fn a_sent_line_comes_back_as_an_event() {
    let twitch = FakeTwitch::start().await;
    let (mut socket, _) = listening(&twitch).await;
    let (status, body) = bot(&twitch).call("POST", "chat/messages", line("hi chat")).await;
    assert_eq!((status, &body["data"][0]["is_sent"]), (200, &json!(true)));
    read::<helix::chat::SendChatMessageResponse>(&body);
    let event = socket.event().await;
    assert_eq!((&event["chatter_user_id"], &event["message_id"]), (&json!(BOT_ID), &body["data"][0]["message_id"]));
    let mut reply = line("an answer");
    reply["reply_parent_message_id"] = event["message_id"].clone();
    bot(&twitch).call("POST", "chat/messages", reply).await;
    assert_eq!(socket.event().await["reply"]["parent_message_id"], event["message_id"]);
    assert_eq!(twitch.sent_texts(), ["hi chat", "an answer"]);
}

#[tokio::test]
async fn a_line_may_be_dropped_for_a_reason_in_two_shapes() {
    let twitch = FakeTwitch::start().await;
    let reason = DropReason::new("msg_duplicate", "identical to the previous one");
    twitch.drop_next_lines([reason.clone(), DropReason { is_list: true, ..reason }]);
    let (status, body) = bot(&twitch).call("POST", "chat/messages", line("hi")).await;
    assert_eq!((status, &body["data"][0]["is_sent"], &body["data"][0]["message_id"]), (200, &json!(false), &json!("")));
    assert_eq!(body["data"][0]["drop_reason"]["code"], "msg_duplicate");
    let (_, body) = bot(&twitch).call("POST", "chat/messages", line("hi")).await;
    assert_eq!(body["data"][0]["drop_reason"][0]["code"], "msg_duplicate");
    twitch.name_no_drop_reason(false);
    let (_, body) = bot(&twitch).call("POST", "chat/messages", line("hi")).await;
    assert!(body["data"][0].get("drop_reason").is_none());
    assert_eq!(twitch.sent_texts(), ["hi"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_line_is_said() {
    let twitch = FakeTwitch::start().await;
    let helix = bot(&twitch);
    let mut other = line("hi");
    other["sender_id"] = STREAMER_ID.into();
    let mut source = line("hi");
    source["for_source_only"] = true.into();
    let rows =
        [(422, line(&"ä".repeat(501))), (200, line(&"ä".repeat(500))), (400, line("")), (401, other), (400, source)];
    for (status, body) in rows {
        assert_eq!(helix.call("POST", "chat/messages", body.clone()).await.0, status, "{body}");
    }
    let poor = Helix::new(&twitch, &twitch.grant(BOT, "user:read:chat").access);
    let (status, body) = poor.call("POST", "chat/messages", line("hi")).await;
    assert_eq!(
        (status, body),
        (401, json!({ "error": "Unauthorized", "status": 401, "message": "Missing scope: user:write:chat" }))
    );
    let stranger = Helix::new(&twitch, "no-such-token");
    assert_eq!(stranger.call("POST", "chat/messages", line("hi")).await.0, 401);
    let url = twitch.helix_base().join("users").unwrap();
    let no_client = http().get(url).bearer_auth(&helix.token).send().await.unwrap();
    assert_eq!(no_client.status().as_u16(), 401);
    twitch.room().ban(STREAMER, BOT, "enough");
    assert_eq!(helix.call("POST", "chat/messages", line("hi")).await.0, 403);
}

#[tokio::test]
async fn points_are_counted_and_run_out() {
    let twitch = FakeTwitch::start().await;
    let helix = bot(&twitch);
    let url = twitch.helix_base().join("users").unwrap();
    let ask = || http().get(url.clone()).bearer_auth(&helix.token).header("Client-Id", CLIENT_ID).send();
    let number = |response: &reqwest::Response, name: &str| -> i64 {
        response.headers()[name].to_str().unwrap().parse().unwrap()
    };
    let response = ask().await.unwrap();
    assert_eq!((number(&response, "ratelimit-limit"), number(&response, "ratelimit-remaining")), (800, 799));
    assert!(number(&response, "ratelimit-reset") >= jiff::Timestamp::now().as_second());
    // A point comes back after a whole minute, so that no slow machine sees one.
    twitch.set_points_per_minute(1.0);
    twitch.use_up_points();
    let response = ask().await.unwrap();
    assert_eq!((response.status().as_u16(), number(&response, "ratelimit-remaining")), (429, 0));
    twitch.set_points_per_minute(1_000_000.0);
    twitch.answer_next(
        "GET /helix/users",
        [Answer::status(429, "for this endpoint").with_header("ratelimit-remaining", 700)],
    );
    let response = ask().await.unwrap();
    assert_eq!((response.status().as_u16(), number(&response, "ratelimit-remaining")), (429, 700));
}

#[tokio::test]
async fn moderators_ban_and_pardon() {
    let twitch = FakeTwitch::start().await;
    let helix = bot(&twitch);
    let rude = twitch.user("rude").id;
    let query = format!("broadcaster_id={STREAMER_ID}&moderator_id={BOT_ID}");
    let ban = |data: Value| (format!("moderation/bans?{query}"), json!({ "data": data }));
    let (path, body) = ban(json!({ "user_id": rude, "duration": 60, "reason": "caps" }));
    let (status, answer) = helix.call("POST", &path, body).await;
    assert_eq!(status, 200);
    read::<helix::moderation::BanUser>(&answer);
    let (_, body) = ban(json!({ "user_id": rude }));
    assert_eq!(helix.call("POST", &path, body.clone()).await.0, 200, "for good");
    assert_eq!(helix.call("POST", &path, body).await.0, 400, "is banned already");
    let (_, body) = ban(json!({ "user_id": rude, "duration": 1_209_601 }));
    assert_eq!(helix.call("POST", &path, body).await.0, 400);
    assert!(twitch.room().is_banned("rude"));
    let unban = format!("moderation/bans?{query}&user_id={rude}");
    assert_eq!(helix.call("DELETE", &unban, Value::Null).await.0, 204);
    assert!(!twitch.room().is_banned("rude"));
    let names: Vec<String> = twitch.told().into_iter().map(|told| told.name).collect();
    assert!(names.contains(&"channel.ban".to_owned()) && names.contains(&"channel.unban".to_owned()));
    twitch.room().set_moderator(BOT, false);
    let (path, body) = ban(json!({ "user_id": rude }));
    assert_eq!(helix.call("POST", &path, body).await.0, 403);
}

#[tokio::test]
async fn moderators_delete_warn_announce_and_judge() {
    let twitch = FakeTwitch::start().await;
    let room = twitch.room();
    let helix = bot(&twitch);
    let query = format!("broadcaster_id={STREAMER_ID}&moderator_id={BOT_ID}");
    let id = room.say("rude", "spam");
    let delete = format!("moderation/chat?{query}&message_id={id}");
    assert_eq!(helix.call("DELETE", &delete, Value::Null).await.0, 204);
    assert_eq!(helix.call("DELETE", &delete, Value::Null).await.0, 404);
    let own = room.say(STREAMER, "mine");
    let delete = format!("moderation/chat?{query}&message_id={own}");
    assert_eq!(helix.call("DELETE", &delete, Value::Null).await.0, 400);
    assert_eq!(helix.call("DELETE", &format!("moderation/chat?{query}"), Value::Null).await.0, 204, "all of it");
    let warn = json!({ "data": { "user_id": twitch.user("rude").id, "reason": "stop" } });
    assert_eq!(helix.call("POST", &format!("moderation/warnings?{query}"), warn).await.0, 200);
    let announce = json!({ "message": "hear", "color": "blue" });
    let path = format!("chat/announcements?{query}");
    assert_eq!(helix.call("POST", &path, announce.clone()).await.0, 204);
    assert_eq!(helix.call("POST", &path, announce).await.0, 429, "one in two seconds");
    assert_eq!(twitch.announcements().len(), 1);
    let held = room.hold("rude", "words");
    let judge = json!({ "user_id": BOT_ID, "msg_id": held, "action": "ALLOW" });
    assert_eq!(helix.call("POST", "moderation/automod/message", judge.clone()).await.0, 204);
    assert_eq!(helix.call("POST", "moderation/automod/message", judge).await.0, 404);
    assert!(twitch.told().iter().any(|told| told.name == "channel.chat.message" && told.event["message_id"] == held));
}

#[tokio::test]
async fn shoutouts_need_a_live_stream_and_have_a_pause() {
    let twitch = FakeTwitch::start().await;
    let helix = bot(&twitch);
    let to = twitch.user("lea").id;
    let path = format!("chat/shoutouts?from_broadcaster_id={STREAMER_ID}&to_broadcaster_id={to}&moderator_id={BOT_ID}");
    assert_eq!(helix.call("POST", &path, Value::Null).await.0, 400);
    twitch.room().go_online();
    assert_eq!(helix.call("POST", &path, Value::Null).await.0, 204);
    assert_eq!(helix.call("POST", &path, Value::Null).await.0, 429);
    twitch.limit_endpoints(false);
    assert_eq!(helix.call("POST", &path, Value::Null).await.0, 204);
}

#[tokio::test]
async fn whispers_are_written_down() {
    let twitch = FakeTwitch::start().await;
    let to = twitch.user("lea").id;
    let path = format!("whispers?from_user_id={BOT_ID}&to_user_id={to}");
    assert_eq!(bot(&twitch).call("POST", &path, json!({ "message": "x".repeat(600) })).await.0, 204);
    let whispers = twitch.whispers();
    assert_eq!((&whispers[0].1, whispers[0].2.len()), (&to, 500), "the first one is cut");
}

#[tokio::test]
async fn lists_have_pages_and_the_newest_first() {
    let twitch = FakeTwitch::start().await;
    for number in 0..3 {
        twitch.room().follow_unheard(&format!("follower{number}"));
    }
    let path = format!("channels/followers?broadcaster_id={STREAMER_ID}&first=2");
    let (status, page) = bot(&twitch).get(&path).await;
    assert_eq!((status, &page["total"]), (200, &json!(3)));
    assert_eq!(read::<helix::channels::Follower>(&page).len(), 2);
    assert_eq!(page["data"][0]["user_login"], "follower2");
    let cursor = page["pagination"]["cursor"].as_str().unwrap();
    let (_, rest) = bot(&twitch).get(&format!("{path}&after={cursor}")).await;
    assert_eq!((&rest["data"][0]["user_login"], &rest["pagination"]), (&json!("follower0"), &json!({})));
    assert_eq!(bot(&twitch).get(&format!("{path}&after=nonsense")).await.0, 400);
}

#[tokio::test]
async fn the_broadcaster_sees_subscribers_and_redemptions() {
    let twitch = FakeTwitch::start().await;
    let room = twitch.room();
    room.subscribe_unheard("sue");
    room.gift(Some("gina"), "rita");
    room.redeem_unheard("bob", "Hydrate", "first");
    room.redeem_unheard("bob", "Hydrate", "second");
    let helix = streamer(&twitch);
    let own = format!("broadcaster_id={STREAMER_ID}");
    let (_, subs) = helix.get(&format!("subscriptions?{own}")).await;
    let read_subs = read::<helix::subscriptions::BroadcasterSubscription>(&subs);
    assert_eq!((read_subs.len(), read_subs[1].is_gift, &subs["total"]), (2, true, &json!(2)));
    let (_, rewards) = helix.get(&format!("channel_points/custom_rewards?{own}")).await;
    read::<helix::points::CustomReward>(&rewards);
    let reward = rewards["data"][0]["id"].as_str().unwrap();
    let path = format!("channel_points/custom_rewards/redemptions?{own}&reward_id={reward}");
    let (_, redeemed) = helix.get(&format!("{path}&status=UNFULFILLED&sort=NEWEST")).await;
    read::<helix::points::CustomRewardRedemption>(&redeemed);
    assert_eq!(redeemed["data"][0]["user_input"], "second");
    assert_eq!(helix.get(&path).await.0, 400, "the status is needed");
    let unknown = format!("channel_points/custom_rewards/redemptions?{own}&reward_id=x&status=FULFILLED");
    assert_eq!(helix.get(&unknown).await.0, 404);
    assert_eq!(bot(&twitch).get(&format!("subscriptions?{own}")).await.0, 401, "not the bot's");
}

#[tokio::test]
async fn channels_streams_categories_and_clips() {
    let twitch = FakeTwitch::start().await;
    let helix = streamer(&twitch);
    let own = format!("broadcaster_id={STREAMER_ID}");
    let change = json!({ "title": "New", "game_id": "27471", "tags": ["Cozy"] });
    assert_eq!(helix.call("PATCH", &format!("channels?{own}"), change).await, (204, Value::Null));
    assert_eq!(helix.call("PATCH", &format!("channels?{own}"), json!({ "title": "" })).await.0, 400);
    assert_eq!(helix.call("PATCH", &format!("channels?{own}"), json!({ "tags": ["a b"] })).await.0, 400);
    let (_, channel) = helix.get(&format!("channels?{own}")).await;
    read::<helix::channels::ChannelInformation>(&channel);
    assert_eq!((&channel["data"][0]["title"], &channel["data"][0]["game_name"]), (&json!("New"), &json!("Minecraft")));
    assert_eq!(helix.call("POST", &format!("clips?{own}"), Value::Null).await.0, 404, "not live");
    assert_eq!(helix.get(&format!("streams?user_id={STREAMER_ID}")).await.1["data"], json!([]));
    twitch.room().go_online();
    let (_, streams) = helix.get(&format!("streams?user_id={STREAMER_ID}")).await;
    assert_eq!(read::<helix::streams::Stream>(&streams).len(), 1);
    let (status, clip) = helix.call("POST", &format!("clips?{own}"), Value::Null).await;
    assert_eq!(status, 202);
    let (_, clips) = helix.get(&format!("clips?id={}", clip["data"][0]["id"].as_str().unwrap())).await;
    assert_eq!(read::<helix::clips::Clip>(&clips).len(), 1);
    assert_eq!(helix.get("search/categories?query=chatting").await.1["data"][0]["id"], "509658");
    assert!(helix.get("search/categories?query=zzz").await.1["data"].is_null());
    assert_eq!(helix.get("games?name=Art").await.1["data"][0]["id"], "509660");
    assert_eq!(read::<helix::users::User>(&helix.get("users?login=streamer&id=4242").await.1).len(), 2);
}
