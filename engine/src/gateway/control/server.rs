//! The daemon's end of the control socket.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::line::{self, LineError};
use super::{Control, PluginRequest, Refusal, Request, Response, socket_path};
use crate::observation::Observation;

/// A request holds at most an agent's answer, which is shorter than a message of any platform allows.
pub(super) const MAX_REQUEST: usize = 64 << 10;

/// Far more than one operator, their scripts and an agent need.
const MAX_CLIENTS: usize = 64;

/// What is left to say at the end takes milliseconds; a client that does not listen does not hold up the stop.
const LAST_WORDS: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error("another showrunner runs on this data folder: {} answers", .0.display())]
    Running(PathBuf),
    #[error("{} is in the way of the control socket, and it is no socket", .0.display())]
    InTheWay(PathBuf),
    #[error("can't {what} {}: {source}", path.display())]
    Io { what: &'static str, path: PathBuf, source: io::Error },
}

impl ControlError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Running(_) => "stop it (`showrunner stop`), or give this one its own data-dir",
            Self::InTheWay(_) => "move it away, or choose another data-dir",
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::ReadOnlyFilesystem => {
                    "the disk of data-dir is mounted read-only; remount it, or choose another data-dir"
                }
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    "free some space on the disk of data-dir; a service manager then starts it by itself"
                }
                _ => "data-dir must be a folder of the daemon's user, with a path of fewer than 90 characters",
            },
        }
    }
}

/// How often to look whether clients still find the way in.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The open socket; its file goes when this is dropped.
pub struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Tells the file from one that another daemon put in its place.
    identity: (u64, u64),
    /// Whose daemon this is.
    owner: u32,
}

impl ControlSocket {
    /// Makes the data folder where there is none, and keeps other users out of it. A socket that nobody answers on is
    /// left from a daemon that was killed; it is replaced.
    pub fn bind(data_dir: &Path) -> Result<Self, ControlError> {
        close_folder(data_dir)?;
        let path = socket_path(data_dir);
        remove_stale(&path)?;
        let failed = |what| move |source| ControlError::Io { what, path: socket_path(data_dir), source };
        let listener = UnixListener::bind(&path).map_err(failed("make the control socket"))?;
        fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(failed("close the control socket"))?;
        let made = fs::metadata(&path).map_err(failed("look at the control socket"))?;
        Ok(Self { listener, path, identity: (made.dev(), made.ino()), owner: made.uid() })
    }

    /// Makes the socket anew where its file was removed, and the data folder with it: what a daemon has left without
    /// them can be asked for, and saved, by this way only. One that another daemon has made stays.
    fn restore(&mut self) {
        let is_removed =
            matches!(fs::symlink_metadata(&self.path), Err(error) if error.kind() == io::ErrorKind::NotFound);
        let Some(data_dir) = self.path.parent().filter(|_| is_removed) else { return };
        match Self::bind(data_dir) {
            Ok(new) => {
                *self = new;
                warn!(path = %self.path.display(), "The control socket was removed, and is there again.");
            }
            Err(error) => debug!(%error, "The control socket was removed, and can't be made again."),
        }
    }

    /// Answers clients until `shutdown`; then every connection ends, once watchers have heard what happened until then.
    pub async fn run(mut self, control: Arc<dyn Control>, shutdown: CancellationToken) {
        let mut sessions = JoinSet::new();
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            let accepted = tokio::select! {
                () = shutdown.cancelled() => break,
                _ = look.tick() => {
                    self.restore();
                    continue;
                }
                Some(_) = sessions.join_next() => continue,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) if sessions.len() < MAX_CLIENTS && self.is_welcome(&stream) => {
                    sessions.spawn(Session::new(stream, control.clone(), shutdown.clone()).run());
                }
                Ok(_) => warn!(clients = sessions.len(), "A client of the control socket was turned away."),
                Err(error) => {
                    warn!(%error, "A client of the control socket could not be accepted.");
                    // Out of file descriptors, most likely: at once it would fail again.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        let last_words = async { while sessions.join_next().await.is_some() {} };
        let _ = timeout(LAST_WORDS, last_words).await;
        sessions.shutdown().await;
    }

    /// The daemon's user and root. The permissions of the file say so already; this holds where they were changed.
    fn is_welcome(&self, stream: &UnixStream) -> bool {
        stream.peer_cred().is_ok_and(|peer| peer.uid() == self.owner || peer.uid() == 0)
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        let is_ours = fs::symlink_metadata(&self.path).is_ok_and(|file| (file.dev(), file.ino()) == self.identity);
        if !is_ours {
            debug!("The control socket was gone already.");
        } else if let Err(error) = fs::remove_file(&self.path) {
            debug!(%error, "The control socket stays behind; the next start replaces it.");
        }
    }
}

fn close_folder(folder: &Path) -> Result<(), ControlError> {
    let failed = |what| move |source| ControlError::Io { what, path: folder.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed("make the data folder"))?;
    let mode = fs::metadata(folder).map_err(failed("look at the data folder"))?.permissions().mode();
    if mode & 0o077 != 0 {
        fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(failed("keep other users out of"))?;
        info!(folder = %folder.display(), "The data folder was open to other users and is closed now.");
    }
    Ok(())
}

fn remove_stale(path: &Path) -> Result<(), ControlError> {
    let failed = |what| move |source| ControlError::Io { what, path: path.to_owned(), source };
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("look at the control socket")(error)),
    };
    if !found.file_type().is_socket() {
        return Err(ControlError::InTheWay(path.to_owned()));
    }
    if BlockingStream::connect(path).is_ok() {
        return Err(ControlError::Running(path.to_owned()));
    }
    fs::remove_file(path).map_err(failed("remove the old control socket"))
}

