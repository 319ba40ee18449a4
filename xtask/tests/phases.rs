//! Whole phases as a person sees them, over simulated tools: the same in each run, without a cluster.
//!
//! Times, ports and the folder are filtered; steps that run side by side are put into the order of their names.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "these are tests, helpers included")]

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;

use support::{phases, see, xtask};
use toolsim::harness::{NodePort, Sim};
use toolsim::{Broken, Image, World};

/// A repository with two services and a chart, the simulated tools beside it, and this machine as the node.
struct Shop {
    sim: Sim,
    port: NodePort,
}

const VALUES: &str = "config: {}
image:
  api: {repository: shop-api, tag: none, pullPolicy: Never}
  web: {repository: shop-web, tag: none, pullPolicy: Never}
service:
  api: {name: api, type: ClusterIP, port: 8000}
  web: {name: web, type: NodePort, port: 3000}
replicaCount: {api: 1, web: 1}
";

impl Shop {
    /// The cluster `minikube` runs, and nothing else.
    fn new() -> Self {
        // This machine is the node, so that what it serves is what the node port answers.
        let there = serde_json::to_string(&World::running()).unwrap();
        Self::over(&serde_json::from_str(&there.replace("192.168.49.2", "127.0.0.1")).unwrap())
    }

    /// There is no cluster.
    fn empty() -> Self {
        Self::over(&World::empty())
    }

    fn over(world: &World) -> Self {
        let sim = Sim::new(world).unwrap();
        // A node port that nobody listens on here; tests run side by side.
        let port = (31000..32767).find_map(|port| sim.serve(port).ok()).unwrap();
        let shop = Self { sim, port };
        let config = format!(
            "version = 1\nname = \"shop\"\n\n[cluster]\ncpus = 2\nmemory = \"1800MiB\"\ndisk = \"8GiB\"\nkubernetes = \"1.36.2\"\n\n[services.api]\ncontext = \"api\"\nport = 8000\nkeys = [\"SESSION_SECRET\"]\n\n\
             [services.web]\ncontext = \"web\"\nport = 3000\nneeds = [\"api\"]\n\n\
             [public]\nservice = \"web\"\naccess = \"node-port\"\nnode_port = {}\n\n\
             [[layouts.shop.releases]]\nname = \"shop\"\nchart = \"chart\"\nservices = [\"api\", \"web\"]\n\n\
             [deadlines]\nrollout = \"20s\"\nendpoint = \"5s\"\n",
            shop.port.port()
        );
        shop.write("xtask.toml", &config);
        shop.write(".env", "SESSION_SECRET=0123456789abcdef0123456789abcdef\n");
        for service in ["api", "web"] {
            shop.write(&format!("{service}/Dockerfile"), "FROM python:3.13-slim\nCOPY . /app\nRUN pip install nosuch\n");
            shop.write(&format!("{service}/main.txt"), &format!("{service} one\n"));
        }
        shop.write("chart/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\nappVersion: \"1.0\"\n");
        shop.write("chart/values.yaml", VALUES);
        shop
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.sim.dir().join("shop").join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// Runs xtask; what a person sees.
    fn run(&self, args: &[&str]) -> String {
        let root = self.sim.dir().join("shop");
        let mut command = xtask(&root, args);
        command.envs(self.sim.env());
        let seen = see(&mut command);
        let text = format!("{}{}", seen.stdout, seen.stderr);
        format!("$ cargo xtask {}\n{}[exit code {}]\n", args.join(" "), settled(&text, &root, self.port.port()), seen.code)
    }

    /// The calls of `tool` since there were `since` calls.
    fn calls(&self, since: usize, tool: &str) -> Vec<String> {
        self.sim.lines_since(since).unwrap().into_iter().filter(|line| line.starts_with(tool)).collect()
    }
}

/// Whether a word is a time such as `0.2s`.
fn is_time(word: &str) -> bool {
    let number = word.strip_suffix("ms").or_else(|| word.strip_suffix('s')).unwrap_or("x");
    number.parse::<f64>().is_ok()
}

/// The name of a pod, which has a hash of a salted digest in it, without that.
fn pod(word: &str) -> Option<String> {
    let mut parts = word.rsplitn(3, '-');
    let (end, hash, workload) = (parts.next()?, parts.next()?, parts.next()?);
    let is_hash = |text: &str, length| text.len() == length && text.chars().all(|c| c.is_ascii_alphanumeric());
    (is_hash(end, 5) && is_hash(hash, 10)).then(|| format!("{workload}-POD"))
}

/// What is not the same in each run, made so.
fn settled(text: &str, root: &Path, port: u16) -> String {
    let text = text.replace(&root.display().to_string(), "ROOT").replace(&port.to_string(), "PORT");
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        // Where a step begins is another place in each run.
        if line.starts_with("  run ") {
            continue;
        }
        let mut kept = String::new();
        let mut before = "";
        for piece in line.split_inclusive(' ') {
            let word = piece.trim_end_matches([' ', ',', ')', ':']);
            if let Some(pod) = pod(word.trim_matches('`')) {
                kept.push_str(&piece.replacen(word.trim_matches('`'), &pod, 1));
            } else if is_time(word) {
                kept.push_str(&piece.replacen(word, "TIME", 1));
            } else if piece.starts_with("ms") && before.parse::<u32>().is_ok() {
                kept.truncate(kept.len() - before.len() - 1);
                kept.push_str(&piece.replacen("ms", "TIME", 1));
            } else {
                kept.push_str(piece);
            }
            before = piece.trim_end();
        }
        // Times are right-aligned, and not all of one width.
        if let Some(begin) = kept.strip_suffix("TIME") {
            kept = format!("{} TIME", begin.trim_end());
        }
        let continues = kept.starts_with("      ") && lines.last().is_some_and(|last| is_step(last));
        match lines.last_mut() {
            Some(last) if continues => {
                last.push('\n');
                last.push_str(&kept);
            }
            _ => lines.push(kept),
        }
    }
    // Which steps were the longest chain is another matter in each run.
    while let Some(end) = lines.iter().position(|line| line.starts_with("Running in TIME (") && !line.ends_with(')')) {
        let rest = lines.remove(end + 1);
        lines[end].push_str(&rest);
    }
    for line in lines.iter_mut().filter(|line| line.starts_with("Running in TIME (")) {
        "Running in TIME (STEPS)".clone_into(line);
    }
    // Steps beside each other finish in any order.
    for group in lines.chunk_by_mut(|a, b| is_step(a) && is_step(b)) {
        group.sort();
    }
    lines.join("\n") + "\n"
}

