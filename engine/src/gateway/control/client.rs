//! The command line's end of the control socket.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::line::{self, LineError};
use super::{Refusal, Request, Response, socket_path};
use crate::observation::Observation;

/// An answer may list every task of a full queue.
const MAX_RESPONSE: usize = 64 << 20;

#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("no showrunner runs on this data folder ({} does not answer)", .0.display())]
    NotRunning(PathBuf),
    #[error("the daemon can't be reached by {}: {source}", path.display())]
    Unreachable { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the daemon ended the connection")]
    Ended,
    #[error("the daemon speaks another language, so it may be of another version: {0}")]
    Protocol(String),
}

impl ClientError {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::NotRunning(_) => Some("`showrunner run` starts one; `--config FILE` says which is meant".to_owned()),
            Self::Unreachable { .. } => Some("ask as the daemon's user, or as root".to_owned()),
            Self::Refused(refusal) => refusal.help.clone(),
            Self::Ended => Some("its log says why".to_owned()),
            Self::Protocol(_) => Some("restart the daemon after an update".to_owned()),
        }
    }

    /// Whether it was asked for wrongly.
    pub const fn is_usage(&self) -> bool {
        matches!(self, Self::Refused(Refusal { is_usage: true, .. }))
    }
}

/// A connection to a running daemon.
#[derive(Debug)]
pub struct Client {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    buffer: Vec<u8>,
}

/// What a watcher gets.
#[derive(Debug, Clone)]
pub enum Watched {
    Observation(Arc<Observation>),
    /// This many were missed.
    Missed(u64),
}

impl Client {
    pub async fn connect(data_dir: &Path) -> Result<Self, ClientError> {
        let path = socket_path(data_dir);
        match UnixStream::connect(&path).await {
            Ok(stream) => {
                let (reader, writer) = stream.into_split();
                Ok(Self { reader: BufReader::new(reader), writer, buffer: Vec::new() })
            }
            Err(error) => Err(match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => ClientError::NotRunning(path),
                _ => ClientError::Unreachable { path, source: error },
            }),
        }
    }

    /// A refusal is an error.
    pub async fn ask(&mut self, request: &Request) -> Result<Response, ClientError> {
        line::write(&mut self.writer, request).await.map_err(|_| ClientError::Ended)?;
        self.read().await?.ok_or(ClientError::Ended)
    }

    /// Returns when the daemon watches on our behalf: what happens from now on will be seen.
    pub async fn watch(mut self) -> Result<Watch, ClientError> {
        self.ask(&Request::Watch).await?;
        Ok(Watch { client: self })
    }

    async fn read(&mut self) -> Result<Option<Response>, ClientError> {
        match line::read(&mut self.reader, &mut self.buffer, MAX_RESPONSE).await {
            Ok(Some(Response::Refused(refusal))) => Err(refusal.into()),
            Ok(response) => Ok(response),
            Err(LineError::Broken(_)) => Err(ClientError::Ended),
            Err(error) => Err(ClientError::Protocol(error.to_string())),
        }
    }
}

/// A client that watches.
#[derive(Debug)]
pub struct Watch {
    client: Client,
}

impl Watch {
    /// `None` when the daemon stops in good order.
    pub async fn next(&mut self) -> Result<Option<Watched>, ClientError> {
        match self.client.read().await {
            Ok(Some(Response::Observed { observation })) => Ok(Some(Watched::Observation(observation))),
            Ok(Some(Response::Missed { count })) => Ok(Some(Watched::Missed(count))),
            Ok(Some(Response::Done)) => Ok(None),
            Ok(None) => Err(ClientError::Ended),
            Ok(Some(other)) => Err(ClientError::Protocol(format!("{other:?}"))),
            Err(error) => Err(error),
        }
    }
}
