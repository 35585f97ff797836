import type { Load } from '../load-generator.js';
import type { Row } from '../rounds.js';
import type { OpenLoop } from './drive.js';
import { startWireLoad, type WireLoad, type WireLoadRequest } from './start-wire-load.js';

/** A row but for its load: who is asked what. */
export interface Side extends Pick<Row, 'name' | 'pid' | 'baselines'>, Omit<WireLoadRequest, 'load'> {}

type CleanUp = (stop: () => Promise<void>) => void;

/** As many calls as it can. */
export async function createCapacityRow(side: Side, load: Load, cleanUp: CleanUp): Promise<Row> {
  const { run } = await start(side, load, cleanUp);
  return { ...toHead(side), run };
}

/** So many calls a second; how long they take. */
export async function createTimedRow(
  side: Side,
  load: Load,
  { perSecond, pace }: Omit<OpenLoop, 'windowMs'>,
  cleanUp: CleanUp,
): Promise<Row> {
  const { runAt } = await start(side, load, cleanUp);
  return { ...toHead(side), timedAt: perSecond, run: (windowMs) => runAt({ perSecond, windowMs, pace }) };
}

async function start(side: Side, load: Load, cleanUp: CleanUp): Promise<WireLoad> {
  const started = await startWireLoad({ ...side, load });
  cleanUp(started.stop);
  return started;
}

function toHead({ name, pid, baselines = [] }: Side): Omit<Row, 'run'> {
  return { name, pid, baselines, unit: 'calls' };
}
