//! What a person (or a program) sees of whole runs.

mod scenes;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indicatif::{InMemoryTerm, ProgressDrawTarget, TermLike};

use super::display::{DisplayConfig, ReportConfig, Verbosity};
use super::event::Event;
use super::files::ReportFiles;
use super::record::Record;
use super::{Pipe, Reporter, View, github, json, junit, plain, terminal, timeline};
use scenes::Scene;

/// Bytes that a test can look at while a view owns the writer.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The in-memory terminal as stderr.
struct TermWriter(InMemoryTerm);

impl Write for TermWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_str(&String::from_utf8_lossy(bytes).replace('\n', "\r\n"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        TermLike::flush(&self.0)
    }
}

fn play(view: &mut dyn View, scene: &Scene) {
    let mut record = Record::default();
    let mut last = Duration::ZERO;
    for (at, event) in scene {
        // Time goes by between events as it does in a run: views get their ticks.
        while last + Duration::from_secs(1) < *at {
            last += Duration::from_secs(1);
            view.tick(&record, last).unwrap();
        }
        record.apply(*at, event);
        view.event(&record, *at, event).unwrap();
        last = *at;
    }
    view.close(&record, last).unwrap();
}

/// stderr and stdout of a scene as plain lines.
fn plain(config: &ReportConfig, scene: &Scene) -> (String, String) {
    let (stderr, stdout) = (Buffer::default(), Buffer::default());
    let mut view = plain::Plain::new(&DisplayConfig::resolve(config), Box::new(stderr.clone()), Box::new(stdout.clone()));
    play(&mut view, scene);
    (stderr.text(), stdout.text())
}

/// What stands in a terminal of 80 columns after a scene (or a part of one).
struct Screen {
    term: InMemoryTerm,
    stdout: Buffer,
    view: terminal::Terminal,
}

impl Screen {
    fn new(config: &ReportConfig) -> Self {
        let term = InMemoryTerm::new(60, 80);
        let stdout = Buffer::default();
        let view = terminal::Terminal::new(
            &DisplayConfig::resolve(config),
            ProgressDrawTarget::term_like(Box::new(term.clone())),
            Box::new(|| Some(80)),
            Box::new(TermWriter(term.clone())),
            Box::new(stdout.clone()),
        );
        Self { term, stdout, view }
    }
}

fn in_terminal(config: &ReportConfig, scene: &Scene) -> String {
    let mut screen = Screen::new(config);
    play(&mut screen.view, scene);
    screen.term.contents()
}

fn terminal_config() -> ReportConfig {
    ReportConfig {
        stdout_is_terminal: true,
        stderr_is_terminal: true,
        width: Some(80),
        no_color: true,
        ..ReportConfig::default()
    }
}

#[test]
fn first_deploy_in_a_terminal() {
    insta::assert_snapshot!(in_terminal(&terminal_config(), &scenes::first_deploy()));
}

#[test]
fn live_lines_while_steps_run() {
    let mut screen = Screen::new(&terminal_config());
    let mut record = Record::default();
    let scene: Scene = scenes::first_deploy().into_iter().take_while(|(at, _)| *at < Duration::from_secs(40)).collect();
    for (at, event) in &scene {
        record.apply(*at, event);
        screen.view.event(&record, *at, event).unwrap();
    }
    screen.view.tick(&record, Duration::from_secs(40)).unwrap();
    insta::assert_snapshot!(screen.term.contents());
    // Ctrl-C: the live lines go, what was finished stays.
    screen.view.close(&record, Duration::from_secs(40)).unwrap();
    insta::assert_snapshot!("live_lines_are_gone_after_ctrl_c", screen.term.contents());
}

/// Two looks of a follower: the second is shorter.
fn followed() -> Scene {
    let look = |text: &str, changed: &str, ready: u8| Event::Screen {
        about: "status",
        text: text.into(),
        changed: changed.into(),
        data: serde_json::json!({"ready": ready}),
    };
    vec![
        (Duration::from_secs(1), look("headline\n  wait  backend  0/1\n  wait  pod\n", "  wait  backend  0/1\n  wait  pod\n", 0)),
        (Duration::from_secs(2), look("headline\n  ok    backend  1/1\n", "  ok    backend  1/1\n", 1)),
    ]
}

#[test]
fn what_is_followed_is_redrawn_in_a_terminal_and_stays_at_the_end() {
    let mut screen = Screen::new(&terminal_config());
    let mut record = Record::default();
    for (at, event) in &followed() {
        record.apply(*at, event);
        screen.view.event(&record, *at, event).unwrap();
    }
    assert_eq!(screen.term.contents(), "headline\n  ok    backend  1/1");
    assert_eq!(screen.stdout.text(), "");
    let end = Event::Finished { exit_code: 0, summary: String::new(), pointers: Vec::new(), took: Duration::ZERO };
    record.apply(Duration::from_secs(3), &end);
    screen.view.event(&record, Duration::from_secs(3), &end).unwrap();
    assert_eq!(screen.stdout.text(), "headline\n  ok    backend  1/1\n");
}

