//! Pages of lists.

use serde_json::{Value, json};

use super::{Pairs, get};
use crate::twitch::refusal::Refusal;

/// `data`, `total` and `pagination`. The cursor says how many came before, written so that nobody reads it.
pub(super) fn page(items: Vec<Value>, query: &Pairs) -> Result<Value, Refusal> {
    let first = match get(query, "first") {
        None => 20,
        Some(first) => match first.parse() {
            Ok(first @ 1..=100) => first,
            _ => return Err(Refusal::bad("The parameter \"first\" was malformed: the value must be from 1 to 100")),
        },
    };
    let before = match get(query, "after").filter(|cursor| !cursor.is_empty()) {
        None => 0,
        Some(cursor) => {
            let number = cursor.strip_prefix("eyJ").and_then(|number| number.parse::<usize>().ok());
            number.ok_or_else(|| Refusal::bad("The cursor is not valid"))?
        }
    };
    let total = items.len();
    let data: Vec<Value> = items.into_iter().skip(before).take(first).collect();
    let end = before + data.len();
    let pagination = if end < total { json!({ "cursor": format!("eyJ{end}") }) } else { json!({}) };
    Ok(json!({ "data": data, "total": total, "pagination": pagination }))
}
