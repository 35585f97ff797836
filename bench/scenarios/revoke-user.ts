// What it costs to revoke a user, by how many tokens the user has: as much as one token, for a revocation is one event.
import type { BenchContext } from '../bench-context.js';
import { OWNED, registerOwnedCall, revokeCall, revokeOwnerCall, revokeUserCall } from '../corpus.js';
import type { LoadCall } from '../http2-load.js';
import type { Load } from '../load-generator.js';
import type { Group, Row } from '../rounds.js';

const ONE_AT_A_TIME: Load = { connections: 1, streams: 1 };
const REGISTER_ITEMS = 500;
const TOKEN = 'a token, one at a time';
const USER = 'a user with one token, one at a time';

export async function revokeUser(context: BenchContext): Promise<readonly Group[]> {
  const { site } = context;
  const register = await site.startLoad('issuer', registerOwnedCall(REGISTER_ITEMS), { connections: 1, streams: 4 });
  await register.send(OWNED.count / REGISTER_ITEMS);
  await register.stop();
  const owner = `a user with ${OWNED.count.toLocaleString('en-US')} tokens, one at a time`;
  return [
    {
      title: `Revoke, mutual TLS, ${site.engine.name}`,
      rows: [
        await createRow(context, TOKEN, revokeCall()),
        await createRow(context, USER, revokeUserCall()),
        { ...(await createRow(context, owner, revokeOwnerCall())), baselines: [TOKEN, USER] },
      ],
    },
  ];
}

async function createRow({ site, cleanUp }: BenchContext, name: string, call: LoadCall): Promise<Row> {
  const load = await site.startLoad('issuer', call, ONE_AT_A_TIME);
  cleanUp(load.stop);
  return { name, unit: 'calls', pid: site.daemon.pid, oneAtATime: true, run: load.run };
}
