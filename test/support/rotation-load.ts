// Asks about, registers and revokes tokens at two daemons all the time, and holds every answer against what was
// acknowledged before it was asked for.
import { setTimeout as sleep } from 'node:timers/promises';
import { IntrospectionError } from '@introspectd/client';
import type { KeyedDaemon } from './keyed-daemons.js';

type State = 'alive' | 'unsure' | 'revoked';

export interface RotationLoad {
  /** Answers of each daemon so far. */
  readonly answers: readonly number[];
  /** An active token that was said to be inactive, or a revoked one that was said to be active: a sentence each. */
  readonly wrong: readonly string[];
  /** Names of the tokens that are alive, and of those that are dead for good, also unknown ones. */
  names(state: 'alive' | 'revoked'): readonly string[];
  /** Waits until each daemon gave so many answers more. */
  untilAnswered(count: number): Promise<void>;
  stop(): Promise<void>;
}

const TOKENS_PER_CALL = 10;
const REGISTERED_AT_ONCE = 20;
const REST_MS = 10;
const PATIENCE_MS = 30_000;

export function startRotationLoad(daemons: readonly KeyedDaemon[]): RotationLoad {
  const states = new Map<string, State>();
  const answers = daemons.map(() => 0);
  const wrong: string[] = [];
  let serial = 0;
  let stopped = false;
  const names = (state: State) => [...states].flatMap(([name, is]) => (is === state ? [name] : []));
  const pick = <Item>(items: readonly Item[]): Item | undefined => items[Math.floor(Math.random() * items.length)];

  /** One call about some tokens; an error is no answer. */
  const ask = async (daemon: KeyedDaemon, index: number): Promise<void> => {
    const known = [...states.keys()];
    const asked = Array.from({ length: TOKENS_PER_CALL }, () => pick(known) ?? '').filter((name) => name !== '');
    const before = asked.map((name) => states.get(name));
    const results = await daemon.orders?.introspectMany(asked);
    results?.forEach((result, at) => {
      const name = asked[at] ?? '';
      if (result instanceof IntrospectionError) return;
      answers[index] = (answers[index] ?? 0) + 1;
      if (before[at] === 'revoked' && result.active) wrong.push(`${name} was revoked, daemon ${index} says active`);
      if (states.get(name) === 'alive' && !result.active) wrong.push(`${name} is alive, daemon ${index} says inactive`);
    });
  };

  const register = async (daemon: KeyedDaemon): Promise<void> => {
    const fresh = Array.from({ length: REGISTERED_AT_ONCE }, () => `token-${++serial}`);
    const accepted = await daemon.register(fresh.map((token) => ({ token })));
    fresh.forEach((name, at) => {
      if (accepted[at]) states.set(name, 'alive');
    });
  };

  /** Also again, also of tokens that nobody registered. */
  const revoke = async (daemon: KeyedDaemon): Promise<void> => {
    const name = Math.random() < 0.05 ? `unknown-${++serial}` : (pick([...states.keys()]) ?? '');
    if (name === '' || daemon.security === undefined) return;
    if (states.get(name) === 'alive') states.set(name, 'unsure');
    await daemon.security.revoke(name);
    states.set(name, 'revoked');
  };

  const repeat = (work: () => Promise<void>, restMs: number) =>
    (async () => {
      while (!stopped) {
        await work().catch(() => undefined);
        await sleep(restMs);
      }
    })();

  const loops = daemons.flatMap((daemon, index) => [
    repeat(() => ask(daemon, index), 1),
    repeat(() => ask(daemon, index), 1),
    repeat(() => register(daemon), REST_MS * 5),
    repeat(() => revoke(daemon), REST_MS),
  ]);

  return {
    answers,
    wrong,
    names,
    untilAnswered: async (count) => {
      const goals = answers.map((done) => done + count);
      const endMs = performance.now() + PATIENCE_MS;
      while (goals.some((goal, index) => (answers[index] ?? 0) < goal)) {
        if (performance.now() > endMs) throw new Error(`too few answers: ${answers.join(', ')}`);
        await sleep(REST_MS);
      }
    },
    stop: async () => {
      stopped = true;
      await Promise.all(loops);
    },
  };
}
