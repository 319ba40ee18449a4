import { env, EnvError } from "@/server/env";

/** EX_CONFIG of sysexits.h, as the backend uses it. */
const EXIT_CONFIG = 78;

/** Ends the process with one line when the environment is not usable. */
export function refuseBadEnv(): void {
  try {
    env();
  } catch (error) {
    if (!(error instanceof EnvError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(EXIT_CONFIG);
  }
}