/// One client.
struct Session {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    control: Arc<dyn Control>,
    shutdown: CancellationToken,
}

impl Session {
    fn new(stream: UnixStream, control: Arc<dyn Control>, shutdown: CancellationToken) -> Self {
        let (reader, writer) = stream.into_split();
        Self { reader: BufReader::new(reader), writer, control, shutdown }
    }

    async fn run(mut self) {
        if let Err(error) = self.serve().await {
            debug!(%error, "A client of the control socket left early.");
        }
    }

    async fn serve(&mut self) -> io::Result<()> {
        let mut buffer = Vec::new();
        loop {
            let read = tokio::select! {
                read = line::read(&mut self.reader, &mut buffer, MAX_REQUEST) => read,
                () = self.shutdown.cancelled() => return Ok(()),
            };
            let request = match read {
                Ok(Some(request)) => request,
                Ok(None) => return Ok(()),
                Err(LineError::Broken(error)) => return Err(error),
                Err(error) => {
                    let is_lost = matches!(error, LineError::TooLong(_));
                    self.answer(&Response::Refused(Refusal::new(error.to_string()))).await?;
                    if is_lost {
                        return Ok(());
                    }
                    continue;
                }
            };
            match request {
                Request::Watch => return self.watch().await,
                Request::Stop => {
                    // The answer first: the stop ends this connection.
                    self.answer(&Response::Done).await?;
                    self.control.stop();
                }
                other => {
                    let response = carry_out(self.control.as_ref(), other).await;
                    self.answer(&response.unwrap_or_else(Response::Refused)).await?;
                }
            }
        }
    }

    async fn answer(&mut self, response: &Response) -> io::Result<()> {
        line::write(&mut self.writer, response).await
    }

    /// Until the client leaves. A client that reads too slowly misses some and is told how many.
    async fn watch(&mut self) -> io::Result<()> {
        let mut observations = self.control.watch();
        self.answer(&Response::Done).await?;
        let mut nothing = [0];
        loop {
            let observed = tokio::select! {
                observed = observations.recv() => observed,
                // Whatever a client says now, it says that it is done.
                _ = self.reader.read(&mut nothing) => return Ok(()),
                () = self.shutdown.cancelled() => return self.say_the_rest(observations).await,
            };
            match observed {
                Ok(observation) => self.answer(&Response::Observed { observation }).await?,
                Err(RecvError::Lagged(count)) => self.answer(&Response::Missed { count }).await?,
                Err(RecvError::Closed) => return self.answer(&Response::Done).await,
            }
        }
    }

    /// What was observed until the stop, and that this was all.
    async fn say_the_rest(&mut self, mut observations: Receiver<Arc<Observation>>) -> io::Result<()> {
        loop {
            match observations.try_recv() {
                Ok(observation) => self.answer(&Response::Observed { observation }).await?,
                Err(TryRecvError::Lagged(count)) => self.answer(&Response::Missed { count }).await?,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return self.answer(&Response::Done).await,
            }
        }
    }
}

async fn carry_out(control: &dyn Control, request: Request) -> Result<Response, Refusal> {
    match request {
        Request::Status => Ok(Response::Status(control.status().await)),
        Request::Plugins(PluginRequest::List) => Ok(Response::Plugins { plugins: control.plugins().await }),
        Request::Plugins(PluginRequest::Inspect { id }) => {
            let plugin = control.plugins().await.into_iter().find(|plugin| plugin.id == id);
            plugin.map(Response::Plugin).ok_or_else(|| unknown_plugin(&id))
        }
        Request::Plugins(PluginRequest::Reload { id }) => control.reload_plugin(&id).await.map(Response::Plugin),
        Request::Simulate(simulation) => {
            control.simulate(simulation).await.map(|event_id| Response::Simulated { event_id })
        }
        Request::Queue(request) => control.queue(request).await.map(|tasks| Response::Tasks { tasks }),
        Request::Viewers { name, platform, lines } => {
            control.viewers(&name, platform.as_deref(), lines).await.map(|viewers| Response::Viewers { viewers })
        }
        Request::Auth(request) => control.auth(request).await.map(Response::Auth),
        Request::ReloadConfig => control.reload_config().await.map(Response::Reloaded),
        Request::Backup { file, overwrite } => control.back_up(&file, overwrite).await.map(Response::BackedUp),
        // Answered by the session itself.
        Request::Watch | Request::Stop => Ok(Response::Done),
    }
}

fn unknown_plugin(id: &str) -> Refusal {
    Refusal::new(format!("there is no plugin {id}")).with_help("`showrunner plugins list` shows those there are")
}
