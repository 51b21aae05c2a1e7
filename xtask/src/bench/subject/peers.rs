//! nginx and HAProxy as plain reverse proxies, and one behind the other.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{Core, Process, Stage, Subject, certificate, free_port, loopback};
use crate::bench::install;

/// The name in the peers' certificate.
const HOST: &str = "bench.localhost";

/// nginx before the origin.
pub fn nginx(stage: &Stage<'_>) -> Result<Subject> {
    let (http, https, process) = start_nginx(stage, "nginx", stage.origin)?;
    subject(stage, "nginx", http, https, vec![process])
}

/// HAProxy before the origin.
pub fn haproxy(stage: &Stage<'_>) -> Result<Subject> {
    let (http, https, process) = start_haproxy(stage, "haproxy")?;
    subject(stage, "haproxy", http, https, vec![process])
}

/// nginx before HAProxy before the origin.
pub fn chain(stage: &Stage<'_>) -> Result<Subject> {
    let (behind, _, second) = start_haproxy(stage, "chain-haproxy")?;
    let (http, https, first) = start_nginx(stage, "chain-nginx", behind)?;
    subject(stage, "nginx → haproxy", http, https, vec![first, second])
}

fn subject(
    stage: &Stage<'_>,
    name: &'static str,
    http: SocketAddr,
    https: SocketAddr,
    processes: Vec<Process>,
) -> Result<Subject> {
    let root = Some(certificate(&identity(stage)?)?);
    Ok(Subject { name, http, https: Some(https), host: HOST.into(), root, processes })
}

type Started = (SocketAddr, SocketAddr, Process);

fn start_nginx(stage: &Stage<'_>, name: &str, upstream: SocketAddr) -> Result<Started> {
    let (http, https) = (loopback(free_port()?), loopback(free_port()?));
    // Callgrind counts one process: the master serves then.
    let master = if stage.core == Core::Counted { "off" } else { "on" };
    let (shown, pem) = (stage.folder.display(), identity(stage)?);
    let pem = pem.display();
    let config = format!(
        "worker_processes 1; daemon off; master_process {master};\n\
         pid {shown}/{name}.pid; error_log {shown}/{name}.error.log; worker_rlimit_nofile 16384;\n\
         events {{ worker_connections 8192; multi_accept on; }}\n\
         http {{ access_log off; tcp_nodelay on; keepalive_timeout 1h; keepalive_time 24h;\n\
         keepalive_requests 1000000000; client_body_temp_path {shown}/body;\n\
         proxy_temp_path {shown}/proxy; fastcgi_temp_path {shown}/fastcgi;\n\
         uwsgi_temp_path {shown}/uwsgi; scgi_temp_path {shown}/scgi;\n\
         upstream behind {{ server {upstream}; keepalive 256; keepalive_timeout 1h;\n\
         keepalive_time 24h; keepalive_requests 1000000000; }}\n\
         server {{ listen {http} backlog=4096; listen {https} ssl http2 backlog=4096;\n\
         ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate {pem}; ssl_certificate_key {pem};\n\
         location / {{ proxy_pass http://behind; proxy_http_version 1.1;\n\
         proxy_set_header Connection \"\"; proxy_set_header Host $http_host;\n\
         proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n\
         proxy_set_header X-Forwarded-Proto $scheme; }} }} }}\n"
    );
    let file = stage.folder.join(format!("{name}.conf"));
    std::fs::write(&file, config)?;
    let words = ["-c", &file.to_string_lossy()];
    let program = install::find("nginx")?;
    let mut process = Process::start(stage.core, &stage.folder, name, &program, &words, false)?;
    process.until_listening(http)?;
    Ok((http, https, process))
}

fn start_haproxy(stage: &Stage<'_>, name: &str) -> Result<Started> {
    let (http, https) = (loopback(free_port()?), loopback(free_port()?));
    let (origin, pem) = (stage.origin, identity(stage)?);
    let pem = pem.display();
    let config = format!(
        "global\n  nbthread 1\n  maxconn 6000\n  tune.pool-low-fd-ratio 90\n\
         defaults\n  mode http\n  timeout connect 10s\n  timeout client 1h\n  timeout server 1h\n\
         \x20 timeout http-keep-alive 1h\n  http-reuse always\n  option forwardfor\n\
         frontend front\n  bind {http} backlog 4096\n\
         \x20 bind {https} backlog 4096 ssl crt {pem} alpn h2,http/1.1\n\
         \x20 http-request set-header X-Forwarded-Proto http\n\
         \x20 default_backend behind\n\
         backend behind\n  server origin {origin} pool-purge-delay 1h\n"
    );
    let file = stage.folder.join(format!("{name}.conf"));
    std::fs::write(&file, config)?;
    let words = ["-db", "-f", &file.to_string_lossy()];
    let program = install::find("haproxy")?;
    let mut process = Process::start(stage.core, &stage.folder, name, &program, &words, false)?;
    process.until_listening(http)?;
    Ok((http, https, process))
}

/// Key and certificate for the peers, in one file.
fn identity(stage: &Stage<'_>) -> Result<PathBuf> {
    let file = stage.folder.join("identity.pem");
    if !file.exists() {
        write_identity(&file)?;
    }
    Ok(file)
}

fn write_identity(file: &Path) -> Result<()> {
    let made = rcgen::generate_simple_self_signed([HOST.to_owned()])?;
    std::fs::write(file, made.signing_key.serialize_pem() + &made.cert.pem())?;
    Ok(())
}
