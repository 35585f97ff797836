// What Linux says of a process: processor time, time spent waiting for a processor, memory.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Of USER_HZ, which is 100 on every Linux that Node runs on. */
const TICK_SECONDS = 0.01;
/** Connections are made and the last answers drained at the ends of a window: they are not measured. */
const LEAD_IN_MS = 150;
const LEAD_OUT_MS = 100;

export interface ProcessorUse {
  /** Of all threads; 1 = one processor, all of the time. */
  readonly cores: number;
  /** Share of the time that the main thread was ready to run and had no processor: other programs had it. */
  readonly waiting: number;
}

interface Sample {
  readonly atSeconds: number;
  readonly cpuSeconds: number;
  readonly waitedSeconds: number;
}

/** Over the inner part of a window that begins now. */
export async function measureProcessorUse(pid: number, windowMs: number): Promise<ProcessorUse> {
  await sleep(LEAD_IN_MS);
  const start = takeSample(pid);
  await sleep(Math.max(windowMs - LEAD_IN_MS - LEAD_OUT_MS, 1));
  const end = takeSample(pid);
  const seconds = end.atSeconds - start.atSeconds;
  return {
    cores: (end.cpuSeconds - start.cpuSeconds) / seconds,
    waiting: (end.waitedSeconds - start.waitedSeconds) / seconds,
  };
}

/** User and system time in /proc/PID/stat, proc(5). The name in parentheses may hold spaces and parentheses. */
export function parseCpuSeconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_SECONDS;
}

/** Memory that is the process's own and not that of a file: LMDB's pages, mapped from its file, are not in it. */
export function readRssAnonKib(pid: number): number {
  const [, kib] = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  if (kib === undefined) throw new Error('/proc says no RssAnon');
  return Number(kib);
}

function takeSample(pid: number): Sample {
  return {
    atSeconds: performance.now() / 1000,
    cpuSeconds: parseCpuSeconds(readFileSync(`/proc/${pid}/stat`, 'utf8')),
    waitedSeconds: readWaitedSeconds(pid),
  };
}

/** Of the main thread, second field, ns. Kernels without schedstats have no such file. */
export function readWaitedSeconds(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e9;
  } catch {
    return 0;
  }
}
