// Reflection as a client sees it: what is listed is described, with everything that it imports.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { credentials, type ServiceError } from '@grpc/grpc-js';
import {
  ServerReflectionClient,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
} from '../../src/gen/grpc/reflection/v1/reflection.js';
import { ServerReflectionClient as AlphaClient } from '../../src/gen/grpc/reflection/v1alpha/reflection.js';
import { createReflectionIndex } from '../../src/grpc/reflection-index.js';
import { startTestServer, type TestServer } from '../support/start-server.js';
import { readDetails } from './ask.js';
import { until } from './until.js';

type Question = NonNullable<ServerReflectionRequest['messageRequest']>;
type Client = ServerReflectionClient | AlphaClient;

const DESCRIPTORS = readFileSync(new URL('../../../proto/descriptors.binpb', import.meta.url));
const SERVICES = [
  'introspectd.v1.IntrospectionService',
  'introspectd.v1.TokenRegistryService',
  'envoy.service.auth.v3.Authorization',
  'grpc.health.v1.Health',
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
];

let server: TestServer;
let searches = 0;
before(async () => {
  server = await startTestServer();
  const index = createReflectionIndex(DESCRIPTORS);
  server.grpc.serveReflection({
    ...index,
    findSymbol: (name) => {
      searches++;
      return index.findSymbol(name);
    },
  });
});
after(() => server.close());

async function connectAs<Made extends Client>(
  caller: string,
  make: typeof ServerReflectionClient | typeof AlphaClient = ServerReflectionClient,
  to = server,
): Promise<Made> {
  const { introspection } = await to.connectAs(caller);
  const options = { channelOverride: introspection.getChannel() };
  return new make(to.target, credentials.createInsecure(), options) as Made;
}

/** Asks everything at once; rejects with what the stream ended with. */
async function ask(client: Client, questions: readonly (Question | undefined)[]): Promise<ServerReflectionResponse[]> {
  const call = client.serverReflectionInfo();
  const answers: ServerReflectionResponse[] = [];
  call.on('data', (answer: ServerReflectionResponse) => answers.push(answer));
  for (const messageRequest of questions) call.write({ host: 'h', messageRequest });
  call.end();
  await new Promise((resolve, reject) => call.once('end', resolve).once('error', reject));
  return answers;
}

function toNames(answer: ServerReflectionResponse | undefined): string[] {
  assert.equal(answer?.messageResponse?.$case, 'fileDescriptorResponse');
  const files = answer.messageResponse.value.fileDescriptorProto.map((file) =>
    fromBinary(FileDescriptorProtoSchema, file),
  );
  const names = files.map(({ name }) => name);
  for (const { dependency } of files) for (const imported of dependency) assert.ok(names.includes(imported), imported);
  return names;
}

