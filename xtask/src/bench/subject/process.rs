//! A process that is measured: pinned to a core, read out through /proc, stopped by its id.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

/// What subjects run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Core {
    /// The first core of the machine; load and origin have the last one.
    Real,
    /// The same, under callgrind, which counts instructions.
    Counted,
}

/// A process and what it starts.
pub struct Process {
    child: Child,
    /// Where callgrind puts its counts.
    counts: Option<PathBuf>,
}

/// How long a process may take to listen. Under callgrind everything is slow.
const START: Duration = Duration::from_secs(120);

impl Process {
    /// Starts a program. `name` names its files in `folder`; its output is kept if `piped`.
    pub fn start(
        core: Core,
        folder: &Path,
        name: &str,
        program: &Path,
        words: &[&str],
        piped: bool,
    ) -> Result<Self> {
        let log = std::fs::File::create(folder.join(format!("{name}.log")))?;
        let counts = (core == Core::Counted).then(|| folder.join(format!("{name}.counts")));
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]);
        if let Some(counts) = &counts {
            let file = format!("--callgrind-out-file={}", counts.display());
            command.args(["valgrind", "--tool=callgrind", &file]);
        }
        let output = if piped { Stdio::piped() } else { Stdio::null() };
        let started = command.arg(program).args(words).stdout(output).stderr(log).spawn();
        let child = started.with_context(|| format!("{name} cannot be started"))?;
        Ok(Self { child, counts })
    }

    /// Its output.
    pub fn output(&mut self) -> Result<ChildStdout> {
        self.child.stdout.take().ok_or_else(|| anyhow!("no output"))
    }

    /// Waits until it takes connections.
    pub fn until_listening(&mut self, address: SocketAddr) -> Result<()> {
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended: {status}; see its log");
            }
            if start.elapsed() > START {
                bail!("it does not listen on {address}");
            }
            std::thread::yield_now();
        }
        Ok(())
    }

    /// Microseconds of CPU that it has used, from the scheduler.
    pub fn cpu_us(&self) -> Result<f64> {
        let mut nanoseconds = 0u64;
        for process in self.family()? {
            for task in std::fs::read_dir(format!("/proc/{process}/task"))? {
                let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
                let first = text.split_whitespace().next().unwrap_or("0");
                nanoseconds += first.parse::<u64>()?;
            }
        }
        Ok(nanoseconds as f64 / 1000.0)
    }

    /// Bytes of memory that it occupies; what processes share is split among them.
    pub fn memory(&self) -> Result<f64> {
        let mut sum = 0.0;
        for process in self.family()? {
            let text = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
            let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
            let kib = line.and_then(|line| line.split_whitespace().next()).unwrap_or("0");
            sum += kib.parse::<f64>()? * 1024.0;
        }
        Ok(sum)
    }

    /// Starts the count of instructions anew.
    pub fn zero(&self) -> Result<()> {
        self.tell("zero")
    }

    /// Instructions in user space since `zero`.
    pub fn instructions(&self) -> Result<f64> {
        let counts = self.counts.as_ref().context("not run under callgrind")?;
        self.tell("dump")?;
        let newest = (1..).map(|n| PathBuf::from(format!("{}.{n}", counts.display())));
        let newest = newest.take_while(|file| file.exists()).last();
        let text = std::fs::read_to_string(newest.context("callgrind wrote no counts")?)?;
        let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
        Ok(total.context("no total in callgrind's counts")?.trim().parse()?)
    }

    /// Gives callgrind a command and waits until it is done.
    fn tell(&self, command: &str) -> Result<()> {
        let id = format!("--pid={}", self.child.id());
        let told = Command::new("vgdb").args([&id, command]).output()?;
        if !told.status.success() {
            bail!("vgdb: {}", String::from_utf8_lossy(&told.stderr));
        }
        Ok(())
    }

    /// It and its children.
    fn family(&self) -> Result<Vec<u32>> {
        let parent = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"))?;
        let children: Result<Vec<u32>, _> = children.split_whitespace().map(str::parse).collect();
        Ok([vec![parent], children?].concat())
    }
}

impl Drop for Process {
    /// SIGTERM through the shell's `kill`, so that nginx ends its worker; then wait.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let id = self.child.id().to_string();
        let told = Command::new("kill").arg(&id).status();
        if told.is_ok_and(|status| status.success()) {
            let _ended = self.child.wait();
        }
    }
}
