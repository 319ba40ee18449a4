//! The runner against children that behave badly.

#[cfg(test)]
#[path = "support/sim.rs"]
mod sim;

use std::path::Path;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use calls::invocation::{Invocation, Secret, Stdin, Tool};
use serde_json::Value;
use sim::{config, simulated};
use tools::runner::{Channel, Exit, FollowEvent, LockError, RunError, Runner, RunnerConfig};
use toolsim::harness::Sim;
use toolsim::{Fault, World};

/// Longer than any bound of the runner for a short deadline, and much shorter than a child that hangs (120 s).
const BOUND: Duration = Duration::from_secs(20);

fn call(args: &[&str], deadline: Duration) -> Invocation {
    Invocation::new(Tool::Kubectl, "test", deadline).args(args.iter().copied())
}

fn short() -> Duration {
    Duration::from_millis(300)
}

fn long() -> Duration {
    Duration::from_secs(60)
}

fn hang() -> Fault {
    Fault { hang: true, ..Fault::of("kubectl", &["version"]) }
}

/// Whether any process of the simulation in this directory is alive (Linux).
fn alive(sim: &Sim) -> bool {
    let bin = sim.dir().join("bin");
    let running = |entry: std::io::Result<std::fs::DirEntry>| {
        let link = std::fs::read_link(entry.ok()?.path().join("exe")).ok()?;
        link.starts_with(&bin).then_some(())
    };
    Path::new("/proc").read_dir().is_ok_and(|entries| entries.into_iter().any(|entry| running(entry).is_some()))
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let until = Instant::now() + BOUND;
    while !done() {
        assert!(Instant::now() < until, "{what} did not come true");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_child_that_hangs_ends_at_its_deadline_and_what_it_said_is_kept() {
    let (sim, runner) = simulated(&World::empty());
    sim.fault(Fault { stdout: "half\n".into(), stderr: "waiting for the server\n".into(), ..hang() }).unwrap();
    let began = Instant::now();
    let Err(RunError::DeadlineExceeded { stdout, stderr, .. }) = runner.capture(&call(&["version"], short())) else {
        panic!("it ended by itself")
    };
    assert_eq!((stdout.as_str(), stderr.as_str()), ("half\n", "waiting for the server\n"));
    assert!(began.elapsed() < BOUND && !alive(&sim));
}

#[test]
fn a_grandchild_that_holds_the_pipe_ends_with_its_group() {
    let (sim, runner) = simulated(&World::empty());
    sim.fault(Fault { grandchild: true, ..hang() }).unwrap();
    let began = Instant::now();
    let result = runner.capture(&call(&["version"], short()));
    assert!(matches!(result, Err(RunError::DeadlineExceeded { .. })), "{result:?}");
    assert!(began.elapsed() < BOUND && !alive(&sim));
}

#[test]
fn a_child_that_ends_is_done_although_a_grandchild_holds_the_pipe() {
    let (sim, runner) = simulated(&World::empty());
    sim.fault(Fault { grandchild: true, stdout: "done\n".into(), code: Some(3), ..Fault::of("kubectl", &["version"]) }).unwrap();
    let began = Instant::now();
    let output = runner.capture(&call(&["version"], long())).unwrap();
    assert_eq!((output.exit, output.stdout.as_str()), (Exit::Code(3), "done\n"));
    assert!(began.elapsed() < BOUND);
}

#[test]
fn a_child_that_does_not_read_its_stdin_still_tells_why_it_failed() {
    let (sim, runner) = simulated(&World::empty());
    let words = "error: You must be logged in to the server (Unauthorized)\n";
    sim.fault(Fault { ignore_stdin: true, stderr: words.into(), code: Some(1), ..Fault::of("kubectl", &["apply"]) }).unwrap();
    let invocation = call(&["apply", "-f", "-"], long()).stdin(Stdin::Text("x".repeat(1024 * 1024)));
    let output = runner.capture(&invocation).unwrap();
    assert_eq!((output.exit, output.stderr.as_str()), (Exit::Code(1), words));
}

#[test]
fn stdin_arrives_whole_and_nowhere_else() {
    let (sim, runner) = simulated(&World::running());
    let manifest = r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"stringData":{"PASSWORD":"hunter2-hunter2"}}"#;
    let invocation =
        call(&["--context", "minikube", "-n", "default", "apply", "-f", "-"], long()).stdin(Stdin::Secret(Secret::new(manifest)));
    assert_eq!(runner.capture(&invocation).unwrap().exit, Exit::Code(0));
    let calls = sim.calls().unwrap();
    assert_eq!(calls[0].stdin_bytes, manifest.len());
    assert!(!calls[0].args.iter().chain(&calls[0].environ).any(|text| text.contains("hunter2")));
    let journal = std::fs::read_to_string(sim.dir().join("target/xtask/journal.jsonl")).unwrap();
    assert!(!journal.contains("hunter2") && journal.contains(&format!("\"stdin_bytes\":{}", manifest.len())));
    assert!(!format!("{invocation:?}").contains("hunter2"));
}

#[test]
fn a_secret_leaves_neither_by_lines_nor_errors_nor_the_journal() {
    let (sim, runner) = simulated(&World::empty());
    let url = "postgresql://todo:s3cr%40t-pw@db:5432/todo";
    runner.redact(&Secret::new(url));
    let said = format!("cannot connect to {url}: password s3cr@t-pw or s3cr%40t-pw is wrong; czNjckB0LXB3\n");
    let fault = Fault { stdout: said.clone(), stderr: said, ..Fault::of("kubectl", &["version"]) };
    sim.fault(Fault { code: Some(1), times: Some(2), ..fault.clone() }).unwrap();
    sim.fault(Fault { hang: true, ..fault }).unwrap();
    let clean = "cannot connect to <secret>: password <secret> or <secret> is wrong; <secret>";
    let mut lines = Vec::new();
    let output = runner.stream(&call(&["version"], long()), &mut |line| lines.push(line.text)).unwrap();
    assert_eq!(lines, [clean, clean]);
    assert_eq!((output.stdout.trim(), output.stderr.trim()), (clean, clean));
    let error = runner.ask(&call(&["version"], long()), |_| Err::<(), _>(tools::Refusal::Failed)).unwrap_err();
    let failure = error.failure().unwrap();
    assert_eq!((failure.stdout.trim(), failure.stderr.trim()), (clean, clean));
    let late = runner.capture(&call(&["version"], short())).unwrap_err();
    assert!(!format!("{late:?}").contains("s3cr"));
    let journal = std::fs::read_to_string(sim.dir().join("target/xtask/journal.jsonl")).unwrap();
    assert!(journal.contains("<secret>") && !journal.contains("s3cr"), "{journal}");
}

#[test]
fn lines_come_while_the_child_runs() {
    let (sim, runner) = simulated(&World::empty());
    sim.fault(Fault { stdout: "one\ntwo\n".into(), ..hang() }).unwrap();
    let cancel = runner.cancel().clone();
    let mut lines = Vec::new();
    // The child never ends by itself: that the second line cancels it proves that lines are live.
    let result = runner.stream(&call(&["version"], long()), &mut |line| {
        assert_eq!(line.channel, Channel::Stdout);
        lines.push(line.text);
        if lines.len() == 2 {
            cancel.request();
        }
    });
    assert!(matches!(result, Err(RunError::Cancelled { .. })), "{result:?}");
    assert_eq!(lines, ["one", "two"]);
    wait_until("the end of the child", || !alive(&sim));
    let after = runner.capture(&call(&["version"], long()));
    assert!(matches!(after, Err(RunError::Cancelled { .. })), "nothing starts after a cancel");
}

#[test]
fn cancel_from_another_thread_ends_all_and_spares_clean_up_once() {
    let (sim, runner) = simulated(&World::empty());
    sim.fault(hang()).unwrap();
    let began = Instant::now();
    std::thread::scope(|scope| {
        let asked: Vec<_> = (0..3).map(|_| scope.spawn(|| runner.capture(&call(&["version"], long())))).collect();
        wait_until("the start of three calls", || sim.calls().is_ok_and(|calls| calls.len() == 3));
        runner.cancel().request();
        for thread in asked {
            assert!(matches!(thread.join().unwrap(), Err(RunError::Cancelled { .. })));
        }
        let cleanup = runner.for_cleanup();
        let spared = scope.spawn(move || cleanup.capture(&call(&["version"], long())));
        wait_until("the start of the clean-up", || sim.calls().is_ok_and(|calls| calls.len() == 4));
        runner.cancel().request();
        assert!(matches!(spared.join().unwrap(), Err(RunError::Cancelled { .. })));
    });
    assert!(began.elapsed() < BOUND && !alive(&sim));
}

#[test]
fn a_follower_ends_with_its_handle() {
    let (sim, runner) = simulated(&World::empty());
    sim.fault(Fault { grandchild: true, stdout: "first\n".into(), ..hang() }).unwrap();
    let follow = runner.spawn_follow(&call(&["version"], long()).until_cancelled()).unwrap();
    let Some(FollowEvent::Line(line)) = follow.recv_timeout(BOUND) else { panic!("no line came") };
    assert_eq!(line.text, "first");
    assert!(follow.recv_timeout(Duration::from_millis(1)).is_none());
    drop(follow);
    assert!(!alive(&sim));
}

#[test]
fn a_follower_tells_how_it_ended() {
    let (sim, runner) = simulated(&World::empty());
    sim.fault(Fault { stderr: "gone\n".into(), code: Some(1), ..Fault::of("kubectl", &["version"]) }).unwrap();
    let follow = runner.spawn_follow(&call(&["version"], long())).unwrap();
    assert!(matches!(follow.recv(), Some(FollowEvent::Line(line)) if line.channel == Channel::Stderr && line.text == "gone"));
    assert!(matches!(follow.recv(), Some(FollowEvent::Ended(Ok(output))) if output.exit == Exit::Code(1)));
    assert!(follow.recv().is_none());
}

#[test]
fn a_missing_tool_is_named() {
    let (sim, runner) = simulated(&World::empty());
    sim.without("kubectl").unwrap();
    let error = runner.capture(&call(&["version"], long())).unwrap_err();
    assert_eq!(error.to_string(), "`kubectl` was not found on PATH");
    assert_eq!(runner.locate(Tool::Kubectl), None);
    assert!(runner.locate(Tool::Helm).is_some());
}

#[test]
fn the_journal_has_a_line_for_every_call_and_is_moved_aside_when_long() {
    let sim = Sim::new(&World::empty()).unwrap();
    let runner = Runner::new(RunnerConfig { journal_limit: 1, ..config(&sim) });
    runner.capture(&call(&["version"], long())).unwrap();
    runner.capture(&call(&["config", "view"], long()).env("KUBECONFIG", "/nosuch")).unwrap();
    assert_eq!(runner.journal_problem(), None);
    let read = |name: &str| -> Value {
        let text = std::fs::read_to_string(sim.dir().join("target/xtask").join(name)).unwrap();
        assert_eq!(text.lines().count(), 1);
        serde_json::from_str(&text).unwrap()
    };
    let (old, new) = (read("journal.1.jsonl"), read("journal.jsonl"));
    assert_eq!((old["argv"].clone(), old["exit"].clone()), (Value::from(vec!["version"]), Value::from("0")));
    assert_eq!((new["tool"].clone(), new["env"].clone()), (Value::from("kubectl"), Value::from(vec!["KUBECONFIG"])));
    assert!(new["time"].as_str().unwrap().ends_with('Z'));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(sim.dir().join("target/xtask/journal.jsonl")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn lines_of_many_threads_don_t_mix_in_the_journal() {
    let (sim, runner) = simulated(&World::empty());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..5).for_each(|_| drop(runner.capture(&call(&["version"], long())).unwrap())));
        }
    });
    let journal = std::fs::read_to_string(sim.dir().join("target/xtask/journal.jsonl")).unwrap();
    assert_eq!(journal.lines().filter(|line| serde_json::from_str::<Value>(line).is_ok()).count(), 20);
}