describe('reflection', () => {
  it('lists what is served, in both versions, to a caller without permissions', async () => {
    for (const make of [ServerReflectionClient, AlphaClient]) {
      const [answer] = await ask(await connectAs('nobody', make), [{ $case: 'listServices', value: '' }]);
      assert.equal(answer?.messageResponse?.$case, 'listServicesResponse');
      assert.deepEqual(
        answer.messageResponse.value.service.map(({ name }) => name),
        SERVICES,
      );
    }
  });

  it('describes each of them, with all that its file imports', async () => {
    const questions = SERVICES.map((value) => ({ $case: 'fileContainingSymbol', value }) as const);
    const answers = await ask(await connectAs('nobody'), questions);
    assert.deepEqual(
      answers.map((answer) => toNames(answer)[0]),
      [
        'introspectd/v1/introspection_service.proto',
        'introspectd/v1/token_registry_service.proto',
        'envoy/service/auth/v3/external_auth.proto',
        'grpc/health/v1/health.proto',
        'grpc/reflection/v1/reflection.proto',
        'grpc/reflection/v1alpha/reflection.proto',
      ],
    );
    assert.ok(toNames(answers[0]).includes('google/protobuf/struct.proto'), 'an import of an import');
  });

  it('finds methods, messages, enums and files, and says what it does not find', async () => {
    const answers = await ask(await connectAs('nobody'), [
      { $case: 'fileContainingSymbol', value: 'introspectd.v1.IntrospectionService.Introspect' },
      { $case: 'fileContainingSymbol', value: 'grpc.health.v1.HealthCheckResponse.ServingStatus' },
      { $case: 'fileContainingSymbol', value: 'introspectd.v1.ErrorReason' },
      { $case: 'fileByFilename', value: 'google/rpc/status.proto' },
      { $case: 'allExtensionNumbersOfType', value: 'introspectd.v1.TokenClaims' },
      { $case: 'fileContainingSymbol', value: 'introspectd.v1' },
      { $case: 'fileByFilename', value: 'nothing.proto' },
      { $case: 'allExtensionNumbersOfType', value: 'nothing' },
      { $case: 'fileContainingExtension', value: { containingType: 'introspectd.v1.TokenClaims', extensionNumber: 1 } },
      undefined,
    ]);
    assert.deepEqual(
      answers.map(({ messageResponse }) =>
        messageResponse?.$case === 'errorResponse' ? messageResponse.value.errorCode : messageResponse?.$case,
      ),
      [...Array<string>(4).fill('fileDescriptorResponse'), 'allExtensionNumbersResponse', ...[5, 5, 5, 5, 3]],
    );
    assert.deepEqual(answers[3]?.originalRequest, {
      host: 'h',
      messageRequest: { $case: 'fileByFilename', value: 'google/rpc/status.proto' },
    });
  });

  it('is refused to strangers', async () => {
    const asking = ask(await connectAs('stranger'), [{ $case: 'listServices', value: '' }]);
    await assert.rejects(asking, (error: ServiceError) => {
      assert.equal(readDetails(error.metadata).reason, 'CALLER_UNKNOWN');
      return true;
    });
  });

  it('reads no more from a client that does not read', async () => {
    const call = (await connectAs<ServerReflectionClient>('nobody')).serverReflectionInfo();
    call.on('error', () => undefined);
    // grpc-js begins to hold back with the first read.
    call.once('data', () => call.pause());
    const value = 'introspectd.v1.IntrospectionService';
    for (let i = 0; i < 5000; i++) call.write({ host: '', messageRequest: { $case: 'fileContainingSymbol', value } });
    const before = searches;
    let seen = -1;
    let quietTurns = 0;
    await until(() => {
      quietTurns = searches === seen ? quietTurns + 1 : 0;
      seen = searches;
      return searches > before && quietTurns > 200;
    });
    assert.ok(searches - before < 1000, `${searches - before} answers were made`);
    call.cancel();
    await until(() =>
      server.records().some(({ method, code }) => method === 'ServerReflection.ServerReflectionInfo' && code === 'OK'),
    );
  });

  it('is not there unless it is asked for', async () => {
    await using without = await startTestServer();
    const asking = ask(await connectAs('nobody', ServerReflectionClient, without), [
      { $case: 'listServices', value: '' },
    ]);
    await assert.rejects(asking, /UNIMPLEMENTED/);
  });

  it('ends with the server, and tells the client to go elsewhere', async () => {
    const draining = await startTestServer();
    draining.grpc.serveReflection(createReflectionIndex(DESCRIPTORS));
    const call = (
      await connectAs<ServerReflectionClient>('nobody', ServerReflectionClient, draining)
    ).serverReflectionInfo();
    const answered = new Promise((resolve) => call.once('data', resolve));
    const ended = new Promise<ServiceError>((resolve) => call.once('error', resolve));
    call.write({ host: '', messageRequest: { $case: 'listServices', value: '' } });
    await answered;
    const startMs = performance.now();
    await draining.grpc.drain({ noticeMs: 0, budgetMs: 5000 });
    assert.equal(readDetails((await ended).metadata).reason, 'DRAINING');
    assert.ok(performance.now() - startMs < 4000, 'it did not take the budget');
    await draining.close();
  });
});
