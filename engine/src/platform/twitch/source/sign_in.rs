//! Looks at who is signed in while a session lives.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::sleep;

use crate::auth::Access;
use crate::platform::twitch::helix::{Helix, HelixError, Request};

/// How soon it shows that somebody has signed in again, or somebody else.
const LOOK_EVERY: Duration = Duration::from_secs(5);

pub(super) type NextLook = BoxFuture<'static, Result<Access, HelixError>>;

pub(super) fn look_later(helix: &Arc<Helix>) -> NextLook {
    let helix = Arc::clone(helix);
    async move {
        sleep(LOOK_EVERY).await;
        helix.access().await
    }
    .boxed()
}

/// The same at once, with a call that only a token that holds can make: a grant whose token does not is looked into.
pub(super) fn look_closely(helix: &Arc<Helix>, access: Access) -> NextLook {
    let helix = Arc::clone(helix);
    async move {
        helix.ask(&access, &Request::get("users")).await?;
        helix.access().await
    }
    .boxed()
}
