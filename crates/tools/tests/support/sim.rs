//! A runner over simulated tools.

use std::time::Duration;

use tools::runner::{Runner, RunnerConfig};
use toolsim::World;
use toolsim::harness::Sim;

/// The simulated tools over `world`, and a runner that finds only them and gives children little grace.
pub(crate) fn simulated(world: &World) -> (Sim, Runner) {
    let sim = Sim::new(world).unwrap();
    let runner = Runner::new(config(&sim));
    (sim, runner)
}

/// The configuration of such a runner.
pub(crate) fn config(sim: &Sim) -> RunnerConfig {
    RunnerConfig { env: sim.env(), grace: Duration::from_millis(300), ..RunnerConfig::new(sim.dir()) }
}
