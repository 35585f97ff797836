// A child's side of a history test: what it is told by the parent, what it tells, and the tokens it knows of.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Read } from './history.js';
import type { ChildSetup, FromChild, HowToCut, ToChild } from './messages.js';

export interface ChildChannel {
  readonly setup: ChildSetup;
  readonly known: KnownTokens;
  readonly stopped: boolean;
  tell(message: FromChild): void;
  /** Told to the parent in packets. */
  record(reads: readonly Read[]): void;
  onCut(listener: (how: HowToCut) => void): void;
  /** Runs the loops until the parent says stop, then tells what is left, and ends the process. */
  run(loops: readonly Promise<void>[], counts: () => Readonly<Record<string, number>>): Promise<never>;
}

export interface KnownTokens {
  readonly count: number;
  /** One of the newest, one of those just revoked or of their grants, or any; undefined while there is none. */
  pick(): number | undefined;
  /** One of the newest. */
  pickNewest(): number | undefined;
}

const NEWEST = 200;
const JUST_REVOKED = 60;
const TOKENS_OF_A_GRANT = 4;
const FLUSH_MS = 500;

export function openChildChannel(): ChildChannel {
  const setup = JSON.parse(process.argv[2] ?? '{}') as ChildSetup;
  const known = createKnownTokens();
  let reads: Read[] = [];
  let stopped = false;
  let cut: (how: HowToCut) => void = () => undefined;
  const tell = (message: FromChild) => void process.send?.(message);
  const flush = () => {
    if (reads.length > 0) tell({ kind: 'reads', reads });
    reads = [];
  };
  setInterval(flush, FLUSH_MS).unref();
  // The parent died: nobody listens any more.
  process.on('disconnect', () => process.exit(1));
  process.on('message', (message: ToChild) => {
    if (message.kind === 'issued') known.addIssued(message.tokens);
    else if (message.kind === 'revoked') known.addRevoked(message.tokens);
    else if (message.kind === 'cut') cut(message.how);
    else stopped = true;
  });
  return {
    setup,
    known,
    get stopped() {
      return stopped;
    },
    tell,
    record: (more) => void reads.push(...more),
    onCut: (listener) => {
      cut = listener;
    },
    run: async (loops, counts) => {
      await Promise.all(loops);
      flush();
      await new Promise((resolve) => process.send?.({ kind: 'done', counts: counts() }, resolve));
      process.exit(0);
    },
  };
}

/** Between two calls of a loop; by chance, so that processes do not march in step. */
export function pause(atMostMs: number): Promise<void> {
  return sleep(Math.random() * atMostMs);
}

function createKnownTokens() {
  const all: number[] = [];
  const isIssued = new Set<number>();
  let revoked: number[] = [];
  const any = (tokens: readonly number[]) => tokens[Math.floor(Math.random() * tokens.length)];
  const pickNewest = () => any(all.slice(-NEWEST));
  const pickRevoked = () => {
    const token = any(revoked);
    if (token === undefined || Math.random() < 0.5) return token;
    // A selector or a refresh token took its grant along.
    const sibling = token - (token % TOKENS_OF_A_GRANT) + Math.floor(Math.random() * TOKENS_OF_A_GRANT);
    return isIssued.has(sibling) ? sibling : token;
  };
  return {
    get count() {
      return all.length;
    },
    addIssued: (tokens: readonly number[]) => {
      all.push(...tokens);
      for (const token of tokens) isIssued.add(token);
    },
    addRevoked: (tokens: readonly number[]) => {
      revoked = [...revoked, ...tokens.filter((token) => isIssued.has(token))].slice(-JUST_REVOKED);
    },
    pick: () => {
      const choice = Math.random();
      const token = choice < 0.45 ? pickRevoked() : choice < 0.5 ? any(all) : undefined;
      return token ?? pickNewest();
    },
    pickNewest,
  };
}
