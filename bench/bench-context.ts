import type { AnswerBytes } from './answers.js';
import type { Child } from './child.js';
import type { EchoPorts, EchoQuestion } from './echo-server.js';
import type { Load } from './load-generator.js';
import type { RedisServer } from './redis-server.js';
import type { Group } from './rounds.js';
import type { Site } from './site.js';

/** What the rows of a scenario are made of. */
export interface BenchContext {
  readonly site: Site;
  readonly answers: AnswerBytes;
  readonly echo: { readonly process: Child<EchoQuestion, EchoPorts>; readonly ports: EchoPorts };
  readonly redis: RedisServer | undefined;
  /** How Introspect is asked. */
  readonly loads: readonly IntrospectLoad[];
  /** For what must be stopped when the site's rows are done. */
  readonly cleanUp: (stop: () => Promise<void>) => void;
}

export interface IntrospectLoad {
  /** Calls in flight. */
  readonly concurrency: number;
  readonly load: Load;
}

/** Without its tools it says so and has no group. */
export type Scenario = (context: BenchContext) => Promise<readonly Group[]>;
