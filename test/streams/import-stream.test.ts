// ImportTokens through a daemon over mutual TLS, on each engine.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { TokenClaims } from '@introspectd/client/gen/introspectd/v1/token_claims';
import type {
  ImportTokensRequest,
  ImportTokensResponse,
  TokenEntry,
} from '@introspectd/client/gen/introspectd/v1/token_registry_service';
import { AUDIENCE, FOREIGN_ISSUER, ISSUER } from '../cases/introspect-cases.js';
import { toDetails } from '../grpc/ask.js';
import { ENGINES, range, type StreamStage } from './stage.js';

const NOW_SECONDS = BigInt(Math.floor(Date.now() / 1000));
const CLAIMS: TokenClaims = {
  iss: ISSUER,
  aud: [AUDIENCE],
  sub: 'alice',
  tokenUse: 1,
  iat: NOW_SECONDS,
  exp: NOW_SECONDS + 3600n,
  authorizationDetails: [],
};
const REAL: ImportTokensRequest = { kind: { $case: 'start', value: { dryRun: false } } };
const DRY: ImportTokensRequest = { kind: { $case: 'start', value: { dryRun: true } } };

for (const { engine, missing, start } of ENGINES) {
  describe(`ImportTokens on ${engine}`, { skip: missing }, () => {
    let stage: StreamStage;
    before(async () => {
      stage = await start();
    });
    after(() => stage.close());

    it('acknowledges chunks in order, once what they say is durable', async () => {
      const { daemon } = stage;
      const stream = stage.import();
      stream.send(REAL);
      for (const id of range(8))
        stream.send(
          chunk(
            id,
            range(300).map((n) => entry(`durable-${id}-${n}`)),
          ),
        );
      const acknowledged: ImportTokensResponse[] = [];
      while (acknowledged.length < 4) acknowledged.push(await stream.next());
      await stage.redis?.restart('SIGKILL');
      await daemon.restart('SIGKILL');
      for (const [index, message] of acknowledged.entries()) {
        assert.equal(message.chunkId, index);
        assert.deepEqual(
          reasonsOf(message),
          range(300).map(() => undefined),
        );
      }
      const tokens = range(4).flatMap((id) => range(300).map((n) => `durable-${id}-${n}`));
      assert.deepEqual(await activeOf(stage, tokens), tokens);

      // On from the first that was not acknowledged, with one before it again.
      const second = stage.import();
      second.send(REAL);
      for (const id of range(8).slice(3))
        second.send(
          chunk(
            id,
            range(300).map((n) => entry(`durable-${id}-${n}`)),
          ),
        );
      second.halfClose();
      assert.equal((await second.ended).code, 'OK');
      assert.deepEqual(
        second.messages.flatMap(reasonsOf),
        range(5 * 300).map(() => undefined),
      );
      const all = range(8).flatMap((id) => range(300).map((n) => `durable-${id}-${n}`));
      assert.deepEqual(await activeOf(stage, all), all);
    });

    it('an entry at fault fails alone, a chunk at fault fails alone', async () => {
      const { daemon } = stage;
      await daemon.register([{ token: 'there', claims: { sub: 'somebody' } }]);
      await daemon.client('security').revoke('revoked');
      const entries = faultyEntries();
      const stream = stage.import();
      stream.send(REAL);
      stream.send(
        chunk(
          1,
          entries.map(({ given }) => given),
        ),
      );
      stream.send(chunk(2, []));
      stream.send(
        chunk(
          3,
          range(501).map((n) => entry(`many-${n}`)),
        ),
      );
      stream.send(chunk(4, [entry('after-all')]));
      stream.halfClose();
      assert.equal((await stream.ended).code, 'OK');
      const [first, ...others] = stream.messages;
      assert.deepEqual(
        reasonsOf(first ?? assert.fail()),
        entries.map(({ reason }) => reason),
      );
      assert.deepEqual(others.map(reasonsOf), [['BATCH_EMPTY'], ['BATCH_TOO_LARGE'], [undefined]]);
      assert.deepEqual(
        fieldsOf(first),
        [
          'chunk.entries[2].claims.exp',
          'chunk.entries[2].claims.iat',
          'chunk.entries[2].claims.iss',
          'chunk.entries[2].claims.token_use',
        ].sort(),
      );
      assert.deepEqual(
        await activeOf(stage, ['good', 'by-hash', 'there', 'foreign', 'revoked', 'many-0', 'after-all']),
        ['good', 'by-hash', 'there', 'after-all'],
      );
      const audited = daemon
        .log()
        .split('\n')
        .filter(
          (line) => line.includes('"audit"') && line.includes('"caller":"importer"') && line.includes('"count":9'),
        );
      assert.equal(audited.length, 1);
      assert.match(audited[0] ?? '', /"action":"register","outcome":"accepted".*"refused":6/);
    });

    it('a dry run says the same and writes nothing', async () => {
      const { daemon } = stage;
      const before = daemon.log().split('"audit"').length;
      const entries = faultyEntries().map(({ given, reason }) => ({ given: renamed(given, 'dry-'), reason }));
      const there = [
        { given: entry('there'), reason: 'TOKEN_EXISTS' },
        { given: entry('good'), reason: undefined },
        { given: entry('revoked'), reason: 'TOKEN_REVOKED' },
      ];
      const stream = stage.import();
      stream.send(DRY);
      const all = [...entries.filter(({ given }) => !isOf(given, ['dry-there', 'dry-revoked'])), ...there];
      stream.send(
        chunk(
          1,
          all.map(({ given }) => given),
        ),
      );
      stream.halfClose();
      assert.equal((await stream.ended).code, 'OK');
      assert.deepEqual(
        reasonsOf(stream.messages[0] ?? assert.fail()),
        all.map(({ reason }) => reason),
      );
      assert.deepEqual(await activeOf(stage, ['dry-good', 'dry-by-hash', 'good']), ['good']);
      assert.equal(daemon.log().split('"audit"').length, before, 'nothing to audit');
      // Nobody knows them: they can be registered in any other form.
      const { results } = await daemon.tryRegister('login', [{ token: 'dry-good', claims: { sub: 'other' } }]);
      assert.equal(results[0]?.status?.code ?? 0, 0);
    });

    it('is charged by entry, and a dry run too', async () => {
      for (const first of [REAL, DRY]) {
        const stream = stage.import('slow-importer');
        stream.send(first);
        stream.send(
          chunk(
            1,
            range(240).map((n) => entry(`charged-${n}`)),
          ),
        );
        stream.send(
          chunk(
            2,
            range(240).map((n) => entry(`charged-${n}`)),
          ),
        );
        stream.halfClose();
        assert.equal((await stream.ended).code, 'OK');
        const last = stream.messages[1] ?? assert.fail();
        assert.deepEqual(reasonsOf(last), ['RATE_LIMITED']);
        const { retryMs } = toDetails(last.error?.details ?? []);
        assert.ok(retryMs !== undefined && retryMs > 10_000);
      }
    });

    for (const [name, messages] of Object.entries({
      'a chunk before the start': [chunk(1, [entry('early')])],
      'a second start': [REAL, chunk(1, [entry('between')]), REAL],
      'a message that is nothing': [REAL, { kind: undefined }],
    })) {
      it(`${name} ends it`, async () => {
        const stream = stage.import();
        for (const message of messages) stream.send(message);
        const { code, reason } = await stream.ended;
        assert.deepEqual([code, reason], ['INVALID_ARGUMENT', 'REQUEST_INVALID']);
        assert.equal(stream.messages.length, name === 'a second start' ? 1 : 0);
        assert.deepEqual(await activeOf(stage, ['early']), []);
      });
    }

    it('takes a permission', async () => {
      const stream = stage.import('job');
      stream.send(REAL);
      stream.halfClose();
      assert.deepEqual((await stream.ended).reason, 'PERMISSION_MISSING');
    });
  });
}

