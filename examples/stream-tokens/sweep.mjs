// Tokens from a database, a queue or a file, as they come: which of them are still good? Here: one a line on stdin.
//
//   node examples/stream-tokens/sweep.mjs < tokens.txt
//
// INTROSPECTD_TARGET and the three files say where the daemon is and who this job is; its policy needs "stream".
import { createInterface } from 'node:readline';
import { createIntrospectionClient, IntrospectionError } from '@introspectd/client';

const { INTROSPECTD_TARGET = 'localhost:50051', CA_FILE, CERT_FILE, KEY_FILE } = process.env;

const client = createIntrospectionClient({
  target: INTROSPECTD_TARGET,
  tls: {
    caFile: CA_FILE ?? 'certs/ca.crt',
    certFile: CERT_FILE ?? 'certs/orders.crt',
    keyFile: KEY_FILE ?? 'certs/orders.key',
  },
  // It asks about each token once.
  cache: false,
});

/** Any iterable will do. Rows are taken only as fast as their answers are. */
async function* readRows() {
  let number = 0;
  for await (const token of createInterface({ input: process.stdin })) yield { number: ++number, token };
}

for await (const { item, outcome } of client.stream(readRows())) {
  if (outcome instanceof IntrospectionError) console.log(`${item.number} ${outcome.reason ?? outcome.code}`);
  else console.log(`${item.number} ${outcome.active ? `active ${outcome.sub}` : 'inactive'}`);
}
await client.close();
