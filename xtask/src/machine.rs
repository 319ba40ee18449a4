//! What this machine has. The only facts about the operating system that the shared code asks for.

use std::path::Path;

use fs_err as fs;

/// What a cluster can be made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    /// CPUs.
    pub(crate) cpus: u32,
    /// Bytes of memory in all, where known.
    pub(crate) memory: Option<u64>,
    /// Bytes of memory that are free now, where known.
    pub(crate) free: Option<u64>,
}

/// Looks at this machine. Where docker runs in a machine of its own (Docker Desktop), that one counts: see `docker info`.
pub(crate) fn look() -> Machine {
    let cpus = std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(u32::MAX));
    let memory = fs::read_to_string(Path::new("/proc/meminfo")).ok();
    let field = |name: &str| {
        let line = memory.as_ref()?.lines().find_map(|l| l.strip_prefix(name))?;
        line.trim_start_matches(':').trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
    };
    Machine { cpus, memory: field("MemTotal"), free: field("MemAvailable") }
}

/// Free bytes where docker keeps its data, and which folder that is; `None` where this system does not say, or docker has a machine of its own.
#[cfg(target_os = "linux")]
pub(crate) fn free_disk() -> Option<(&'static str, u64)> {
    let folder = ["/var/lib/docker", "/var/lib", "/"].into_iter().find(|folder| Path::new(folder).is_dir())?;
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some((folder, stat.f_bavail.saturating_mul(stat.f_frsize)))
}

/// Docker runs in a machine of its own: the disk of this one says nothing.
#[cfg(not(target_os = "linux"))]
pub(crate) fn free_disk() -> Option<(&'static str, u64)> {
    None
}

/// How many image builds may run at once: `next build` alone keeps two CPUs busy and takes 2 GiB.
pub(crate) fn build_slots() -> usize {
    let machine = look();
    let by_cpu = (machine.cpus / 2).max(2);
    let by_memory = machine.free.map_or(u64::MAX, |free| free / (2 << 30));
    usize::try_from(u64::from(by_cpu).min(by_memory)).unwrap_or(1).clamp(1, 8)
}

/// Whether this is the Windows Subsystem for Linux: its kernel says so.
pub(crate) fn is_wsl() -> bool {
    fs::read_to_string("/proc/version").is_ok_and(|version| version.to_lowercase().contains("microsoft"))
}
