//! A round trip over a real socket, with an engine that only remembers what it was asked.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::client::{Client, ClientError, Watched};
use super::*;
use crate::gateway::view::StoreView;
use crate::observation::{ConnectionState, Observer};

#[derive(Default)]
struct FakeEngine {
    observer: Observer,
    asked: Mutex<Vec<String>>,
    shutdown: CancellationToken,
}

#[async_trait]
impl Control for FakeEngine {
    async fn status(&self) -> Status {
        Status {
            version: "1.2.3".into(),
            pid: 7,
            started_ms: 1,
            config: "/etc/showrunner.toml".into(),
            data_dir: "/var/lib/showrunner".into(),
            safe_mode: false,
            connections: Vec::new(),
            grants: Vec::new(),
            plugins: self.plugins().await,
            queues: Vec::new(),
            store: StoreView { problem: None, backlog: 0, lost: 0 },
        }
    }

    async fn plugins(&self) -> Vec<PluginStatus> {
        vec![PluginStatus { id: "greeter".into(), generation: 3, ..PluginStatus::default() }]
    }

    async fn reload_plugin(&self, id: &str) -> Result<PluginStatus, Refusal> {
        Err(Refusal::new(format!("{id} is broken")).with_help("mend it"))
    }

    async fn simulate(&self, simulation: Simulation) -> Result<String, Refusal> {
        self.asked.lock().unwrap().push(format!("{simulation:?}"));
        Ok("simulator:1".into())
    }

    async fn queue(&self, request: QueueRequest) -> Result<Vec<TaskView>, Refusal> {
        self.asked.lock().unwrap().push(format!("{request:?}"));
        Ok(Vec::new())
    }

    async fn viewers(&self, name: &str, platform: Option<&str>, lines: u32) -> Result<Vec<ViewerView>, Refusal> {
        self.asked.lock().unwrap().push(format!("{name} {platform:?} {lines}"));
        Ok(Vec::new())
    }

    async fn auth(&self, request: AuthRequest) -> Result<AuthAnswer, Refusal> {
        self.asked.lock().unwrap().push(format!("{request:?}"));
        Ok(AuthAnswer::Pending { slow_down: true })
    }

    async fn reload_config(&self) -> Result<Reloaded, Refusal> {
        let (applied, needs_restart) = (vec!["the log filter".into()], vec!["data-dir".into()]);
        Ok(Reloaded { applied, needs_restart, ..Reloaded::default() })
    }

    async fn back_up(&self, file: &Path, overwrite: bool) -> Result<BackedUp, Refusal> {
        self.asked.lock().unwrap().push(format!("{} {overwrite}", file.display()));
        Ok(BackedUp { copied: None, warning: Some("the disk is full".into()) })
    }

    fn watch(&self) -> broadcast::Receiver<Arc<Observation>> {
        self.observer.watch()
    }

    fn stop(&self) {
        self.shutdown.cancel();
    }
}

struct Running {
    folder: TempDir,
    engine: Arc<FakeEngine>,
    task: JoinHandle<()>,
}

impl Running {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let engine = Arc::new(FakeEngine::default());
        let socket = ControlSocket::bind(folder.path()).map_err(|error| error.to_string()).unwrap();
        let task = tokio::spawn(socket.run(engine.clone(), engine.shutdown.clone()));
        Self { folder, engine, task }
    }

    async fn client(&self) -> Client {
        Client::connect(self.folder.path()).await.unwrap()
    }

    /// Without the client: bytes in, lines out.
    async fn raw(&self) -> BufReader<UnixStream> {
        BufReader::new(UnixStream::connect(socket_path(self.folder.path())).await.unwrap())
    }
}

async fn line(stream: &mut BufReader<UnixStream>) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    line
}

#[tokio::test]
async fn requests_of_every_kind_are_answered_on_one_connection() {
    let running = Running::start();
    let mut client = running.client().await;
    let Response::Status(status) = client.ask(&Request::Status).await.unwrap() else { panic!("no status") };
    assert_eq!((status.pid, status.plugins[0].generation), (7, 3));
    let request = Request::Plugins(PluginRequest::Inspect { id: "greeter".into() });
    assert!(matches!(client.ask(&request).await.unwrap(), Response::Plugin(plugin) if plugin.id == "greeter"));
    let request =
        Request::Simulate(Simulation { kind: "tip".into(), amount: Some("5".into()), ..Simulation::default() });
    assert!(
        matches!(client.ask(&request).await.unwrap(), Response::Simulated { event_id } if event_id == "simulator:1")
    );
    let request = Request::Queue(QueueRequest::Nack { task: "t".into(), lease: "l".into(), delay_ms: 5 });
    assert!(matches!(client.ask(&request).await.unwrap(), Response::Tasks { tasks } if tasks.is_empty()));
    let asked = running.engine.asked.lock().unwrap().join("\n");
    assert!(asked.contains("amount: Some(\"5\")") && asked.contains("delay_ms: 5"), "{asked}");
    assert!(matches!(client.ask(&Request::ReloadConfig).await.unwrap(), Response::Reloaded(_)));
}

