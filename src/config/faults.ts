// Everything that is wrong with a file or a setting, told at once: where, what, what to do.

export interface Fault {
  /** The key at fault, such as `limits.batch_tokens` or `callers[2].claims[0]`; empty for the whole. */
  readonly path: string;
  /** What is wrong and what to do, never with the value. */
  readonly problem: string;
  /** Where the value came from, such as `introspectd.yaml:12`. */
  readonly origin?: string | undefined;
}

/** Its message is for the operator's eyes: one line that says what is at fault, then one a fault. */
export class FaultsError extends Error {
  readonly faults: readonly Fault[];

  constructor(subject: string, faults: readonly Fault[]) {
    const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
    super([`${count} in ${subject}:`, ...faults.map((fault) => `  ${formatFault(fault)}`)].join('\n'));
    this.name = 'FaultsError';
    this.faults = faults;
  }
}

function formatFault({ path, problem, origin }: Fault): string {
  const where = origin === undefined ? path : `${path} (${origin})`.trim();
  return where === '' ? problem : `${where}: ${problem}`;
}

/** `['callers', 2, 'claims']` -> `callers[2].claims`. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}