/// Whether a line tells of a step.
fn is_step(line: &str) -> bool {
    ["  ok ", "  keep ", "  fail ", "  skip ", "  note "].iter().any(|state| line.starts_with(state))
}

#[test]
fn deploy_and_deploy_again_and_a_change() {
    let shop = Shop::new();
    let mut seen = shop.run(&["plan"]);
    seen += &shop.run(&["deploy"]);
    let before = shop.sim.calls().unwrap().len();
    seen += &shop.run(&["deploy"]);
    assert!(shop.calls(before, "helm").iter().all(|line| !line.contains("upgrade")), "nothing to do");
    assert!(shop.calls(before, "docker").iter().all(|line| !line.contains("build")), "nothing to do");
    shop.write("api/main.txt", "two\n");
    seen += &shop.run(&["plan"]);
    seen += &shop.run(&["deploy"]);
    seen += &shop.run(&["verify"]);
    assert_eq!(seen.matches("[exit code 0]").count(), 6, "{seen}");
    insta::assert_snapshot!(seen);
    let secret = "0123456789abcdef0123456789abcdef";
    assert!(shop.sim.calls().unwrap().iter().all(|call| !call.line().contains(secret)), "a secret in a command line");
}

#[test]
fn an_image_that_is_built_anew_from_the_same_inputs_is_rolled_out() {
    let shop = Shop::new();
    assert!(shop.run(&["deploy"]).ends_with("[exit code 0]\n"));
    let mut seen = shop.run(&["deploy", "--no-cache", "--service", "api"]);
    seen += &shop.run(&["verify"]);
    let before = shop.sim.calls().unwrap().len();
    seen += &shop.run(&["deploy"]);
    assert!(shop.calls(before, "helm").iter().all(|line| !line.contains("upgrade")), "nothing to do");
    insta::assert_snapshot!(seen);
}