#[tokio::test]
async fn a_refusal_brings_its_help_and_keeps_the_connection() {
    let running = Running::start();
    let mut client = running.client().await;
    let error = client.ask(&Request::Plugins(PluginRequest::Reload { id: "greeter".into() })).await.unwrap_err();
    assert_eq!((error.to_string(), error.help()), ("greeter is broken".into(), Some("mend it".into())));
    let error = client.ask(&Request::Plugins(PluginRequest::Inspect { id: "nobody".into() })).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no plugin nobody");
    assert!(client.ask(&Request::Status).await.is_ok());
}

#[tokio::test]
async fn garbage_is_refused_and_the_next_line_is_answered() {
    let running = Running::start();
    let mut stream = running.raw().await;
    for garbage in ["hello", "{}", "[1,2", "{\"request\":\"explode\"}", "\u{0}", "{\"request\":\"plugins\"}"] {
        stream.get_mut().write_all(format!("{garbage}\n").as_bytes()).await.unwrap();
        let answer = line(&mut stream).await;
        assert!(
            answer.contains("\"response\":\"refused\"") && answer.contains("not understood"),
            "{garbage}: {answer}"
        );
    }
    stream.get_mut().write_all(b"\xff\xfe\n\n{\"request\":\"status\"}\n").await.unwrap();
    assert!(line(&mut stream).await.contains("refused"));
    assert!(line(&mut stream).await.contains("\"response\":\"status\""));
}

#[tokio::test]
async fn an_endless_line_ends_the_connection_and_nothing_else() {
    let running = Running::start();
    let mut stream = running.raw().await;
    let endless = vec![b'x'; server::MAX_REQUEST + 1];
    stream.get_mut().write_all(&endless).await.unwrap();
    assert!(line(&mut stream).await.contains("longer than 65536 bytes"));
    assert_eq!(line(&mut stream).await, "", "the connection is closed");
    assert!(running.client().await.ask(&Request::Status).await.is_ok());
}

#[tokio::test]
async fn watchers_see_what_happens_until_the_daemon_stops() {
    let running = Running::start();
    let mut first = running.client().await.watch().await.unwrap();
    let second = running.client().await.watch().await.unwrap();
    drop(second);
    let state = ConnectionState::BackingOff { until_ms: 5, why: "refused".into() };
    running.engine.observer.observe(|| Observation::Connection { name: "retake:r".into(), state: state.clone() });
    let Some(Watched::Observation(seen)) = first.next().await.unwrap() else { panic!("nothing was seen") };
    assert!(matches!(&*seen, Observation::Connection { name, state: seen } if name == "retake:r" && *seen == state));
    assert!(matches!(running.client().await.ask(&Request::Stop).await.unwrap(), Response::Done));
    assert!(first.next().await.unwrap().is_none());
    timeout(Duration::from_secs(20), running.task).await.unwrap().unwrap();
    assert!(!socket_path(running.folder.path()).exists(), "the socket is left behind");
}

#[tokio::test]
async fn only_the_daemons_user_can_reach_it() {
    let parent = TempDir::new().unwrap();
    let folder = parent.path().join("data");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    let socket = ControlSocket::bind(&folder).map_err(|error| error.to_string()).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&socket_path(&folder))), (0o700, 0o600));
    drop(socket);
    let deep = parent.path().join("a/b");
    drop(ControlSocket::bind(&deep).map_err(|error| error.to_string()).unwrap());
    assert_eq!(mode(&deep), 0o700);
}

#[tokio::test]
async fn a_dead_daemons_socket_is_replaced_and_a_live_ones_is_not() {
    let running = Running::start();
    let error = ControlSocket::bind(running.folder.path()).err().unwrap();
    assert!(matches!(error, ControlError::Running(_)), "{error}");
    let folder = TempDir::new().unwrap();
    // What kill -9 leaves: a socket file without a listener.
    drop(std::os::unix::net::UnixListener::bind(socket_path(folder.path())).unwrap());
    assert!(matches!(Client::connect(folder.path()).await.unwrap_err(), ClientError::NotRunning(_)));
    assert!(ControlSocket::bind(folder.path()).is_ok());
    fs::write(socket_path(folder.path()), "mine").unwrap();
    assert!(matches!(ControlSocket::bind(folder.path()).err().unwrap(), ControlError::InTheWay(_)));
}
