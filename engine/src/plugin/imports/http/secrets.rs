//! `{secret:name}` in the headers of a request, filled in by the host: the plugin never sees the value.

use secrecy::ExposeSecret as _;

use crate::config::Secret;

/// Puts secrets in the place of their names; `find` says which may be used, or why not. Where it has none to give, the
/// place stays as it is.
pub(super) fn fill<'secrets, E>(
    value: &str,
    find: impl Fn(&str) -> Result<Option<&'secrets Secret>, E>,
) -> Result<String, E> {
    let mut filled = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, behind)) = rest.split_once("{secret:") {
        let Some((name, after)) = behind.split_once('}') else { break };
        let secret = find(name)?;
        filled.push_str(before);
        match secret {
            Some(secret) => filled.push_str(secret.expose_secret()),
            None => filled.extend(["{secret:", name, "}"]),
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod fuzz;
