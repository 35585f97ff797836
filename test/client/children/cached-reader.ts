// A service in a process of its own: asks about one token again and again, and tells what it was told.
import { setTimeout as sleep } from 'node:timers/promises';
import { createIntrospectionClient } from '@introspectd/client';

const { target, tls, token } = JSON.parse(process.env['READER'] ?? '{}');
const client = createIntrospectionClient({ target, tls, timeoutMs: 5_000 });
process.once('SIGTERM', () => process.exit(0));

for (;;) {
  const before = client.stats().hits;
  const { active } = await client.introspect(token);
  process.send?.({ active, isHit: client.stats().hits > before });
  await sleep(2);
}
