//! Real processes: one control plane and gateways beside it, each to be killed, stopped and started
//! again on its own.

use std::ffi::OsString;
use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};

use phigate::serve::{self, Part};
use phigate_config::Config;
use phigate_pki::{DevCa, Identity};
use phigate_proto::v1::CreateGrantRequest;
use phigate_testkit::{Cluster, clinic, eventually};
use phigate_types::GatewayId;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::admin::{self, Admin, Login};

/// Ports are taken from below the range that the kernel gives to clients, so that a port stays free
/// between a process's end and its next start.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// How the processes are to be.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The program and its first arguments; `serve PART --config FILE` follows.
    pub program: Vec<OsString>,
    /// How many gateways.
    pub gateways: usize,
    /// The recording level: `process`, `local` or `strict`.
    pub recording: &'static str,
    /// The classification file of the database `clinic`.
    pub classification: String,
    /// The gateways' way to PostgreSQL, if not the hospital's broker.
    pub upstream: Option<String>,
    /// Where the control plane listens and where the gateways do.
    pub hosts: (Ipv4Addr, Ipv4Addr),
    /// What goes before every program: `env NAME=VALUE`.
    pub before: Vec<OsString>,
    /// What goes before the program of a gateway: `ip netns exec NAME`.
    pub within: Vec<OsString>,
    /// More of the `[gateway]` table.
    pub gateway: String,
    /// TLS towards clients on loopback too: `state/pki/server.pem` and `.key`, of the development CA.
    pub tls: bool,
}

/// A control plane and its gateways.
#[derive(Debug)]
pub struct Fleet {
    /// The PostgreSQL behind them.
    pub cluster: Cluster,
    /// The admin's connection.
    pub admin: Admin,
    /// The control plane's process.
    pub control: Daemon,
    /// The gateways' processes: `gateway-1` and so on.
    pub gateways: Vec<Daemon>,
    directory: TempDir,
}

/// One process; killed when dropped.
#[derive(Debug)]
pub struct Daemon {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it shows its metrics.
    pub monitoring: SocketAddr,
    /// Its configuration file.
    pub config: PathBuf,
    command: Vec<OsString>,
    log: PathBuf,
    child: Option<Child>,
}

impl Plan {
    /// Gateways of this program on loopback, over the small hospital, at recording level `process`.
    pub fn new(program: Vec<OsString>, gateways: usize) -> Self {
        Self {
            program,
            gateways,
            recording: "process",
            classification: clinic::CLASSIFICATION.to_owned(),
            upstream: None,
            hosts: (Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST),
            before: Vec::new(),
            within: Vec::new(),
            gateway: String::new(),
            tls: false,
        }
    }

    /// Starts everything on a PostgreSQL whose database `clinic` it serves; returns when every gateway
    /// takes connections.
    ///
    /// # Panics
    /// When anything does not start.
    pub async fn start(self, cluster: Cluster) -> Fleet {
        let directory = tempfile::Builder::new().prefix("phigate-").tempdir();
        let directory = directory.expect("a directory");
        let root = directory.path();
        let at = SocketAddr::new(self.hosts.0.into(), free_port());
        let mut control = self.daemon(&root.join("control"), "control", at, at, &cluster);
        control.start();
        let config = Config::load(&control.config).expect("a valid configuration");
        let admin = eventually("the control plane", async || {
            Admin::connect(at, &config).await.ok()
        })
        .await;
        let ca = DevCa::load_or_create(&config.pki_dir()).expect("the CA is there");
        let mut gateways = Vec::new();
        for number in 1..=self.gateways {
            let id = format!("gateway-{number}");
            let listen = SocketAddr::new(self.hosts.1.into(), free_port());
            let mut gateway = self.daemon(&root.join(&id), &id, listen, at, &cluster);
            admit(&ca, &id, listen.ip(), &root.join(&id).join("state/pki"));
            gateway.start();
            gateways.push(gateway);
        }
        let fleet = Fleet {
            cluster,
            admin,
            control,
            gateways,
            directory,
        };
        for gateway in &fleet.gateways {
            gateway.answers().await;
        }
        fleet
    }

