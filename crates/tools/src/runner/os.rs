//! What differs between operating systems: process groups, signals, start times, private files.
//!
//! Unix: each child leads its own process group and signals go to the group. Windows: this process joins a job object that ends
//! its whole tree when it goes, and one child's tree is ended with `taskkill /T`.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus};

use super::Exit;

/// A child with everything that it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pid: u32,
}

impl Group {
    /// The group that the child `pid` leads, if it was started through [`lead_group`].
    pub(crate) const fn of(pid: u32) -> Self {
        Self { pid }
    }

    /// Asks the group to end.
    pub(crate) fn terminate(self) {
        imp::end_group(self.pid, imp::End::Ask);
    }

    /// Ends the group.
    pub(crate) fn kill(self) {
        imp::end_group(self.pid, imp::End::Force);
    }
}

/// To be called on a command before it is started: it will lead its own group.
pub(crate) fn lead_group(command: &mut Command) -> io::Result<()> {
    imp::lead_group(command)
}

/// How the child ended.
pub(crate) fn exit_of(status: ExitStatus) -> Exit {
    status.code().map_or_else(|| Exit::Signal(imp::signal_of(status)), Exit::Code)
}

/// When process `pid` was started, as text that differs for another process with the same id; `None` where it is gone or can't
/// be known. Linux: `/proc` (boot id and start ticks). macOS and BSD: `ps`. Windows: unknown, the job object makes it needless.
pub(crate) fn start_time(pid: u32) -> Option<String> {
    imp::start_time(pid)
}

/// Opens a file for appending that only its owner may read; created where missing.
pub(crate) fn append_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).read(true);
    imp::private(&mut options);
    options.open(path).map_err(|e| io::Error::new(e.kind(), format!("cannot open `{}`: {e}", path.display())))
}

/// Calls `on_signal` with the number of each signal that asks this process to end (SIGINT, SIGTERM, SIGHUP; Ctrl-C on Windows),
/// on a thread of its own, for the rest of the process's life.
pub(crate) fn watch_signals(on_signal: impl Fn(i32) + Send + 'static) -> io::Result<()> {
    imp::watch_signals(on_signal)
}

#[cfg(unix)]
mod imp {
    use std::fs::OpenOptions;
    use std::io;
    use std::os::unix::fs::OpenOptionsExt as _;
    use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
    use std::process::{Command, ExitStatus};

    use rustix::process::{Pid, Signal, kill_process_group};

    #[derive(Clone, Copy)]
    pub(super) enum End {
        Ask,
        Force,
    }

    #[expect(clippy::unnecessary_wraps, reason = "the signature that duct's hook and Windows need")]
    pub(super) fn lead_group(command: &mut Command) -> io::Result<()> {
        command.process_group(0);
        Ok(())
    }

    pub(super) fn end_group(pid: u32, end: End) {
        let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
        let signal = match end {
            End::Ask => Signal::TERM,
            End::Force => Signal::KILL,
        };
        // An error means that the group is gone, which is what was wanted; that it ended is seen by the wait, not here.
        kill_process_group(pid, signal).unwrap_or_default();
    }

    pub(super) fn watch_signals(on_signal: impl Fn(i32) + Send + 'static) -> io::Result<()> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in signals.forever() {
                on_signal(signal);
            }
        })?;
        Ok(())
    }

    pub(super) fn signal_of(status: ExitStatus) -> i32 {
        status.signal().unwrap_or_default()
    }

    pub(super) fn private(options: &mut OpenOptions) {
        options.mode(0o600);
    }

    #[cfg(target_os = "linux")]
    pub(super) fn start_time(pid: u32) -> Option<String> {
        let stat = fs_err::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let boot = fs_err::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        // The second field is the name in parentheses and may hold anything; the start is the 20th field after it.
        let (_, after_name) = stat.rsplit_once(") ")?;
        let mut fields = after_name.split_whitespace();
        if fields.next()? == "Z" {
            return None;
        }
        Some(format!("{} {}", boot.trim(), fields.nth(18)?))
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn start_time(pid: u32) -> Option<String> {
        let pid = pid.to_string();
        let told = crate::short::ask("ps", &["-o", "lstart=", "-p", &pid], None)?;
        (!told.is_empty()).then_some(told)
    }
}

#[cfg(windows)]
mod imp {
    use std::fs::OpenOptions;
    use std::io;
    use std::process::{Command, ExitStatus};
    use std::sync::OnceLock;

    use win32job::{ExtendedLimitInfo, Job};

    #[derive(Clone, Copy)]
    pub(super) enum End {
        Ask,
        Force,
    }

    /// Lives as long as this process; its end closes the job and with it every child.
    static JOB: OnceLock<Option<Job>> = OnceLock::new();

    pub(super) fn lead_group(_: &mut Command) -> io::Result<()> {
        let job = JOB.get_or_init(|| {
            let mut limits = ExtendedLimitInfo::new();
            limits.limit_kill_on_job_close();
            let job = Job::create_with_limit_info(&limits).ok()?;
            job.assign_current_process().ok()?;
            Some(job)
        });
        job.as_ref().map(|_| ()).ok_or_else(|| io::Error::other("cannot put this process into a job object"))
    }

    pub(super) fn end_group(pid: u32, end: End) {
        let pid = pid.to_string();
        // Without /F a console program gets no message it could obey, so asking is followed by force after the grace.
        let args: &[&str] = match end {
            End::Ask => &["/T", "/PID", &pid],
            End::Force => &["/T", "/F", "/PID", &pid],
        };
        // An error means that the tree is gone; that it ended is seen by the wait, not here.
        let _told: Option<String> = crate::short::ask("taskkill", args, None);
    }

    pub(super) fn watch_signals(on_signal: impl Fn(i32) + Send + 'static) -> io::Result<()> {
        use signal_hook::consts::{SIGINT, SIGTERM};
        use std::sync::Arc;
        use std::sync::atomic::{AtomicUsize, Ordering};
        // Windows has no signal iterator: the handler leaves a number, a thread looks at it.
        let seen = Arc::new(AtomicUsize::new(0));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register_usize(signal, Arc::clone(&seen), usize::try_from(signal).unwrap_or_default())?;
        }
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            loop {
                std::thread::sleep(std::time::Duration::from_millis(100));
                let signal = seen.swap(0, Ordering::SeqCst);
                if signal != 0 {
                    on_signal(i32::try_from(signal).unwrap_or_default());
                }
            }
        })?;
        Ok(())
    }

    pub(super) fn signal_of(_: ExitStatus) -> i32 {
        0
    }

    pub(super) fn private(_: &mut OpenOptions) {}

    pub(super) fn start_time(_: u32) -> Option<String> {
        None
    }
}