#[test]
fn what_is_followed_is_changed_lines_in_a_pipe_and_answers_as_json() {
    let (_, stdout) = plain(&ReportConfig::default(), &followed());
    assert_eq!(stdout, "  wait  backend  0/1\n  wait  pod\n  ok    backend  1/1\n");
    let line = json::line(Duration::ZERO, &followed()[1].1).unwrap();
    assert_eq!(line, r#"{"schema":1,"at":0.0,"kind":"answer","about":"status","data":{"ready":1}}"#);
}

#[test]
fn first_deploy_in_a_pipe() {
    let (stderr, stdout) = plain(&ReportConfig::default(), &scenes::first_deploy());
    insta::assert_snapshot!(stderr);
    assert_eq!(stdout, "");
}

#[test]
fn a_deploy_with_nothing_to_do_is_one_line() {
    let scene = scenes::nothing_to_do();
    let (stderr, _) = plain(&ReportConfig::default(), &scene);
    assert_eq!(stderr, in_terminal(&terminal_config(), &scene) + "\n");
    insta::assert_snapshot!(stderr);
    let verbose = ReportConfig { verbosity: Verbosity::Verbose, ..terminal_config() };
    insta::assert_snapshot!("nothing_to_do_verbose", in_terminal(&verbose, &scene));
}

#[test]
fn a_failure() {
    insta::assert_snapshot!(in_terminal(&terminal_config(), &scenes::failure()));
    let verbose = ReportConfig { verbosity: Verbosity::Verbose, ..terminal_config() };
    insta::assert_snapshot!("a_failure_verbose", in_terminal(&verbose, &scenes::failure()));
}

#[test]
fn a_failure_in_colour() {
    let (stderr, _) = plain(&ReportConfig { clicolor_force: true, ..ReportConfig::default() }, &scenes::failure());
    insta::assert_snapshot!(stderr.replace('\u{1b}', "<ESC>"));
    let (without, _) = plain(&ReportConfig::default(), &scenes::failure());
    assert_eq!(anstream::adapter::strip_str(&stderr).to_string(), without);
}

#[test]
fn many_findings() {
    insta::assert_snapshot!(in_terminal(&terminal_config(), &scenes::many_findings()));
}

#[test]
fn quiet_says_only_what_is_wrong() {
    let quiet = ReportConfig { verbosity: Verbosity::Quiet, ..ReportConfig::default() };
    assert_eq!(plain(&quiet, &scenes::first_deploy()), (String::new(), String::new()));
    insta::assert_snapshot!(plain(&quiet, &scenes::failure()).0);
}

#[test]
fn on_github() {
    let config = ReportConfig { is_ci: true, github_actions: true, ..ReportConfig::default() };
    insta::assert_snapshot!(plain(&config, &scenes::many_findings()).0);
}

#[test]
fn a_tool_cannot_command_github() {
    let config = ReportConfig { github_actions: true, verbosity: Verbosity::Debug, ..ReportConfig::default() };
    let hostile = ["::add-mask::x", "  ::stop-commands::x", "a ##[error]b", "::endgroup::", "\u{1b}[0m::error::c"];
    let (stderr, _) = plain(&config, &scenes::with_hostile_text(&hostile));
    let commands: Vec<&str> = stderr.lines().filter(|line| line.trim_start().starts_with("::") || line.contains("##[")).collect();
    assert_eq!(commands.len(), 3, "{stderr}");
    assert!(
        commands[0].starts_with("::group::") && commands[1] == "::endgroup::" && commands[2].starts_with("::error title="),
        "{stderr}"
    );
}

#[test]
fn silence_is_broken_every_thirty_seconds() {
    let (stderr, _) = plain(&ReportConfig::default(), &scenes::long_wait());
    insta::assert_snapshot!(stderr);
}

#[test]
fn each_round_of_a_watch_is_a_run_of_its_own() {
    let second = |(at, event): (Duration, Event)| (at + Duration::from_secs(300), event);
    let mut scene = scenes::failure();
    scene.extend(scenes::nothing_to_do().into_iter().map(second));
    let once = |scene: &Scene, verbosity| plain(&ReportConfig { verbosity, ..ReportConfig::default() }, scene).0;
    let apart = |verbosity| (once(&scenes::failure(), verbosity), once(&scenes::nothing_to_do(), verbosity));
    let (first, then) = apart(Verbosity::Verbose);
    assert_eq!(once(&scene, Verbosity::Verbose), first + &then);
    // A cycle is told by its closing line; what a person can do now was said at the end of the first.
    let (first, then) = apart(Verbosity::Normal);
    let line = then.split_once("  open ").map_or(&*then, |(line, _)| line);
    assert_eq!(once(&scene, Verbosity::Normal), first.clone() + line);
    // Unless it fails.
    let mut failing = scenes::nothing_to_do();
    failing.extend(scenes::failure().into_iter().map(second));
    let told = once(&failing, Verbosity::Normal);
    let findings = |text: &str| text[text.find("\nerror[").unwrap()..].to_owned();
    assert!(told.ends_with(&findings(&first)), "{told}");
    let record = record_of(&scene);
    assert_eq!((record.findings.len(), record.steps.len(), record.begun), (0, 3, Duration::from_secs(300)));
    assert_eq!(timeline::render(&record, Duration::ZERO), timeline::render(&record_of(&scenes::nothing_to_do()), Duration::ZERO));
}

#[test]
fn an_answer_goes_to_stdout_alone() {
    let scene = vec![(Duration::ZERO, scenes::answer())];
    let (stderr, stdout) = plain(&ReportConfig::default(), &scene);
    assert_eq!((stderr.as_str(), stdout.as_str()), ("", "backend  1/1 ready\nfrontend 1/1 ready\n"));
    let mut screen = Screen::new(&terminal_config());
    play(&mut screen.view, &scene);
    assert_eq!((screen.term.contents().as_str(), screen.stdout.text().as_str()), ("", stdout.as_str()));
}

#[test]
fn json_lines() {
    let stdout = Buffer::default();
    play(&mut json::Json::new(Box::new(stdout.clone())), &scenes::many_findings());
    let text = stdout.text();
    for line in text.lines() {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(object["schema"], 1);
        assert!(object["kind"].is_string() && object["at"].is_number());
    }
    insta::assert_snapshot!(text);
}

fn record_of(scene: &Scene) -> Record {
    let mut record = Record::default();
    for (at, event) in scene {
        record.apply(*at, event);
    }
    record
}

#[test]
fn junit_file() {
    let text = junit::render(&record_of(&scenes::many_findings()), Duration::ZERO);
    insta::assert_snapshot!(text);
    // A refused config fails no step, and still must turn the report red.
    let refused: Scene = scenes::many_findings().into_iter().filter(|(_, event)| matches!(event, Event::Finding(_))).collect();
    let text = junit::render(&record_of(&refused), Duration::from_secs(1));
    assert!(text.contains("tests=\"4\" failures=\"4\""), "{text}");
    // A run that was stopped.
    let stopped: Scene = scenes::first_deploy().into_iter().take(6).collect();
    insta::assert_snapshot!("junit_of_a_stopped_run", junit::render(&record_of(&stopped), Duration::from_secs(40)));
}

#[test]
fn junit_holds_any_text() {
    let hostile = ["</failure>", "\u{0}\u{8}", "\"&'", "]]>"];
    let text = junit::render(&record_of(&scenes::with_hostile_text(&hostile)), Duration::ZERO);
    assert!(!text.contains("]]>") && !text.contains('\u{0}') && text.matches("</failure>").count() == 1, "{text}");
}

#[test]
fn timeline_page() {
    let page = timeline::render(&record_of(&scenes::first_deploy()), Duration::ZERO);
    insta::assert_snapshot!(page);
    for outside in ["<script", "http:", "https:", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "the page loads something: {outside}");
    }
    let hostile = timeline::render(&record_of(&scenes::with_hostile_text(&["<script>alert(1)</script>"])), Duration::ZERO);
    assert!(!hostile.contains("<script"), "{hostile}");
}

