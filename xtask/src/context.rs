//! What every phase is given: the configuration, the runner, the reporter, and what was last seen of the world.

