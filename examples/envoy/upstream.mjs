// The service behind Envoy: answers with what it knows of the request.
import { createServer } from 'node:http';

createServer(({ method, url, headers }, response) => {
  const identity = Object.entries(headers).filter(
    ([name]) => name.startsWith('x-introspectd-') || name === 'authorization',
  );
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ method, path: url, ...Object.fromEntries(identity) }));
}).listen(18080, '127.0.0.1');
