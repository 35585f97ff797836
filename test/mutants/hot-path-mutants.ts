// What is done by hand for speed (ADR 0028), done wrong.
import type { Mutant } from './mutants.js';

export const HOT_PATH_MUTANTS: readonly Mutant[] = [
  {
    promise: 1,
    name: 'a revocation of an issuer is not looked for',
    file: '/src/core/judge.js',
    find: 'revocations.isRevoked(issuerTag(entry.iss), entry.issueInstantMs)',
    replace: 'false',
    killedBy: 'core/judge.test.js',
    test: 'no record has to carry',
  },
  {
    promise: 8,
    name: 'an issuer is taken for another whose text has the same place',
    file: '/src/core/interned-text.js',
    find: 'known !== undefined && isSame(known.bytes, bytes, start, length)',
    replace: 'known !== undefined',
    killedBy: 'core/interned-text.test.js',
    test: 'are what the bytes say',
  },
  {
    promise: 1,
    name: 'a token beyond ASCII is read by hand',
    file: '/src/grpc/introspect-requests.js',
    find: 'if (bits > 0x7f)',
    replace: 'if (bits > 0xff)',
    killedBy: 'grpc/introspect-requests.test.js',
    test: 'as clients send it',
  },
  {
    promise: 8,
    name: 'the first claim is passed on, seen or not',
    file: '/src/grpc/claims-filter.js',
    find: 'let runStart = 0;',
    replace: 'let runStart = 0; visibleMask |= 2;',
    killedBy: 'grpc/response-encoding.test.js',
    test: 'an active one is what the generated encoder',
  },
  {
    promise: 8,
    name: 'node:http2 keeps the streams of a session',
    file: '/src/grpc/open-streams.js',
    find: 'state.streams = table;',
    replace: '',
    killedBy: 'grpc/daemon-garbage.test.js',
    test: 'leave nothing among what is old',
  },
  {
    promise: 8,
    name: 'a connection at its age ends at any moment',
    file: '/src/grpc/connection-age.js',
    find: "session.on('stream', endIfAlone);",
    replace: 'return end();',
    killedBy: 'grpc/connection-age.test.js',
    test: 'one by one',
  },
];
