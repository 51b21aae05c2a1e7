//! Writes the lines of load balancers' logs: into objects of buckets, which are folders, and for
//! somebody who watches.
//!
//! A node of a load balancer has one file for each log and interval. It grows under a name that
//! readers pass over (`.….part`) and gets its own when the interval ends, so nobody reads half a
//! file. What cannot be written is dropped and counted; traffic goes on.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use model::{Buckets, Timestamp};
use proxy::Journal;
use routing::balancer::log::{Folder, Kind, Line};
use tokio::sync::{mpsc, oneshot};

/// Files that are open at once; more are finished early, as AWS does with busy ones.
pub const OPEN_FILES: usize = 64;

/// Where lines go.
#[derive(Clone, Debug)]
pub struct Place {
    /// The folder of the buckets; none when nothing is kept.
    pub buckets: Option<Buckets>,
    /// A file or `-` (standard output) for all access log lines as they come.
    pub live: Option<PathBuf>,
    /// How long a file grows.
    pub interval: Duration,
}

/// The thread that writes.
#[derive(Debug)]
pub struct LogFiles {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl LogFiles {
    /// Starts the thread. The journal takes lines.
    pub fn start(place: Place) -> Result<(LogFiles, Arc<Journal>)> {
        let live = place.live.as_deref().map(open_live).transpose()?;
        let (journal, lines) = Journal::new(live.is_some());
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut writer = Writer {
            buckets: place.buckets,
            live,
            interval_ms: i64::try_from(place.interval.as_millis()).unwrap_or(i64::MAX).max(1),
            parts: BTreeMap::new(),
            journal: Arc::clone(&journal),
            failed: false,
        };
        let run = move || runtime.block_on(writer.run(lines, stopped));
        let thread = std::thread::Builder::new().name("log files".to_owned()).spawn(run)?;
        Ok((LogFiles { stop, thread }, journal))
    }

    /// Writes what was handed over, finishes all files and ends. The workers have ended before.
    pub fn stop(self) {
        // A thread that has ended needs no word.
        let _ = self.stop.send(());
        if self.thread.join().is_err() {
            tracing::error!("the thread that writes log files ended unexpectedly");
        }
    }
}

type Live = Box<dyn Write + Send>;

fn open_live(path: &Path) -> Result<Live> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdout()));
    }
    let opened = File::options().create(true).append(true).open(path);
    let file =
        opened.with_context(|| format!("--access-log {} cannot be opened", path.display()))?;
    Ok(Box::new(file))
}

struct Writer {
    buckets: Option<Buckets>,
    live: Option<Live>,
    interval_ms: i64,
    parts: BTreeMap<(Arc<Folder>, IpAddr), Part>,
    journal: Arc<Journal>,
    /// The last attempt to write failed, and somebody was told.
    failed: bool,
}

/// A file that grows.
struct Part {
    path: PathBuf,
    whole: PathBuf,
    out: GzEncoder<BufWriter<File>>,
}

impl Writer {
    async fn run(&mut self, mut lines: mpsc::Receiver<Vec<Line>>, mut stop: oneshot::Receiver<()>) {
        let mut end = self.end_after(api::now());
        loop {
            let left = u64::try_from(end.0.saturating_sub(api::now().0)).unwrap_or(0);
            tokio::select! {
                batch = lines.recv() => match batch {
                    Some(batch) => self.write(batch, end),
                    None => break,
                },
                () = tokio::time::sleep(Duration::from_millis(left)) => {}
                _ = &mut stop => break,
            }
            if api::now() >= end {
                self.finish();
                end = self.end_after(api::now());
            }
        }
        while let Ok(batch) = lines.try_recv() {
            self.write(batch, end);
        }
        self.finish();
    }

    /// The end of the interval that `now` is in. AWS: intervals begin with the hour.
    fn end_after(&self, now: Timestamp) -> Timestamp {
        Timestamp((now.0.div_euclid(self.interval_ms) + 1).saturating_mul(self.interval_ms))
    }

    fn write(&mut self, batch: Vec<Line>, end: Timestamp) {
        let mut live = String::new();
        for line in batch {
            let Line { kind, folder, node, mut text } = line;
            text.push('\n');
            if kind == Kind::Access && self.live.is_some() {
                live.push_str(&text);
            }
            let written = folder.map_or(Ok(()), |folder| self.append(folder, node, &text, end));
            self.note(written);
        }
        if let Some(out) = &mut self.live {
            let written = out.write_all(live.as_bytes()).and_then(|()| out.flush());
            self.note(written);
        }
    }

    fn append(
        &mut self,
        folder: Arc<Folder>,
        node: IpAddr,
        text: &str,
        end: Timestamp,
    ) -> io::Result<()> {
        // An ephemeral node has no buckets; a finding says so.
        let Some(buckets) = &self.buckets else { return Ok(()) };
        let key = (folder, node);
        if !self.parts.contains_key(&key) {
            let object = key.0.key(node, end, fastrand::u64(..));
            let whole = buckets.object(&key.0.bucket, &object);
            let part = Part::open(whole.ok_or(io::ErrorKind::InvalidFilename)?)?;
            if self.parts.len() >= OPEN_FILES {
                self.finish();
            }
            self.parts.insert(key.clone(), part);
        }
        let Some(part) = self.parts.get_mut(&key) else { return Ok(()) };
        part.out.write_all(text.as_bytes())
    }