function entry(token: string, claims: Partial<TokenClaims> = {}): TokenEntry {
  return { credential: { $case: 'token', value: token }, claims: { ...CLAIMS, ...claims }, issuedAtMs: undefined };
}

function chunk(chunkId: number, entries: readonly TokenEntry[]): ImportTokensRequest {
  return { kind: { $case: 'chunk', value: { chunkId, entries: [...entries] } } };
}

/** Entries, and what is wrong with each. */
function faultyEntries(): readonly { readonly given: TokenEntry; readonly reason: string | undefined }[] {
  const hash = createHash('sha256').update('by-hash').digest();
  return [
    { given: entry('good'), reason: undefined },
    { given: { ...entry(''), credential: { $case: 'tokenSha256', value: hash } }, reason: undefined },
    { given: { ...entry('bare'), claims: undefined }, reason: 'CLAIMS_INVALID' },
    { given: entry('foreign', { iss: FOREIGN_ISSUER }), reason: 'ISSUER_NOT_ALLOWED' },
    { given: entry('not a token'), reason: 'TOKEN_MALFORMED' },
    { given: entry('there'), reason: 'TOKEN_EXISTS' },
    { given: entry('revoked'), reason: 'TOKEN_REVOKED' },
    { given: entry('for-ever', { exp: NOW_SECONDS + 31_536_000n }), reason: 'TTL_TOO_LONG' },
    { given: entry('good'), reason: undefined },
  ];
}

function renamed(given: TokenEntry, prefix: string): TokenEntry {
  const { credential } = given;
  if (credential?.$case === 'token') {
    return { ...given, credential: { $case: 'token', value: `${prefix}${credential.value}` } };
  }
  const hash = createHash('sha256').update(`${prefix}by-hash`).digest();
  return { ...given, credential: { $case: 'tokenSha256', value: hash } };
}

function isOf({ credential }: TokenEntry, tokens: readonly string[]): boolean {
  return credential?.$case === 'token' && tokens.includes(credential.value);
}

/** Of each entry, undefined = OK; of the chunk alone, when that failed. */
function reasonsOf({ results, error }: ImportTokensResponse): readonly (string | undefined)[] {
  if (error !== undefined) return [toDetails(error.details).reason];
  return results.map(({ status }) => toDetails(status?.details ?? []).reason);
}

function fieldsOf(message: ImportTokensResponse | undefined): readonly string[] {
  return (message?.results ?? []).flatMap(({ status }) => toDetails(status?.details ?? []).fields).sort();
}

async function activeOf({ daemon }: StreamStage, tokens: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (let start = 0; start < tokens.length; start += 1000) {
    const asked = tokens.slice(start, start + 1000);
    const answers = await daemon.client('orders').introspectMany(asked);
    found.push(...asked.filter((_, index) => (answers[index] as { active?: boolean }).active));
  }
  return found;
}
