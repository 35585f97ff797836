// A .cpuprofile as two tables: by part of the program, and by function. Self time, without what was idle.

/** Of Node's sampling profiler: https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile */
export interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  /** Microseconds between samples. */
  readonly timeDeltas: readonly number[];
}

export interface ProfileWindow {
  /** What was before is not counted: the start, and code that was not compiled yet. */
  readonly lastMs: number;
  /** Served in it. */
  readonly calls: number;
}

const SHOWN = 40;
const IDLE = new Set(['(idle)', '(root)']);

export function formatProfile({ nodes, samples, timeDeltas }: Profile, { lastMs, calls }: ProfileWindow): string {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const parts = new Map<string, number>();
  const functions = new Map<string, number>();
  let total = 0;
  let backMs = 0;
  for (let index = samples.length - 1; index >= 0 && backMs <= lastMs; index--) {
    const micros = timeDeltas[index] ?? 0;
    backMs += micros / 1000;
    const frame = frames.get(samples[index] ?? 0);
    if (frame === undefined || IDLE.has(frame.functionName)) continue;
    total += micros;
    const file = toFile(frame.url);
    add(parts, toPart(file, frame.functionName), micros);
    add(functions, `${frame.functionName || '(anonymous)'}  ${file}${file && `:${frame.lineNumber + 1}`}`, micros);
  }
  const format = (sums: ReadonlyMap<string, number>, shown: number) => formatTable(sums, { total, calls, shown });
  return `${format(parts, parts.size)}\n\n${format(functions, SHOWN)}`;
}

function add(sums: Map<string, number>, key: string, micros: number): void {
  sums.set(key, (sums.get(key) ?? 0) + micros);
}

function formatTable(
  sums: ReadonlyMap<string, number>,
  { total, calls, shown }: { readonly total: number; readonly calls: number; readonly shown: number },
): string {
  return [...sums]
    .sort(([, a], [, b]) => b - a)
    .slice(0, shown)
    .map(([name, micros]) => {
      const share = ((100 * micros) / total).toFixed(1).padStart(5);
      return `${share} %  ${(micros / calls).toFixed(2).padStart(8)} us  ${name}`;
    })
    .join('\n');
}

function toFile(url: string): string {
  return url.replace(/^.*\/(node_modules|dist)\//, '');
}

function toPart(file: string, functionName: string): string {
  if (functionName === '(garbage collector)') return 'garbage collector';
  if (file === '') return 'native code';
  const depth = file.startsWith('@') || file.startsWith('src/') || file.startsWith('node:internal/') ? 2 : 1;
  return file.split('/').slice(0, depth).join('/');
}