#[test]
fn github_job_summary() {
    insta::assert_snapshot!(github::summary(&record_of(&scenes::many_findings())));
    let hostile = github::summary(&record_of(&scenes::with_hostile_text(&["a|b <img src=x>"])));
    assert!(!hostile.contains("<img") && !hostile.contains("a|b"), "{hostile}");
}

#[test]
fn files_are_written_when_the_run_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| Some(dir.path().join("new").join(name));
    let files = ReportFiles { junit: at("junit.xml"), timeline: at("timeline.html"), step_summary: at("summary.md") };
    for _ in 0..2 {
        let reporter = Reporter::with_views(files.clone().views()).unwrap();
        for (_, event) in scenes::failure() {
            reporter.send(event);
        }
        reporter.close().unwrap();
    }
    let read = |path: Option<std::path::PathBuf>| std::fs::read_to_string(path.unwrap()).unwrap();
    assert_eq!(read(files.junit).matches("<testsuites").count(), 1);
    assert_eq!(read(files.timeline).matches("<!doctype").count(), 1);
    assert_eq!(read(files.step_summary).matches("### todo-chatbot").count(), 2, "other steps of the job write to it too");

    let unwritable = ReportFiles { junit: Some(dir.path().to_owned()), ..ReportFiles::default() };
    let error = Reporter::with_views(unwritable.views()).unwrap().close().unwrap_err().to_string();
    assert!(error.contains(&dir.path().display().to_string()), "{error}");
}

