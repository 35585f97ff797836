// What no setting can tell on its own. Beside the schema, because zod skips such checks once another setting is wrong.
import { parseAddress } from './address.js';
import { valueAt } from './config-leaves.js';
import type { Fault } from './faults.js';

/** What a batch of answers may weigh: the default limit for a message of most gRPC clients. */
const MESSAGE_BYTES = 4 * 1024 * 1024;

/** Looks at the values it understands alone; the schema complains about the others. */
export function findCrossFaults(tree: unknown): Fault[] {
  const faults: Fault[] = [];
  const batchTokens = valueAt(tree, ['limits', 'batch_tokens']);
  const claimsBytes = valueAt(tree, ['limits', 'claims_bytes']);
  if (typeof batchTokens === 'number' && typeof claimsBytes === 'number' && batchTokens * claimsBytes > MESSAGE_BYTES) {
    const problem = `batch_tokens * claims_bytes must fit 4 MiB (${MESSAGE_BYTES}); lower one of them`;
    faults.push({ path: 'limits.batch_tokens', problem });
  }
  const [listen, opsListen] = ['listen', 'ops_listen'].map((key) => parseAddress(String(valueAt(tree, [key]))));
  if (listen?.port && listen.port === opsListen?.port && listen.host === opsListen.host) {
    faults.push({ path: 'ops_listen', problem: 'is the address of listen; give it another port' });
  }
  return faults;
}