    /// One that serves as another does, with the same certificates and a directory of its own.
    ///
    /// # Panics
    /// When files cannot be written.
    pub fn twin(&self, fleet: &Fleet, number: usize) -> Daemon {
        let id = format!("gateway-{number}");
        let listen = SocketAddr::new(self.hosts.1.into(), free_port());
        let root = fleet.directory.path().join(format!("{id}-twin"));
        let config = Config::load(&fleet.control.config).expect("a valid configuration");
        let ca = DevCa::load_or_create(&config.pki_dir()).expect("the CA is there");
        let at = fleet.control.address;
        let twin = self.daemon(&root, &id, listen, at, &fleet.cluster);
        admit(&ca, &id, listen.ip(), &root.join("state/pki"));
        twin
    }

    /// Writes the configuration of one process.
    fn daemon(
        &self,
        directory: &Path,
        id: &str,
        listen: SocketAddr,
        control: SocketAddr,
        cluster: &Cluster,
    ) -> Daemon {
        std::fs::create_dir_all(directory).expect("a directory");
        let write = |name: &str, text: &str| {
            std::fs::write(directory.join(name), text).expect("a file is written");
        };
        write("clinic.phi.csv", &self.classification);
        let upstream = self
            .upstream
            .clone()
            .unwrap_or_else(|| clinic::broker_url(cluster));
        let Self {
            recording, gateway, ..
        } = self;
        let host = control.ip();
        let monitoring = SocketAddr::new(listen.ip(), free_port());
        write(
            "phigate.toml",
            &format!(
                r#"data_dir = "state"
[control]
listen = "{control}"
names = ["{host}"]
[gateway]
id = "{id}"
listen = "{listen}"
control = "https://{control}"
tls = {tls}
{gateway}
[audit]
recording = "{recording}"
[monitoring]
listen = "{monitoring}"
[[database]]
name = "clinic"
upstream = "{upstream}"
catalog = "clinic.phi.csv"
enforcement = "inline"
"#,
                tls = if listen.ip().is_loopback() && !self.tls {
                    r#""off""#
                } else {
                    r#"{ cert = "state/pki/server.pem", key = "state/pki/server.key" }"#
                },
            ),
        );
        let part = if id == "control" {
            "control"
        } else {
            "gateway"
        };
        let config = directory.join("phigate.toml");
        let before = if part == "gateway" {
            &self.within[..]
        } else {
            &[]
        };
        let mut command = [&self.before[..], before, &self.program[..]].concat();
        command.extend([
            "serve".into(),
            part.into(),
            "--config".into(),
            config.clone().into(),
        ]);
        Daemon {
            address: listen,
            monitoring,
            log: directory.join("log"),
            config,
            command,
            child: None,
        }
    }
}

impl Fleet {
    /// A grant of `limited_dataset` for an hour, or what `change` makes of it; to be used through the
    /// first gateway.
    ///
    /// # Panics
    /// When the control plane refuses.
    pub async fn grant(
        &self,
        principal: &str,
        change: impl FnOnce(&mut CreateGrantRequest),
    ) -> Login {
        let mut request = admin::request(principal);
        change(&mut request);
        let made = self.admin.create(request).await.expect("the grant is made");
        let gateway = self.gateways.first().expect("there is a gateway");
        Login {
            grant_id: made.grant.expect("the answer holds the grant").grant_id,
            user: made.user,
            password: made.password,
            host: gateway.address.ip().to_string(),
            port: gateway.address.port(),
            ca: None,
        }
    }
}

impl Daemon {
    /// Starts it; what it says goes to its log file.
    ///
    /// # Panics
    /// When the program cannot be run.
    pub fn start(&mut self) {
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.expect("a log file");
        let (program, arguments) = self.command.split_first().expect("a program");
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.child = Some(child.expect("the program runs"));
    }