/// Each kind of event once. The match has no wildcard: a new kind does not compile until it has an example here.
fn one_of_each() -> Vec<Event> {
    let all: Vec<Event> = [scenes::first_deploy(), scenes::failure(), vec![(Duration::ZERO, scenes::answer())]]
        .into_iter()
        .flatten()
        .map(|(_, event)| event)
        .collect();
    let kind = |event: &Event| match event {
        Event::Started { .. } => 0,
        Event::StepStarted { after, .. } if after.is_empty() => usize::MAX,
        Event::StepStarted { .. } => 1,
        Event::StepProgress { .. } => 2,
        Event::StepOutput { .. } => 3,
        Event::StepFinished { .. } => 4,
        Event::Command { .. } => 5,
        Event::Note { .. } => 6,
        Event::Answer { .. } | Event::Screen { .. } => 7,
        Event::Finding(_) => 8,
        Event::Finished { .. } => 9,
    };
    (0..10).map(|number| all.iter().find(|event| kind(event) == number).unwrap().clone()).collect()
}

#[test]
fn docs_json_md_shows_every_kind_as_it_is() {
    let doc = include_str!("../../../docs/json.md");
    for event in one_of_each() {
        let line = json::line(Duration::from_millis(1500), &event).unwrap();
        let kind = serde_json::from_str::<serde_json::Value>(&line).unwrap()["kind"].as_str().unwrap().to_owned();
        assert!(doc.contains(&format!("### `{kind}`")), "docs/json.md has no section `{kind}`");
        assert!(doc.contains(&format!("```json\n{line}\n```")), "docs/json.md, section `{kind}`, should show:\n{line}");
    }
    assert!(doc.contains(&format!("`schema` is {}", json::SCHEMA)));
    for class in diagnosis::finding::Class::ALL {
        let name = serde_json::to_value(class).unwrap().as_str().unwrap().to_owned();
        let row = format!("| {} | `{name}` |", class.exit_code());
        assert!(doc.contains(&row), "docs/json.md has no row `{row}`");
    }
}

#[test]
fn many_threads_share_one_reporter() {
    let stdout = Buffer::default();
    let reporter = Reporter::with_views(vec![Box::new(json::Json::new(Box::new(stdout.clone())))]).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let reporter = reporter.clone();
            scope.spawn(move || {
                for n in 0..50 {
                    reporter.send(Event::Note { text: format!("{thread}/{n}") });
                }
            });
        }
    });
    assert_eq!(reporter.suspend(|| 7), 7);
    reporter.close().unwrap();
    reporter.close().unwrap();
    reporter.send(Event::Note { text: "too late".into() });
    assert_eq!(reporter.suspend(|| 8), 8);
    let text = stdout.text();
    assert_eq!(text.lines().count(), 200);
    assert!(text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
}

/// A writer whose reader has gone away, or whose disk is full.
struct Broken(io::ErrorKind);

impl Write for Broken {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_went_away_is_no_error_and_a_full_disk_is() {
    for (kind, expected) in [(io::ErrorKind::BrokenPipe, None), (io::ErrorKind::StorageFull, Some(io::ErrorKind::StorageFull))] {
        let reporter = Reporter::with_views(vec![Box::new(json::Json::new(Box::new(Pipe(Some(Broken(kind))))))]).unwrap();
        reporter.send(Event::Note { text: "one".into() });
        reporter.send(Event::Note { text: "two".into() });
        assert_eq!(reporter.close().err().map(|error| error.kind()), expected);
    }
}

#[test]
fn progress_goes_on_when_nobody_reads_the_answers() {
    let stderr = Buffer::default();
    let stdout = Pipe(Some(Broken(io::ErrorKind::BrokenPipe)));
    let display = DisplayConfig::resolve(&ReportConfig::default());
    let mut scene = vec![(Duration::ZERO, scenes::answer())];
    scene.extend(scenes::nothing_to_do());
    play(&mut plain::Plain::new(&display, Box::new(stderr.clone()), Box::new(stdout)), &scene);
    assert!(stderr.text().starts_with("Up to date in 0.2s"), "{}", stderr.text());
}
