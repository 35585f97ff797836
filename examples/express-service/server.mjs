// An Express service behind introspectd: GET /orders for whoever comes with a token for it that has the scope "read".
//
//   node examples/express-service/server.mjs
//
// INTROSPECTD_TARGET and the three files say where the daemon is and who this service is; PORT where it listens.
import { createIntrospectionClient } from '@introspectd/client';
import { createHttpGuard } from '@introspectd/client/http-guard';
import express from 'express';

const { INTROSPECTD_TARGET = 'localhost:50051', CA_FILE, CERT_FILE, KEY_FILE, PORT = '3000' } = process.env;

const client = createIntrospectionClient({
  target: INTROSPECTD_TARGET,
  tls: {
    caFile: CA_FILE ?? 'certs/ca.crt',
    certFile: CERT_FILE ?? 'certs/orders.crt',
    keyFile: KEY_FILE ?? 'certs/orders.key',
  },
  logger: console,
});
const guard = createHttpGuard(client, { audiences: ['https://orders.example'], scopes: ['read'], realm: 'orders' });

const app = express();
app.get('/healthz', (_, res) => void res.json(client.stats()));
app.get('/orders', guard, (req, res) => void res.json({ owner: req.introspection.sub, orders: [] }));

const server = app.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`orders listens on http://127.0.0.1:${server.address().port}`);
});

process.once('SIGTERM', async () => {
  server.close();
  server.closeIdleConnections();
  await client.close();
});
