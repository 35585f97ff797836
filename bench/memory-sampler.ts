// What processes take while they work: RssAnon + RssShmem, the memory that is theirs and not a file's.
import { readFileSync } from 'node:fs';

/** KiB. */
export interface MemorySpread {
  /** Median of the first quarter of the samples. */
  readonly first: number;
  /** Median of the last quarter: flat is where it is not above the first. */
  readonly last: number;
  readonly most: number;
}

const EVERY_MS = 250;

/** stop() gives the spread of each; undefined for one that was over before it was looked at. */
export function sampleMemory(pids: readonly number[]): { stop(): readonly (MemorySpread | undefined)[] } {
  const samples = pids.map((): number[] => []);
  const timer = setInterval(() => {
    for (const [index, pid] of pids.entries()) {
      const kib = readKib(pid);
      if (kib !== undefined) samples[index]?.push(kib);
    }
  }, EVERY_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return samples.map(toSpread);
    },
  };
}

function readKib(pid: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const [, anon] = /^RssAnon:\s+(\d+) kB$/m.exec(status) ?? [];
    const [, shared] = /^RssShmem:\s+(\d+) kB$/m.exec(status) ?? [];
    return anon === undefined || shared === undefined ? undefined : Number(anon) + Number(shared);
  } catch {
    return undefined;
  }
}

function toSpread(kib: readonly number[]): MemorySpread | undefined {
  if (kib.length === 0) return undefined;
  const quarter = Math.max(1, Math.floor(kib.length / 4));
  return { first: median(kib.slice(0, quarter)), last: median(kib.slice(-quarter)), most: Math.max(...kib) };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
