// A .cpuprofile as two tables: by part of the program, and by function. Self time, without what was idle.

/** Of Node's sampling profiler: https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile */
export interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const SHOWN = 45;
const IDLE = new Set(['(idle)', '(root)']);

export function formatProfile({ nodes, samples, timeDeltas }: Profile): string {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const parts = new Map<string, number>();
  const functions = new Map<string, number>();
  let total = 0;
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id);
    if (frame === undefined || IDLE.has(frame.functionName)) continue;
    const micros = timeDeltas[index] ?? 0;
    total += micros;
    const file = toFile(frame.url);
    add(parts, toPart(file, frame.functionName), micros);
    add(functions, `${frame.functionName || '(anonymous)'}  ${file}:${frame.lineNumber + 1}`, micros);
  }
  return `${formatTable(parts, total, parts.size)}\n\n${formatTable(functions, total, SHOWN)}`;
}

function add(sums: Map<string, number>, key: string, micros: number): void {
  sums.set(key, (sums.get(key) ?? 0) + micros);
}

function formatTable(sums: ReadonlyMap<string, number>, total: number, shown: number): string {
  return [...sums]
    .sort(([, a], [, b]) => b - a)
    .slice(0, shown)
    .map(([name, micros]) => `${((100 * micros) / total).toFixed(1).padStart(5)} %  ${name}`)
    .join('\n');
}

function toFile(url: string): string {
  return url.replace(/^.*\/(node_modules|dist)\//, '');
}

function toPart(file: string, functionName: string): string {
  if (functionName === '(garbage collector)') return 'garbage collector';
  if (file.startsWith('node:'))
    return file.split('/')[0] === 'node:internal' ? file.split('/').slice(0, 2).join('/') : file;
  if (file === '') return 'native';
  return file
    .split('/')
    .slice(0, file.startsWith('@') ? 2 : file.startsWith('src/') ? 2 : 1)
    .join('/');
}