#[test]
fn hooks_are_left_out_where_what_they_depend_on_is_unchanged() {
    let shop = Shop::new();
    let config = fs::read_to_string(shop.sim.dir().join("shop/xtask.toml")).unwrap();
    shop.write("api/schema/1.sql", "create table a ()\n");
    shop.write("xtask.toml", &config.replace("[services.web]", "migrations = [\"schema\"]\n\n[services.web]"));
    let no_hooks = |change: &dyn Fn()| {
        change();
        let before = shop.sim.calls().unwrap().len();
        let seen = shop.run(&["deploy"]);
        assert!(seen.ends_with("[exit code 0]\n"), "{seen}");
        let upgrades: Vec<String> = shop.calls(before, "helm").into_iter().filter(|line| line.contains("upgrade")).collect();
        assert_eq!(upgrades.len(), 1, "{upgrades:?}");
        upgrades[0].contains("--no-hooks")
    };
    assert!(!no_hooks(&|| {}), "the first time");
    assert!(no_hooks(&|| shop.write("api/main.txt", "two\n")), "only an image");
    assert!(no_hooks(&|| shop.write("web/main.txt", "two\n")), "only an image");
    assert!(!no_hooks(&|| shop.write("api/schema/2.sql", "create table b ()\n")), "another migration");
    assert!(!no_hooks(&|| shop.write(".env", "SESSION_SECRET=ffffffffffffffffffffffffffffffff\n")), "another secret");
    assert!(!no_hooks(&|| shop.write("chart/values.yaml", &format!("{VALUES}# more\n"))), "another chart");
}

#[test]
fn a_build_that_fails() {
    let shop = Shop::new();
    shop.sim
        .change(|world| {
            world.failing_builds.insert("shop-api".to_owned(), "ERROR: no matching distribution found for nosuch".to_owned())
        })
        .unwrap();
    let seen = shop.run(&["deploy"]);
    // The cause stands in that line too where a step beside it was still at work.
    let fail = seen.lines().find(|line| line.starts_with("  fail")).unwrap();
    let alone = "  fail  image     api       XT501 TIME";
    let beside = "  fail  image     api       XT501: Dockerfile:3: `pip install nosuch` ends TIME";
    assert!([alone, beside].contains(&fail) && seen.ends_with("[exit code 7]\n"), "{seen}");
    // How far the steps beside it came is another matter in each run.
    let finding = seen.split("error[").nth(1).unwrap().split("\n\n").next().unwrap();
    insta::assert_snapshot!(format!("error[{finding}"));
}

#[test]
fn a_rollout_that_fails_and_is_put_right() {
    let shop = Shop::new();
    let crash = Broken {
        reason: "CrashLoopBackOff".to_owned(),
        message: "back-off 10s restarting failed container".to_owned(),
        restarts: 3,
        exit_code: 1,
        log: "Traceback (most recent call last):\nModuleNotFoundError: No module named 'shop'\n".to_owned(),
    };
    shop.sim.change(|world| world.broken.insert("api".to_owned(), crash)).unwrap();
    let mut seen = shop.run(&["deploy"]);
    assert!(seen.ends_with("[exit code 6]\n"), "{seen}");
    shop.sim.change(|world| world.broken.clear()).unwrap();
    shop.write("api/main.txt", "right\n");
    seen += &shop.run(&["deploy"]);
    assert!(seen.ends_with("[exit code 0]\n"), "{seen}");
    insta::assert_snapshot!(seen);
}

#[test]
fn a_change_is_taken_back() {
    let shop = Shop::new();
    shop.run(&["deploy"]);
    shop.write("api/main.txt", "api two\n");
    shop.run(&["deploy"]);
    let seen = shop.run(&["rollback"]) + &shop.run(&["status"]);
    assert_eq!(seen.matches("[exit code 0]").count(), 2, "{seen}");
    insta::assert_snapshot!(seen);
}

