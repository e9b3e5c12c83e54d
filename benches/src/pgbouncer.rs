//! pgbouncer in session mode, where it is installed: the yardstick for what a proxy costs.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;

use phigate_testkit::{Cluster, eventually};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// What `nobody` usually is; pgbouncer refuses to run as root.
const NOBODY: u32 = 65_534;

/// A running pgbouncer; dropping it ends it.
pub(crate) struct Pgbouncer {
    pub(crate) port: u16,
    pub(crate) pid: u32,
    _child: Child,
    _directory: TempDir,
}

impl Pgbouncer {
    /// Starts it in front of `cluster`; inside TLS with `server.pem` and `server.key` of a directory.
    /// `None` where it is not installed.
    pub(crate) async fn start(cluster: &Cluster, identity: Option<&Path>) -> Option<Self> {
        let program = which::which("pgbouncer")
            .or_else(|_| which::which("/usr/sbin/pgbouncer"))
            .ok()?;
        let directory = tempfile::tempdir().expect("a temporary directory");
        let port = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let users = directory.path().join("users.txt");
        let config = directory.path().join("pgbouncer.ini");
        let password = cluster.superuser_password();
        std::fs::write(&users, format!("\"postgres\" \"{password}\"\n")).expect("a file");
        let tls = identity.map_or_else(String::new, |identity| {
            let lines = ["cert", "key"].map(|what| {
                let extension = if what == "key" { "key" } else { "pem" };
                let file = directory.path().join(extension);
                let pem = std::fs::read(identity.join(format!("server.{extension}")));
                std::fs::write(&file, pem.expect("PEM")).expect("a file");
                let readable = std::fs::Permissions::from_mode(0o644);
                std::fs::set_permissions(&file, readable).expect("a mode");
                format!("client_tls_{what}_file = {}\n", file.display())
            });
            format!("client_tls_sslmode = require\n{}", lines.concat())
        });
        let text = format!(
            "[databases]\nclinic = host=127.0.0.1 port={} dbname=clinic user=postgres password={password}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = scram-sha-256\nauth_file = {}\npool_mode = session\n\
             default_pool_size = 150\nmax_client_conn = 500\nlog_connections = 0\n\
             log_disconnections = 0\n{tls}",
            cluster.port(),
            users.display()
        );
        std::fs::write(&config, text).expect("a file");
        for path in [directory.path(), &users, &config] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
        }
        let mut command = std::process::Command::new(program);
        command.arg("--quiet").arg(&config);
        let id = std::process::Command::new("id")
            .arg("-u")
            .output()
            .expect("id");
        if id.stdout.trim_ascii() == b"0" {
            command.uid(NOBODY).gid(NOBODY);
        }
        let child = Command::from(command)
            .kill_on_drop(true)
            .spawn()
            .expect("pgbouncer runs");
        eventually("pgbouncer", async || {
            TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        let pid = child.id().expect("it runs");
        Some(Self {
            port,
            pid,
            _child: child,
            _directory: directory,
        })
    }
}