    fn finish(&mut self) {
        for (_, part) in std::mem::take(&mut self.parts) {
            let finished = part.finish();
            self.note(finished);
        }
    }

    /// Says so once when writing begins to fail.
    fn note(&mut self, written: io::Result<()>) {
        match written {
            Ok(()) => self.failed = false,
            Err(error) => {
                self.journal.dropped.add(1);
                if !std::mem::replace(&mut self.failed, true) {
                    tracing::warn!(%error, "lines of load balancers' logs cannot be written");
                }
            }
        }
    }
}

impl Part {
    fn open(whole: PathBuf) -> io::Result<Part> {
        let name = whole.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let path = whole.with_file_name(format!(".{name}.part"));
        whole.parent().map_or(Ok(()), fs::create_dir_all)?;
        let file = BufWriter::new(File::create(&path)?);
        Ok(Part { path, whole, out: GzEncoder::new(file, Compression::default()) })
    }

    fn finish(self) -> io::Result<()> {
        self.out.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        fs::rename(self.path, self.whole)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::MultiGzDecoder;
    use model::balancer::LoadBalancer;

    use super::*;

    fn folder(bucket: &str) -> Arc<Folder> {
        let arn = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/web/1";
        let set = [("enabled", "true"), ("bucket", bucket), ("prefix", "p")];
        let set = set.map(|(key, value)| (format!("access_logs.s3.{key}"), value.to_owned()));
        let record = LoadBalancer {
            scope: model::Scope::new("000000000000", "us-east-1"),
            arn: arn.into(),
            name: "web".into(),
            kind: model::balancer::LoadBalancerType::Application,
            scheme: model::balancer::Scheme::Internal,
            dns_name: String::new(),
            vpc: "vpc-1".into(),
            zones: Vec::new(),
            security_groups: Vec::new(),
            ip_address_type: "ipv4".into(),
            attributes: set.into(),
            capacity: Default::default(),
            state: model::balancer::LoadBalancerState::Active,
            tags: model::Tags::new(),
            created: Timestamp(0),
        };
        Arc::new(Folder::of(&record, Kind::Access).unwrap())
    }

    fn writer(buckets: &Path) -> Writer {
        Writer {
            buckets: Some(Buckets(buckets.to_owned())),
            live: None,
            interval_ms: 300_000,
            parts: BTreeMap::new(),
            journal: Journal::off(),
            failed: false,
        }
    }

    fn line(folder: &Arc<Folder>, node: u8, text: &str) -> Line {
        let (folder, node) = (Some(Arc::clone(folder)), IpAddr::from([10, 0, 0, node]));
        Line { kind: Kind::Access, folder, node, text: text.to_owned() }
    }

    fn files(below: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in fs::read_dir(below).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
        }
        found.sort();
        found
    }

    #[test]
    fn a_file_is_whole_or_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let (mut writer, folder) = (writer(dir.path()), folder("logs"));
        let end = writer.end_after(Timestamp(1_458_941_172_920));
        assert_eq!(end, Timestamp(1_458_941_400_000));
        writer.write(vec![line(&folder, 1, "one"), line(&folder, 2, "other")], end);
        writer.write(vec![line(&folder, 1, "two")], end);
        let is_part = |path: &PathBuf| path.to_string_lossy().ends_with(".part");
        assert!(files(dir.path()).iter().all(is_part), "{:?}", files(dir.path()));
        writer.finish();
        let found = files(dir.path());
        assert_eq!(found.len(), 2, "{found:?}");
        let mut text = String::new();
        MultiGzDecoder::new(File::open(&found[0]).unwrap()).read_to_string(&mut text).unwrap();
        assert_eq!(text, "one\ntwo\n");
        let name = found[0].strip_prefix(dir.path()).unwrap().to_string_lossy().into_owned();
        let start = "logs/p/AWSLogs/000000000000/elasticloadbalancing/us-east-1/2016/03/25/\
                     000000000000_elasticloadbalancing_us-east-1_app.web.1_20160325T2130Z_\
                     10.0.0.1_";
        assert!(name.starts_with(start) && name.ends_with(".log.gz"), "{name}");
    }

    #[test]
    fn files_that_are_too_many_are_finished_early() {
        let dir = tempfile::tempdir().unwrap();
        let (mut writer, folder) = (writer(dir.path()), folder("logs"));
        for node in 0..=OPEN_FILES {
            writer.write(vec![line(&folder, node as u8, "x")], Timestamp(300_000));
        }
        assert_eq!(writer.parts.len(), 1);
        let whole =
            files(dir.path()).iter().filter(|path| path.extension().unwrap() == "gz").count();
        assert_eq!(whole, OPEN_FILES);
    }

    #[test]
    fn what_cannot_be_written_is_counted() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = writer(dir.path());
        fs::write(dir.path().join("taken"), "a file, no bucket").unwrap();
        for bucket in ["taken", "..", "a/b", "/etc", ""] {
            let before = writer.journal.dropped.get();
            writer.write(vec![line(&folder(bucket), 1, "x")], Timestamp(300_000));
            assert_eq!(writer.journal.dropped.get(), before + 1, "{bucket:?}");
        }
        writer.finish();
        assert_eq!(files(dir.path()).len(), 1);
    }
}
