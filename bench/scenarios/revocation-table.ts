// The table of live revocations by itself: bytes, looks and pauses at 1 M.
import type { Bench } from '../bench-context.js';
import { startChild } from '../child.js';
import { type FigureGroup, toFigureRows } from '../figures.js';
import type { TableQuestion, TableSample } from '../table-sampler.js';

const ENTRIES = 1_000_000;

/** Each round in a process of its own, whose heap is new. */
export async function measureRevocationTable({ schedule: { rounds } }: Bench): Promise<readonly FigureGroup[]> {
  const samples: TableSample[] = [];
  for (let round = 0; round < rounds; round++) {
    const sampler = startChild<TableQuestion, TableSample>('table-sampler');
    samples.push(await sampler.ask({ entries: ENTRIES }));
    await sampler.stop();
  }
  const group: FigureGroup = {
    title: `The revocation table, ${ENTRIES.toLocaleString('en-US')} live revocations`,
    rows: toFigureRows(samples, {
      bytesAtEnd: { name: 'memory of an entry', unit: 'B', goal: '40 B at most' },
      bytesAtMost: {
        name: 'memory of an entry, the most on the way from half of them',
        unit: 'B',
        goal: '64 B at most',
      },
      missNs: { name: 'look for a tag that is not there', unit: 'ns', goal: 'under 300 ns' },
      hitNs: { name: 'look for a tag that is there', unit: 'ns', goal: 'under 300 ns' },
      recordNs: { name: 'look for the 7 tags that a login belongs to, none there', unit: 'ns' },
      applyMs: { name: 'longest step of growth: 1,000 entries of the log', unit: 'ms', goal: 'under 5 ms' },
      expireMs: { name: 'longest step of expiry', unit: 'ms', goal: 'under 5 ms' },
    }),
  };
  return [group];
}
