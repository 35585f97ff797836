// Revokes tokens and all that they belong to, at all daemons at once, and repeats what was not acknowledged.
import type { RevokeRequest } from '@introspectd/client/gen/introspectd/v1/introspection_service';
import { call, connectTo } from '../calls.js';
import { openChildChannel, pause } from '../child-channel.js';
import { type By, monotonicMs, type Revoked } from '../history.js';
import { describeToken } from '../tokens.js';

/** How often each is chosen, where it may be: what kills many is rare, so that others live. */
const WEIGHTS: Readonly<Record<By, number>> = {
  token: 50,
  jti: 12,
  grant: 8,
  session: 8,
  subject: 8,
  subject_client: 8,
  client: 4,
  issuer: 1,
};
const HAS_ISSUED_BEFORE: readonly By[] = ['client', 'subject', 'subject_client', 'issuer'];
const PAUSE_MS = 700;
const TIMEOUT_MS = 4000;
const ATTEMPTS = 3;

const channel = openChildChannel();
const { setup, known } = channel;
const counts: Record<string, number> = {};

await channel.run(setup.targets.map(revoke), () => counts);

async function revoke(target: string): Promise<void> {
  const client = connectTo(target, setup.tls);
  while (!channel.stopped) {
    const token = known.pickNewest();
    if (token !== undefined) {
      const by = chooseBy();
      const issuedBeforeMs =
        HAS_ISSUED_BEFORE.includes(by) && Math.random() < 0.3
          ? Date.now() - Math.floor(Math.random() * 3000)
          : undefined;
      const waitsForCaches = Math.random() < 0.05;
      for (let attempt = 0, acknowledged = false; attempt < ATTEMPTS && !acknowledged; attempt++) {
        const invokeMs = monotonicMs();
        const request = toRequest({ by, token, issuedBeforeMs, waitsForCaches });
        acknowledged = (await call(client.revoke.bind(client), request, TIMEOUT_MS)) !== undefined;
        const returnMs = monotonicMs();
        const revoked = { by, token, issuedBeforeMs, waitsForCaches, invokeMs, returnMs, acknowledged };
        channel.tell({ kind: 'revoked', revoked: [revoked] });
        const name = acknowledged ? `by ${by}` : 'doubts';
        counts[name] = (counts[name] ?? 0) + 1;
      }
    }
    await pause(PAUSE_MS);
  }
  client.close();
}

function chooseBy(): By {
  const total = setup.by.reduce((sum, by) => sum + WEIGHTS[by], 0);
  let left = Math.random() * total;
  for (const by of setup.by) {
    left -= WEIGHTS[by];
    if (left < 0) return by;
  }
  return 'token';
}

function toRequest(what: Pick<Revoked, 'by' | 'token' | 'issuedBeforeMs' | 'waitsForCaches'>): RevokeRequest {
  const { by, token, issuedBeforeMs, waitsForCaches } = what;
  const target: RevokeRequest['target'] =
    by === 'token'
      ? { $case: 'token', value: describeToken(token).token }
      : { $case: 'selector', value: { iss: describeToken(token).iss, by: toSelected(by, token) } };
  const issuedBefore = issuedBeforeMs === undefined ? undefined : toTimestamp(issuedBeforeMs);
  return { target, issuedBefore, reason: 'history', waitForCaches: waitsForCaches };
}

function toSelected(by: Exclude<By, 'token'>, id: number) {
  const { jti, grantId, sid, clientId, sub } = describeToken(id);
  switch (by) {
    case 'jti':
      return { $case: 'jti', value: jti } as const;
    case 'grant':
      return { $case: 'grantId', value: grantId } as const;
    case 'session':
      return { $case: 'sid', value: sid } as const;
    case 'client':
      return { $case: 'clientId', value: clientId } as const;
    case 'subject':
      return { $case: 'sub', value: sub } as const;
    case 'subject_client':
      return { $case: 'subjectClient', value: { sub, clientId } } as const;
    case 'issuer':
      return { $case: 'allTokens', value: {} } as const;
  }
}

function toTimestamp(ms: number) {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 };
}