/// What a killed run leaves is made by a real one: this test starts itself again, as a run that is killed.
#[test]
#[cfg(target_os = "linux")]
fn what_a_killed_run_left_behind_is_ended_by_the_next() {
    const RUN: &str = "TOOLS_TEST_KILLED_RUN";
    if let Some(dir) = std::env::var_os(RUN) {
        let env = std::env::vars_os().collect();
        let runner = Runner::new(RunnerConfig { env, ..RunnerConfig::new(dir) });
        let _lock = runner.lock().unwrap();
        runner.capture(&call(&["version"], long())).unwrap();
        return;
    }
    let sim = Sim::new(&World::empty()).unwrap();
    sim.fault(hang()).unwrap();
    let me = std::env::current_exe().unwrap();
    let mut program = Invocation::new(Tool::App, "a run that is killed", long()).args([
        "--exact",
        "what_a_killed_run_left_behind_is_ended_by_the_next",
        "--nocapture",
    ]);
    program.program = Some(me);
    let program = sim.env().into_iter().fold(program, |p, (name, value)| p.env(name.to_str().unwrap(), value.to_str().unwrap()));
    let outer = Runner::new(RunnerConfig { grace: Duration::ZERO, ..RunnerConfig::new(sim.dir().join("outer")) });
    std::fs::create_dir(sim.dir().join("outer")).unwrap();
    let (ended, end) = channel();
    std::thread::scope(|scope| {
        let killed = scope.spawn(|| {
            let result = outer.stream(&program.env(RUN, sim.dir().to_str().unwrap()), &mut |_| {});
            ended.send(()).unwrap();
            result
        });
        wait_until("the start of the child's child", || {
            let lock = std::fs::read_to_string(sim.dir().join("target/xtask/lock")).unwrap_or_default();
            lock.contains("\n+")
        });
        let runner = Runner::new(config(&sim));
        assert!(matches!(runner.lock(), Err(LockError::Held { holder: Some(_), .. })));
        // SIGTERM has no handler there, so the run dies at once and ends nothing.
        outer.cancel().request();
        assert!(matches!(killed.join().unwrap(), Err(RunError::Cancelled { .. })));
        end.recv().unwrap();
        assert!(alive(&sim), "the hanging tool leads a group of its own and outlives its run");
        let lock = runner.lock().unwrap();
        assert_eq!(lock.orphans().iter().map(|orphan| orphan.ended).collect::<Vec<_>>(), [true]);
        assert!(!alive(&sim));
    });
}
