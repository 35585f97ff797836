// Started as a process: a service that asks through the client, as fast as it can.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createIntrospectionClient,
  type IntrospectionClient,
  type IntrospectionClientOptions,
} from '@introspectd/client';
import { answerParent } from './child.js';
import type { RunOutcome } from './rounds.js';

export type ClientQuestion =
  | { readonly kind: 'connect'; readonly tokens: readonly string[]; readonly options: IntrospectionClientOptions }
  /** `callers` ask at once, each waiting for its answer before it asks again. */
  | { readonly kind: 'run'; readonly windowMs: number; readonly callers: number };

/** Between looks at the clock. */
const CALLS_PER_LOOK = 100;

let client: IntrospectionClient | undefined;
let tokens: readonly string[] = [];

answerParent(async (question: ClientQuestion): Promise<RunOutcome> => {
  if (question.kind === 'run') return run(question.windowMs, question.callers);
  client = createIntrospectionClient({ ...question.options, timeoutMs: 10_000 });
  tokens = question.tokens;
  await client.introspect(tokens[0] ?? '');
  if (question.options.cache !== false) {
    while (client.stats().cache !== 'leased') await sleep(10);
    await Promise.all(tokens.map((token) => client?.introspect(token)));
  }
  return { perSecond: 0, failed: 0 };
});

async function run(windowMs: number, callers: number): Promise<RunOutcome> {
  const asked = client;
  if (asked === undefined) throw new Error('not connected');
  const startMs = performance.now();
  let calls = 0;
  let failed = 0;
  const loop = async () => {
    while (performance.now() - startMs < windowMs) {
      for (let call = 0; call < CALLS_PER_LOOK; call++) {
        try {
          const { active } = await asked.introspect(tokens[calls++ % tokens.length] ?? '');
          if (!active) failed += 1;
        } catch {
          failed += 1;
        }
      }
      // Hits never leave the tick: without this the lease would not be renewed.
      if (callers === 1) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await Promise.all(Array.from({ length: callers }, loop));
  return { perSecond: (calls * 1_000) / (performance.now() - startMs), failed };
}
