// One run: every part that is asked for, engine by engine.
import { checkAnswers } from './answers.js';
import type { Bench, BenchContext } from './bench-context.js';
import { type Engine, findEngines } from './engines.js';
import type { FigureGroup } from './figures.js';
import { formatFigures, formatGroup } from './format-report.js';
import type { Part } from './parts.js';
import type { PartResult } from './report.js';
import { type GroupResult, runGroup } from './rounds.js';
import { startServers } from './servers.js';
import { startSite } from './site.js';

type Results = Map<string, { readonly groups: GroupResult[]; readonly figures: FigureGroup[] }>;

/** Prints each table as soon as it is there. */
export async function measureParts(bench: Bench, parts: readonly Part[]): Promise<readonly PartResult[]> {
  const results: Results = new Map(parts.map(({ name }) => [name, { groups: [], figures: [] }]));
  if (parts.some(({ on }) => on === 'each engine')) {
    for (const engine of findEngines(bench.redis)) await measureOnSite(bench, engine, parts, results);
  }
  for (const part of parts) {
    if (part.on === 'nothing') keep(results, part, await part.figures(bench));
  }
  const date = new Date().toISOString().slice(0, 10);
  const { size, schedule } = bench;
  return [...results].map(([name, found]) => ({ name, date, size, schedule, ...found }));
}

async function measureOnSite(bench: Bench, engine: Engine, parts: readonly Part[], results: Results): Promise<void> {
  const site = await startSite(engine);
  const answers = await checkAnswers(site);
  const servers = await startServers({ site, answers, redis: bench.redis });
  for (const part of parts) {
    if (part.on !== 'each engine') continue;
    const stops: (() => Promise<void>)[] = [];
    const cleanUp = (stop: () => Promise<void>) => void stops.push(stop);
    const context: BenchContext = { ...bench, site, answers, servers, cleanUp };
    if ('figures' in part) keep(results, part, await part.figures(context));
    else {
      for (const group of await part.rows(context)) {
        const result = await runGroup(group, bench.schedule);
        console.log(`${formatGroup(result)}\n`);
        results.get(part.name)?.groups.push(result);
      }
    }
    for (const stop of stops) await stop();
  }
  await servers.stop();
  await site.stop();
}

function keep(results: Results, { name }: Part, groups: readonly FigureGroup[]): void {
  for (const group of groups) console.log(`${formatFigures(group)}\n`);
  results.get(name)?.figures.push(...groups);
}
