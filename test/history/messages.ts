// What the processes of a history test tell each other.
import type { TestTls } from '../support/test-credentials.js';
import type { By, Read, Revoked } from './history.js';

/** Given to a child when it starts, as JSON. */
export interface ChildSetup {
  /** "host:port" of each daemon; they keep their ports when they are started again. */
  readonly targets: readonly string[];
  readonly tls: TestTls;
  /** How revocations may name what dies. */
  readonly by: readonly By[];
  /** This child's number among those of its kind. */
  readonly index: number;
}

/** Lose the connection, hear nothing on it any more, or hear everything late. */
export type HowToCut = 'reset' | 'silence' | 'delay';

export type ToChild =
  /** These tokens are registered. */
  | { readonly kind: 'issued'; readonly tokens: readonly number[] }
  /** Revocations that name these tokens were acknowledged. */
  | { readonly kind: 'revoked'; readonly tokens: readonly number[] }
  /** For caches. */
  | { readonly kind: 'cut'; readonly how: HowToCut }
  /** Come to an end: tell what is left to tell, and say done. */
  | { readonly kind: 'stop' };

export type FromChild =
  | { readonly kind: 'reads'; readonly reads: readonly Read[] }
  | { readonly kind: 'revoked'; readonly revoked: readonly Revoked[] }
  /** For people, when the test is over. */
  | { readonly kind: 'done'; readonly counts: Readonly<Record<string, number>> };