    /// Waits until it takes connections.
    ///
    /// # Panics
    /// When it does not in time.
    pub async fn answers(&self) {
        let answering = eventually("a gateway that answers", async || {
            std::net::TcpStream::connect(self.address).ok()
        });
        drop(answering.await);
    }

    /// Its process id.
    ///
    /// # Panics
    /// When it does not run.
    pub fn pid(&self) -> Pid {
        let child = self.child.as_ref().expect("it runs");
        Pid::from_child(child)
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// When it does not run.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("it is ours");
    }

    /// Ends it without warning, as a crash or the OOM killer would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Waits until it ends by itself, and says how.
    ///
    /// # Panics
    /// When it does not end in time.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it runs");
        eventually("the end of a process", async || {
            child.try_wait().expect("it is ours")
        })
        .await
    }

    /// Changes its configuration file.
    ///
    /// # Panics
    /// When the file does not hold `from`.
    pub fn reconfigure(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(&self.config).expect("its configuration");
        assert!(text.contains(from), "{from} is not in\n{text}");
        std::fs::write(&self.config, text.replace(from, to)).expect("a file is written");
    }

    /// A file beside its configuration.
    ///
    /// # Panics
    /// When the configuration lies nowhere.
    pub fn file(&self, name: &str) -> PathBuf {
        let directory = self.config.parent().expect("a directory");
        directory.join(name)
    }

    /// Waits until it has said this so often.
    ///
    /// # Panics
    /// When it does not in time.
    pub async fn says(&self, what: &str, times: usize) {
        eventually(what, async || {
            (self.said().matches(what).count() >= times).then_some(())
        })
        .await;
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("{}:\n{}", self.config.display(), self.said());
        }
    }
}

/// Serves as `phigate` does: `serve gateway|control|all --config FILE`.
///
/// # Errors
/// How it is used.
pub fn serve(
    arguments: impl Iterator<Item = String>,
) -> Result<impl Future<Output = anyhow::Result<ExitCode>> + Send + 'static, &'static str> {
    let arguments: Vec<String> = arguments.collect();
    let [serve, part, option, config] = arguments.as_slice() else {
        return Err("serve PART --config FILE");
    };
    let part = match (serve.as_str(), part.as_str(), option.as_str()) {
        ("serve", "gateway", "--config") => Part::Gateway,
        ("serve", "control", "--config") => Part::Control,
        ("serve", "all", "--config") => Part::All,
        _ => return Err("serve gateway|control|all --config FILE"),
    };
    let config = PathBuf::from(config);
    Ok(async move { Box::pin(serve::run(part, &config)).await })
}

/// Gives a gateway its certificates, as an operator hands them to another machine.
fn admit(ca: &DevCa, id: &str, address: IpAddr, pki: &Path) {
    let name: GatewayId = id.parse().expect("a name");
    std::fs::create_dir_all(pki).expect("a directory");
    std::fs::write(pki.join("ca.pem"), ca.certificate_pem()).expect("a file is written");
    let write = |stem: &str, identity: &Identity| {
        let file = |suffix: &str| pki.join(format!("{stem}.{suffix}"));
        std::fs::write(file("pem"), &identity.cert_chain_pem).expect("a file is written");
        phigate_pki::write_new_secret_file(&file("key"), identity.key_pem.expose())
            .expect("a file is written");
    };
    write("gateway", &ca.gateway(id, &name).expect("a certificate"));
    let (stem, address) = (format!("{id}-server"), address.to_string());
    let server = ca.server(&stem, &[&address]).expect("a certificate");
    write("server", &server);
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    use std::sync::atomic::{AtomicU16, Ordering};
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let span = PORTS.end - PORTS.start;
    // Processes of the same minute begin at different places.
    let start = u16::try_from(std::process::id() % u32::from(span)).unwrap_or(0);
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::UNSPECIFIED, *port)).is_ok();
    std::iter::repeat_with(|| NEXT.fetch_add(1, Ordering::Relaxed))
        .take(usize::from(span))
        .map(|next| PORTS.start + (start.wrapping_mul(7).wrapping_add(next)) % span)
        .find(is_free)
        .expect("a free port")
}
