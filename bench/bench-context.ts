import type { AnswerBytes } from './answers.js';
import type { Load } from './load-generator.js';
import type { RedisServer } from './redis-server.js';
import type { Group, Schedule } from './rounds.js';
import type { Servers } from './servers.js';
import type { Site } from './site.js';

/** A run of the benchmark. */
export interface Bench {
  readonly size: BenchSize;
  readonly schedule: Schedule;
  /** Goes with the run. */
  readonly folder: string;
  readonly redis: RedisServer | undefined;
}

/** What the rows of a scenario are made of. */
export interface BenchContext extends Bench {
  readonly site: Site;
  readonly answers: AnswerBytes;
  readonly servers: Servers;
  /** For what must be stopped when the scenario's rows are done. */
  readonly cleanUp: (stop: () => Promise<void>) => void;
}

/** A quick run leaves out what takes long; a large one adds what takes very long. */
export type BenchSize = 'quick' | 'full' | 'large';

export interface UnaryLoad {
  /** Calls in flight. */
  readonly concurrency: number;
  readonly load: Load;
}

/** Without its tools it says so and has no group. */
export type Scenario = (context: BenchContext) => Promise<readonly Group[]>;
