//! The proxies that are measured: started with one worker on one core, stopped by their ids.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

/// A running proxy.
pub struct Subject {
    /// What it is called in the table.
    pub name: &'static str,
    /// Where it listens.
    pub address: SocketAddr,
    /// The host that requests name.
    pub host: String,
    process: Child,
}

/// The core that proxies run on; origin and load share the others.
const CORE: &str = "0";

impl Subject {
    /// Breezeway with the whole path: HTTP API, link, internal load balancer, rule, target.
    pub fn breezeway(root: &Path, folder: &Path, origin: SocketAddr) -> Result<Self> {
        let log = std::fs::File::create(folder.join("breezeway.log"))?;
        let mut process = pinned(root.join("target/release/breezeway"))
            .args(["up", "bench/main-road.yaml", "--output", "json", "--ephemeral"])
            .args(["--workers", "1", "--log", "warn"])
            .args(["--api", "127.0.0.1:0", "--http", "127.0.0.1:0", "--https", "127.0.0.1:0"])
            .arg("--parameter")
            .arg(format!("Origin={origin}"))
            .current_dir(root)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("breezeway cannot be started (taskset comes with util-linux)")?;
        let output = process.stdout.take().ok_or_else(|| anyhow!("no output"))?;
        let mut text = String::new();
        for line in BufReader::new(output).lines() {
            let line = line?;
            text.push_str(&line);
            if line == "}" {
                break;
            }
        }
        let outputs: serde_json::Value = serde_json::from_str(&text)
            .with_context(|| format!("`breezeway up` printed {text:?}; see breezeway.log"))?;
        let url = outputs["outputs"]["Url"].as_str().unwrap_or_default();
        let host = url.trim_start_matches("http://").to_owned();
        let port: u16 = host.rsplit(':').next().unwrap_or_default().parse()?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let subject = Self { name: "breezeway", address, host, process };
        subject.until_ready()?;
        Ok(subject)
    }

    /// nginx as a plain reverse proxy with kept-alive upstream connections; none if not installed.
    pub fn nginx(folder: &Path, origin: SocketAddr) -> Result<Option<Self>> {
        if Command::new("nginx").arg("-v").stderr(Stdio::null()).status().is_err() {
            return Ok(None);
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let shown = folder.display();
        let config = format!(
            "worker_processes 1; daemon off; pid {shown}/nginx.pid; error_log {shown}/nginx.log;\n\
             events {{ worker_connections 4096; }}\n\
             http {{ access_log off; keepalive_requests 1000000000;\n\
             client_body_temp_path {shown}; proxy_temp_path {shown}; fastcgi_temp_path {shown};\n\
             uwsgi_temp_path {shown}; scgi_temp_path {shown};\n\
             upstream origin {{ server {origin}; keepalive 128; }}\n\
             server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://origin;\n\
             proxy_http_version 1.1; proxy_set_header Connection \"\";\n\
             proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }} }} }}\n"
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, config)?;
        let process = pinned("nginx").arg("-c").arg(&file).stderr(Stdio::null()).spawn()?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let subject = Self { name: "nginx", address, host: "localhost".into(), process };
        subject.until_ready()?;
        Ok(Some(subject))
    }

    /// Microseconds of CPU that its processes have used, from the scheduler.
    pub fn cpu_us(&self) -> Result<f64> {
        let mut nanoseconds = 0u64;
        for process in family(self.process.id())? {
            for task in std::fs::read_dir(format!("/proc/{process}/task"))? {
                let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
                let first = text.split_whitespace().next().unwrap_or("0");
                nanoseconds += first.parse::<u64>()?;
            }
        }
        Ok(nanoseconds as f64 / 1000.0)
    }

    fn until_ready(&self) -> Result<()> {
        let start = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if start.elapsed() > Duration::from_secs(10) {
                bail!("{} does not listen on {}", self.name, self.address);
            }
            std::thread::yield_now();
        }
        Ok(())
    }
}

impl Drop for Subject {
    /// SIGTERM through the shell's `kill`, so that nginx ends its worker; then wait.
    fn drop(&mut self) {
        let id = self.process.id().to_string();
        let told = Command::new("kill").arg(&id).status();
        if told.is_ok_and(|status| status.success()) {
            let _ended = self.process.wait();
        }
    }
}

fn pinned(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", CORE]).arg(program);
    command
}

/// A process and its children.
fn family(parent: u32) -> Result<Vec<u32>> {
    let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"))?;
    let children: Result<Vec<u32>, _> = children.split_whitespace().map(str::parse).collect();
    Ok([vec![parent], children?].concat())
}