#[test]
fn verify_sees_what_a_foreign_hand_changed() {
    let shop = Shop::new();
    shop.run(&["deploy"]);
    shop.sim.change(|world| world.http.insert("web/api/health".to_owned(), (500, "{\"status\":\"down\"}".to_owned()))).unwrap();
    let seen = shop.run(&["verify"]);
    assert!(seen.ends_with("[exit code 9]\n"), "{seen}");
    insta::assert_snapshot!(seen);
}

#[test]
fn cleanup_removes_what_deploy_made_and_nothing_else() {
    let shop = Shop::new();
    shop.run(&["deploy"]);
    let foreign = Image { id: "sha256:f0".to_owned(), names: vec!["not-ours:1".to_owned()], ..Image::default() };
    shop.sim.change(|world| world.profile("minikube").unwrap().images.push(foreign)).unwrap();
    // What deploy makes again without loss is not asked about.
    let mut seen = String::new();
    for args in [&["cleanup"][..], &["cleanup"], &["cleanup", "--scope", "images"]] {
        seen += &shop.run(args);
    }
    assert_eq!(seen.matches("[exit code 0]").count(), 3, "{seen}");
    insta::assert_snapshot!(seen);
    let mut world = shop.sim.world().unwrap();
    let profile = world.profile("minikube").unwrap();
    assert!(profile.releases.is_empty(), "{:?}", profile.releases);
    assert!(profile.images.iter().any(|image| image.names.contains(&"not-ours:1".to_owned())));
    assert!(profile.images.iter().all(|image| image.names.iter().all(|name| !name.starts_with("shop-"))));
}

#[test]
fn a_cluster_that_is_not_ours_stays() {
    let shop = Shop::new();
    shop.run(&["deploy"]);
    let seen = shop.run(&["cleanup", "--scope", "cluster", "--yes"]);
    assert!(shop.sim.world().unwrap().profile("minikube").is_some(), "{seen}");
    insta::assert_snapshot!(seen);
}

#[test]
fn a_cluster_that_setup_made_goes_only_with_a_yes() {
    let shop = Shop::empty();
    let mut seen = shop.run(&["setup"]);
    // Without a terminal nobody can be asked.
    seen += &shop.run(&["cleanup", "--scope", "cluster"]);
    assert!(seen.ends_with("[exit code 2]\n") && shop.sim.world().unwrap().profile("minikube").is_some(), "{seen}");
    seen += &shop.run(&["cleanup", "--scope", "cluster", "--yes"]);
    seen += &shop.run(&["cleanup", "--scope", "cluster", "--yes"]);
    assert!(shop.sim.world().unwrap().profiles.is_empty(), "{seen}");
    insta::assert_snapshot!(seen);
}

#[test]
fn stop_and_setup() {
    let shop = Shop::new();
    shop.run(&["deploy"]);
    let mut seen = shop.run(&["stop"]);
    assert!(!shop.sim.world().unwrap().profile("minikube").unwrap().running);
    seen += &shop.run(&["stop"]);
    seen += &shop.run(&["setup"]);
    assert_eq!(seen.matches("[exit code 0]").count(), 3, "{seen}");
    assert!(shop.sim.world().unwrap().profile("minikube").unwrap().running);
    insta::assert_snapshot!(seen);
}

#[test]
fn every_phase_keeps_its_words_short() {
    let shop = Shop::new();
    // Those that begin nothing and change nothing.
    for phase in
        phases(&shop.sim.dir().join("shop")).iter().filter(|phase| ["plan", "deploy", "verify", "open"].contains(&phase.as_str()))
    {
        let args: &[&str] = if phase == "open" { &["open", "--print"] } else { &[phase] };
        let seen = shop.run(args);
        for word in ["successfully", "please", "!\n", "failed to"] {
            assert!(!seen.to_lowercase().contains(word), "`{word}`: {seen}");
        }
    }
}
