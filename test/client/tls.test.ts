// Mutual TLS or nothing: what the client refuses, and that it says whose side a failed handshake is on.
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { Metadata } from '@grpc/grpc-js';
import { type ClientTls, createIntrospectionClient, toIntrospectionError } from '@introspectd/client';
import { createTestCa } from '../support/test-ca.js';
import { activeBytes, MINIMAL_RESULT } from './support/messages.js';
import {
  authority,
  clientLeaf,
  clientTls,
  type ScriptedServer,
  serverLeaf,
  startScriptedServer,
  toClientTls,
} from './support/scripted-server.js';

const EXPIRED = { notBefore: new Date('2020-01-01'), notAfter: new Date('2020-01-02') };
const otherAuthority = await createTestCa('another authority');

async function introspect(target: string, tls: ClientTls) {
  const client = createIntrospectionClient({ target, tls, timeoutMs: 5_000 });
  try {
    return await client.introspect('t');
  } finally {
    await client.close();
  }
}

function rejectsWith(message: RegExp) {
  return { name: 'IntrospectionError', code: 'UNAVAILABLE', retryable: true, message };
}

describe('handshakes', () => {
  let server: ScriptedServer;
  before(async () => {
    server = await startScriptedServer({ introspect: (_call, reply) => reply(null, activeBytes()) });
  });
  after(() => server.stop());

  it('trusts the authority it is given, under the name it is given', async () => {
    assert.deepEqual(await introspect(server.target, clientTls), MINIMAL_RESULT);
    assert.deepEqual(await introspect(`dns:///${server.target}`, clientTls), MINIMAL_RESULT);
    const byAddress = `ipv4:127.0.0.1:${server.target.split(':')[1]}`;
    assert.deepEqual(await introspect(byAddress, { ...clientTls, serverName: 'localhost' }), MINIMAL_RESULT);
  });

  const REFUSALS: readonly (readonly [name: string, tls: () => Promise<ClientTls>, message: RegExp])[] = [
    [
      'a server of another authority',
      async () => ({ ...clientTls, ca: otherAuthority.certPem }),
      /^TLS: this client does not trust the server's certificate/,
    ],
    [
      'a server under another name',
      async () => ({ ...clientTls, serverName: 'other.example' }),
      /^TLS: the server's certificate is for another name/,
    ],
    [
      'a client of another authority',
      async () => toClientTls(await otherAuthority.issue({}), authority),
      /^TLS: the server closed the connection after the handshake: it may refuse this client's certificate/,
    ],
    [
      'a client that expired',
      async () => toClientTls(await authority.issue(EXPIRED)),
      /^TLS: the server closed the connection after the handshake: it may refuse this client's certificate/,
    ],
  ];
  for (const [name, tls, message] of REFUSALS) {
    it(`fails for ${name}`, async () => {
      await assert.rejects(introspect(server.target, await tls()), rejectsWith(message));
    });
  }

  it('cannot be told by the environment to trust anybody', async () => {
    const variable = 'NODE_TLS_REJECT_UNAUTHORIZED';
    process.env[variable] = '0';
    try {
      const stranger = { ...clientTls, ca: otherAuthority.certPem };
      await assert.rejects(introspect(server.target, stranger), rejectsWith(/does not trust the server's certificate/));
    } finally {
      delete process.env[variable];
    }
  });

  it('fails for a server that expired', async () => {
    const expired = await startScriptedServer({}, await authority.issue({ dnsNames: ['localhost'], ...EXPIRED }));
    await assert.rejects(
      introspect(expired.target, clientTls),
      rejectsWith(/^TLS: the server's certificate is not valid now/),
    );
    await expired.stop();
  });
});

describe('servers that are none', () => {
  const identity = { cert: serverLeaf.certPem, key: serverLeaf.keyPem, ALPNProtocols: ['h2'] };
  const ignoreErrors = (socket: Socket) => socket.on('error', () => {});
  const STRANGERS: readonly (readonly [name: string, server: () => Server, message: RegExp])[] = [
    [
      'TLS 1.2',
      () => createTlsServer({ ...identity, maxVersion: 'TLSv1.2' }),
      /^TLS: the server does not speak TLS 1\.3/,
    ],
    [
      'HTTP',
      () => createTcpServer((socket) => ignoreErrors(socket).end('HTTP/1.1 400 \r\n\r\n')),
      /does not speak TLS on/,
    ],
    [
      'resets',
      () => createTcpServer((socket) => ignoreErrors(socket).resetAndDestroy()),
      /^no connection: .*ECONNRESET/,
    ],
  ];
  for (const [name, create, message] of STRANGERS) {
    it(`fails for ${name}`, async () => {
      const server = create().listen(0, 'localhost');
      await once(server, 'listening');
      await assert.rejects(
        introspect(`localhost:${(server.address() as AddressInfo).port}`, clientTls),
        rejectsWith(message),
      );
      server.close();
    });
  }

  it('fails for nobody', async () => {
    await assert.rejects(introspect('localhost:1', clientTls), rejectsWith(/^no connection: .*ECONNREFUSED/));
  });
});

describe('what is said of a handshake that depends on timing or on the versions of both sides', () => {
  const closed = "TLS: the server closed the connection after the handshake: it may refuse this client's certificate";
  const refused = "TLS: the server refuses this client's certificate";
  const CAUSES: readonly (readonly [cause: string, message: string])[] = [
    ['Error: read ECONNRESET', `${closed} (read ECONNRESET)`],
    ['read ECONNRESET (2026-11-22T17:41:15.763Z)', `${closed} (read ECONNRESET)`],
    ['Error: write EPIPE', `${closed} (write EPIPE)`],
    [
      'Error: 80EC:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:../rec.c:1:SSL alert number 116\n',
      `${refused} (tlsv13 alert certificate required)`,
    ],
    [
      'Error: 80EC:error:0A000418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca:../rec.c:1:SSL alert number 48\n',
      `${refused} (tlsv1 alert unknown ca)`,
    ],
    [
      'Error: 80EC:error:0A000102:SSL routines:ssl_choose_client_version:unsupported protocol:../statem.c:1:\n',
      'TLS: the server does not speak TLS 1.3 (unsupported protocol)',
    ],
    ['Error: connect ETIMEDOUT 10.0.0.1:50051', 'no connection: connect ETIMEDOUT 10.0.0.1:50051'],
  ];
  for (const [cause, message] of CAUSES) {
    it(cause.trim(), () => {
      const layers = 'No connection established. Last error: No connection established. Last error: ';
      const details = `round_robin: ${layers}${cause}. Resolution note: `;
      assert.equal(toIntrospectionError({ code: 14, details, metadata: new Metadata() }).message, message);
    });
  }

  it('leaves other texts alone', () => {
    const details = 'Name resolution failed for target dns:///nowhere.invalid:1';
    assert.equal(toIntrospectionError({ code: 14, details, metadata: new Metadata() }).message, details);
  });
});

describe('options', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'introspectd-client-'));
    await writeFile(join(folder, 'ca.pem'), authority.certPem);
    await writeFile(join(folder, 'cert.pem'), clientLeaf.certPem);
    await writeFile(join(folder, 'key.pem'), clientLeaf.keyPem);
  });
  after(() => rm(folder, { recursive: true }));

  const files = () => ({
    caFile: join(folder, 'ca.pem'),
    certFile: join(folder, 'cert.pem'),
    keyFile: join(folder, 'key.pem'),
  });

  it('reads files', async () => {
    const server = await startScriptedServer({ introspect: (_call, reply) => reply(null, activeBytes()) });
    assert.deepEqual(await introspect(server.target, files()), MINIMAL_RESULT);
    await server.stop();
  });

  it('takes bytes', () => {
    const bytes = { ca: Buffer.from(clientTls.ca), cert: new TextEncoder().encode(clientTls.cert), key: clientTls.key };
    createIntrospectionClient({ target: 'localhost:1', tls: bytes });
  });

  const encryptedKey = createPrivateKey(clientLeaf.keyPem)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' })
    .toString();
  const FAULTS: readonly (readonly [name: string, tls: () => unknown, message: RegExp])[] = [
    ['no tls', () => undefined, /^tls is required/],
    ['an empty ca', () => ({ ...clientTls, ca: '' }), /^tls\.ca is required/],
    ['an empty ca in bytes', () => ({ ...clientTls, ca: new Uint8Array(0) }), /^tls\.ca is required/],
    ['no cert', () => ({ ca: clientTls.ca, key: clientTls.key }), /^tls\.cert is required/],
    ['no key', () => ({ ca: clientTls.ca, cert: clientTls.cert }), /^tls\.key is required/],
    ['a ca that is none', () => ({ ...clientTls, ca: 'certificate' }), /^tls\.ca holds no PEM certificate/],
    ['a cert that is none', () => ({ ...clientTls, cert: 'certificate' }), /^tls\.cert holds no PEM certificate/],
    ['a key that is none', () => ({ ...clientTls, key: 'key' }), /^tls\.key is not the private key/],
    ["another certificate's key", () => ({ ...clientTls, key: serverLeaf.keyPem }), /^tls\.key is not the private key/],
    ['an encrypted key', () => ({ ...clientTls, key: encryptedKey }), /^tls\.key is not the private key/],
    [
      'a missing file',
      () => ({ ...files(), keyFile: '/nowhere/key.pem' }),
      /^tls\.keyFile cannot be read: \/nowhere\/key\.pem \(ENOENT\)/,
    ],
    ['a folder', () => ({ ...files(), certFile: folder }), /^tls\.certFile cannot be read: .* \(EISDIR\)/],
    ['no file', () => ({ caFile: files().caFile, certFile: files().certFile }), /^tls\.keyFile is required/],
    [
      'a key in place of a ca',
      () => ({ ...files(), caFile: files().keyFile }),
      /^tls\.caFile holds no PEM certificate/,
    ],
  ];
  for (const [name, tls, message] of FAULTS) {
    it(`refuses ${name}`, () => {
      assert.throws(() => createIntrospectionClient({ target: 'localhost:1', tls: tls() as ClientTls }), {
        name: 'IntrospectionError',
        code: 'INVALID_ARGUMENT',
        retryable: false,
        message,
      });
    });
  }

  for (const target of ['', undefined, 'https://localhost:1', 'localhost:1/path']) {
    it(`refuses the target ${target}`, () => {
      assert.throws(() => createIntrospectionClient({ target: target as string, tls: clientTls }), {
        name: 'IntrospectionError',
        code: 'INVALID_ARGUMENT',
        message: /^target is "host:port"/,
      });
    });
  }
});
