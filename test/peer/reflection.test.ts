// Clients that know nothing of our protos but what the server tells them: `buf curl`, and grpcurl where it is installed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startTestDaemon, type TestDaemon } from '../support/daemon.js';

const BUF = fileURLToPath(new URL('../../../node_modules/@bufbuild/buf/bin/buf', import.meta.url));
const SERVICES = [
  'envoy.service.auth.v3.Authorization',
  'grpc.health.v1.Health',
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
  'introspectd.v1.IntrospectionService',
  'introspectd.v1.TokenRegistryService',
];
const INTROSPECT = 'introspectd.v1.IntrospectionService/Introspect';

let daemon: TestDaemon;
before(async () => {
  daemon = await startTestDaemon({ config: { reflection: true }, strangers: ['stranger'] });
});
after(() => daemon.stop());

// Not in the folder of the project, where buf would find proto/.
const how = { cwd: tmpdir(), encoding: 'utf8', timeout: 30_000 } as const;

describe('buf curl by reflection', () => {
  for (const protocol of ['grpc-v1', 'grpc-v1alpha']) {
    const curl = (caller: string, ...args: readonly string[]) => {
      const { caFile, certFile, keyFile } = daemon.workspace.tls(caller);
      const tls = ['--cacert', caFile, '--cert', certFile, '--key', keyFile];
      const reflect = ['--protocol', 'grpc', '--reflect', '--reflect-protocol', protocol];
      return spawnSync(process.execPath, [BUF, 'curl', ...reflect, ...tls, ...args], how);
    };

    it(`${protocol}: lists the services`, () => {
      const { status, stdout, stderr } = curl('orders', '--list-services', `https://${daemon.process.target}`);
      assert.equal(status, 0, stderr);
      assert.deepEqual(stdout.trim().split('\n').sort(), SERVICES);
    });

    it(`${protocol}: calls a method`, () => {
      const url = `https://${daemon.process.target}/${INTROSPECT}`;
      const { status, stdout, stderr } = curl('auditor', '--data', '{"token":"never-registered"}', url);
      assert.equal(status, 0, stderr);
      assert.equal(JSON.parse(stdout).inactiveReason, 'INACTIVE_REASON_NOT_FOUND');
    });

    it(`${protocol}: is refused to a stranger`, () => {
      const { status } = curl('stranger', '--list-services', `https://${daemon.process.target}`);
      assert.notEqual(status, 0);
    });
  }
});

describe('grpcurl by reflection', () => {
  it('lists, describes and calls', (t) => {
    const { caFile, certFile, keyFile } = daemon.workspace.tls('auditor');
    const tls = ['-cacert', caFile, '-cert', certFile, '-key', keyFile];
    const grpcurl = (...args: readonly string[]) => spawnSync('grpcurl', [...tls, ...args], how);
    if (grpcurl('-version').error !== undefined) {
      return t.skip('grpcurl is not installed (go install github.com/fullstorydev/grpcurl/cmd/grpcurl@latest)');
    }
    const { target } = daemon.process;
    assert.deepEqual(grpcurl(target, 'list').stdout.trim().split('\n').sort(), SERVICES);
    for (const service of SERVICES) {
      const { status, stdout, stderr } = grpcurl(target, 'describe', service);
      assert.equal(status, 0, stderr);
      assert.match(stdout, /rpc /);
    }
    const { stdout, stderr } = grpcurl('-d', '{"token":"never-registered"}', target, INTROSPECT);
    assert.match(stdout, /INACTIVE_REASON_NOT_FOUND/, stderr);
  });
});
