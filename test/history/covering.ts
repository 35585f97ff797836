// Which tokens a revocation kills, as the promise has it: worked out from what was sent, without asking a server.
import type { By, IssuedToken, Revoked } from './history.js';
import { describeToken } from './tokens.js';

export interface Effect {
  readonly token: number;
  readonly invokeMs: number;
  readonly returnMs: number;
  /** acknowledged: dead from returnMs on. possible: may be dead from invokeMs on, or not. */
  readonly kind: 'acknowledged' | 'possible';
  readonly waitsForCaches: boolean;
}

/** A revocation and a registration of the same millisecond: whichever way it goes. */
const SAME_INSTANT_MS = 2;
/** A call that failed may be in the store's hands for so long, and its instant is that of its commit. */
const LATE_MS = 5000;

const BY_VALUE: Readonly<Record<Exclude<By, 'token'>, (id: number) => string>> = {
  jti: (id) => key(describeToken(id).iss, describeToken(id).jti),
  grant: (id) => key(describeToken(id).iss, describeToken(id).grantId),
  session: (id) => key(describeToken(id).iss, describeToken(id).sid),
  client: (id) => key(describeToken(id).iss, describeToken(id).clientId),
  subject: (id) => key(describeToken(id).iss, describeToken(id).sub),
  subject_client: (id) => key(describeToken(id).iss, describeToken(id).sub, describeToken(id).clientId),
  issuer: (id) => key(describeToken(id).iss),
};

export function findEffects(tokens: readonly IssuedToken[], revoked: readonly Revoked[]): readonly Effect[] {
  const byId = new Map(tokens.map((token) => [token.id, token]));
  const groups = groupTokens(tokens);
  return revoked.flatMap((one) => {
    const { invokeMs, returnMs, waitsForCaches, acknowledged } = one;
    return findTargets(one, byId, groups).flatMap((token) => {
      const covered = covers(one, token);
      if (covered === 'no') return [];
      const kind = acknowledged && covered === 'yes' ? 'acknowledged' : 'possible';
      return { token: token.id, invokeMs, returnMs, kind, waitsForCaches };
    });
  });
}

function findTargets(
  { by, token: id }: Revoked,
  byId: ReadonlyMap<number, IssuedToken>,
  groups: ReadonlyMap<string, readonly IssuedToken[]>,
): readonly IssuedToken[] {
  const itself = byId.get(id);
  if (by !== 'token') return groups.get(groupOf(by, id)) ?? [];
  // RFC 7009 §2.1: a refresh token takes its grant along.
  if (describeToken(id).isRefresh) return groups.get(groupOf('grant', id)) ?? [];
  return itself === undefined ? [] : [itself];
}

function covers({ by, issuedBeforeMs, invokeMs, returnMs, acknowledged }: Revoked, token: IssuedToken) {
  // Never reused: what is registered later is refused.
  if (by === 'token' || by === 'jti' || by === 'grant' || by === 'session') return 'yes';
  if (issuedBeforeMs !== undefined) return token.issuedAtMs < issuedBeforeMs ? 'yes' : 'no';
  if (token.returnMs < invokeMs) return 'yes';
  const latestMs = returnMs + (acknowledged ? SAME_INSTANT_MS : LATE_MS);
  return token.invokeMs <= latestMs ? 'perhaps' : 'no';
}

function groupTokens(tokens: readonly IssuedToken[]): ReadonlyMap<string, readonly IssuedToken[]> {
  const groups = new Map<string, IssuedToken[]>();
  for (const token of tokens) {
    for (const by of Object.keys(BY_VALUE) as Exclude<By, 'token'>[]) {
      const name = groupOf(by, token.id);
      const group = groups.get(name);
      if (group === undefined) groups.set(name, [token]);
      else group.push(token);
    }
  }
  return groups;
}

function groupOf(by: Exclude<By, 'token'>, id: number): string {
  return `${by} ${BY_VALUE[by](id)}`;
}

function key(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}
