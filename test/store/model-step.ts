// What a command of the model test stands on: two servers, each with keys of its own, that are started, asked and refused.
import assert from 'node:assert/strict';
import type fc from 'fast-check';
import { StoreUnavailable } from '../../src/core/errors.js';
import { RING, RINGS, type StoreHarness } from './harness.js';
import type { KeysFit, StoreModel } from './model.js';
import { createModelServer, type ModelServer } from './model-server.js';

/** The engine, and two servers on it. */
export interface Real {
  readonly harness: StoreHarness;
  readonly servers: (ModelServer | undefined)[];
  /** How often each thing happened, over all histories. */
  readonly counts: Map<string, number>;
}

type StoreCommand = fc.AsyncCommand<StoreModel, Real>;

interface Step<Result> {
  /** To the engine; rejects with StoreUnavailable when the server lacks a key. */
  act(model: StoreModel, server: ModelServer): Promise<Result>;
  /** To the model, and what both say compared. What it returns is counted. */
  compare(model: StoreModel, result: Result): string | readonly string[];
}

/** The clock of the second server goes ahead of the store's: a token ends by the later one. */
export const SERVER_AHEAD_MS = [0, 1500];
export const REFUSED = Symbol('refused');
/** Of each step of the rotation, the nearest one that has every key. */
const WITH_BOTH_KEYS = [1, 1, 2, 2];

export function count({ counts }: Real, names: string | readonly string[]): void {
  for (const name of [names].flat()) counts.set(name, (counts.get(name) ?? 0) + 1);
}

export function command(name: string, run: (model: StoreModel, real: Real) => Promise<void>): StoreCommand {
  return { check: () => true, run, toString: () => name };
}

/** What a server does. One that lacks a key that entries may stand under does nothing, says so, and is put right. */
export function step<Result>(name: string, handle: number, { act, compare }: Step<Result>): StoreCommand {
  return command(`${name} at ${handle}`, async (model, real) => {
    const server = await getServer(real, handle, model);
    const fits = model.fits(handle);
    const result = await tryWith(fits, () => act(model, server));
    if (result !== REFUSED) {
      count(real, compare(model, result));
      return;
    }
    count(real, 'a server that lacks a key refuses');
    await start(real, model, handle, WITH_BOTH_KEYS[model.rings[handle] ?? 0] ?? 0);
  });
}

/** Ends with REFUSED where it may, and must do so where a key is lacking. */
export async function tryWith<Result>(fits: KeysFit, act: () => Promise<Result>): Promise<Result | typeof REFUSED> {
  try {
    const result = await act();
    assert.notEqual(fits, 'lacks', 'a server answered without a key that entries stand under');
    return result;
  } catch (error) {
    if (error instanceof StoreUnavailable && fits !== 'fits') return REFUSED;
    throw error;
  }
}

export async function getServer(real: Real, handle: number, model: StoreModel): Promise<ModelServer> {
  const running = real.servers[handle];
  if (running !== undefined) return running;
  // The second one starts with the keys of the first.
  return start(real, model, handle, model.rings[0] ?? 0);
}

export async function start(real: Real, model: StoreModel, handle: number, ring: number): Promise<ModelServer> {
  const { harness, servers } = real;
  const keyRing = RINGS[ring] ?? RING;
  const keyChecks = keyRing.checks;
  if (handle === 0) await harness.reopen({ keyChecks });
  else await servers[handle]?.store.close();
  const store = handle === 0 ? harness.store : await harness.openSecond({ keyChecks });
  const server = createModelServer({ store, keyRing, now: () => harness.clockMs + (SERVER_AHEAD_MS[handle] ?? 0) });
  servers[handle] = server;
  model.open(handle, ring);
  return server;
}
