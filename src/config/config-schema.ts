// The one truth about the configuration: names, defaults, ranges and what each setting means.
import * as z from 'zod';
import { parseAddress } from './address.js';
import { DURATION, parseDurationMs } from './duration.js';

const limits = section({
  batch_tokens: count(1, 10_000, 1000, 'Tokens in one BatchIntrospect.'),
  register_items: count(1, 10_000, 500, 'Entries in one RegisterTokens.'),
  token_bytes: count(16, 65_536, 4096, 'Longest token, in bytes.'),
  // An entry refers to its claims with two bytes (core/entry.ts).
  claims_bytes: count(64, 65_535, 3500, 'Longest encoded claims of one token, in bytes.'),
  inflight: count(1, 1_000_000, 2000, 'Calls being worked on at once; more are RESOURCE_EXHAUSTED.'),
  connection_age: duration('1s', '30d', '10m', 'Age at which a connection is closed, so that clients rebalance.'),
  cache_age: duration('0s', '1h', '60s', 'Longest time that a client may keep an answer.'),
  store_timeout: duration('1ms', '60s', '200ms', 'Longest wait for the store; then UNAVAILABLE.'),
  unknown_tombstones: count(0, 10_000_000, 100_000, 'Revoked tokens that were never registered, kept at once.'),
  watchers: count(0, 100_000, 1000, 'Caches that watch revocations at once.'),
  watch_queue: count(1, 1_000_000, 10_000, 'Revocations that wait for one slow watcher.'),
  log_entries: count(1, 100_000_000, 1_000_000, 'Entries that the revocation log keeps.'),
});

/** Of a store: its configuration at creation, and what `store set` changes later. */
export const storeBounds = {
  max_token_ttl: duration('1s', '3650d', '30d', 'Longest life of a token.'),
  lease: duration('100ms', '5m', '2s', 'How long a cache may answer without hearing from a server.'),
};

const profile = section({
  audience: text('Whom tokens must be meant for.').optional(),
  scopes_all: words('scopes, all of which a token must have'),
  scopes_any: words('scopes, one of which a token must have'),
  issuers: words('issuers, one of which a token must be from'),
  token_use: z
    .array(z.enum(['access_token', 'refresh_token'], { error: 'must be access_token or refresh_token' }), {
      error: 'must be a list of access_token, refresh_token',
    })
    .min(1, { error: 'must not be empty' })
    .optional(),
  acr: words('acr values, one of which a token must have'),
  anonymous: z.boolean({ error: 'must be true or false' }).optional(),
});

const extAuthz = section({
  budget: duration(
    '10ms',
    '10s',
    '150ms',
    'Longest time for a Check; keep it below the timeout that Envoy has (200 ms).',
  ),
  on_doubt: z.enum(['deny', 'envoy'], { error: 'must be deny or envoy' }).default('deny').meta({
    description: 'What becomes of a request nobody knows about: 503, or what failure_mode_allow of Envoy says.',
  }),
  realm: text('Realm of WWW-Authenticate.')
    .regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/, { error: 'must be visible ASCII without quotes and backslashes' })
    .default('introspectd'),
  credential: section({
    header: headerName('Header with the token alone, in place of Authorization: Bearer.').optional(),
    cookie: text('Cookie with the token, in place of Authorization: Bearer.')
      .regex(/^[\w!#$%&'*+.^`|~-]+$/, { error: 'must be the name of a cookie' })
      .optional(),
  }).optional(),
  headers: section({
    sub: headerName('Header for sub, as all of these overwritten or removed.').default('x-introspectd-sub'),
    client_id: headerName('Header for client_id.').default('x-introspectd-client-id'),
    scope: headerName('Header for scope.').default('x-introspectd-scope'),
    iss: headerName('Header for iss.').default('x-introspectd-iss'),
    exp: headerName('Header for exp, in seconds since the epoch.').default('x-introspectd-exp'),
  }),
  strip_authorization: z
    .boolean({ error: 'must be true or false' })
    .default(false)
    .meta({ description: 'Take the credential out of requests that go on.' }),
  profiles: z
    .record(
      z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { error: 'must be 1 to 64 letters, digits, . _ -' }),
      profile,
      { error: 'must be a section of NAME: { audience, scopes_all, ... }' },
    )
    .optional()
    .meta({
      description:
        'NAME: { audience, scopes_all, scopes_any, issuers, token_use, acr, anonymous }: what routes demand, in a file only.',
    }),
});

/** What a configuration file may hold. Its output has milliseconds for durations and host and port for addresses. */
export const configSchema = section({
  listen: address('0.0.0.0:50051', 'Where gRPC is served, HOST:PORT.'),
  ops_listen: address('127.0.0.1:9464', 'Where /metrics, /healthz and /readyz are served, HOST:PORT, plain HTTP.'),
  tls: section({
    cert_file: path('Certificate chain of the server, PEM.'),
    key_file: path('Its private key, PEM, unencrypted.'),
    client_ca_file: path('CAs whose client certificates are trusted, PEM; all of them are one trust domain.'),
    crl_file: path('Revoked client certificates, PEM ("X509 CRL"), one list for every CA.').optional(),
  }),
  policy_file: path('Who may do what.').default('policy.yaml'),
  store: section({
    kind: z
      .enum(['lmdb', 'redis'], { error: 'must be lmdb or redis' })
      .default('lmdb')
      .meta({ description: 'The engine: embedded, or one Redis server for several daemons.' }),
    path: path('Folder of the store (lmdb); made when it is missing.').default('./data'),
    url: text('Redis: redis://HOST:PORT/DB, rediss:// for TLS, or unix:/PATH; no name or password in it.').optional(),
    key_prefix: text('Redis: in front of every key.').default('introspectd:'),
    username: text('Redis: name of the ACL user.').optional(),
    password_file: path('Redis: file with the password.').optional(),
    tls: section({
      ca_file: path('Redis: CAs that its certificate may come from, PEM; without it those of the system.').optional(),
      cert_file: path('Redis: certificate chain of this client, PEM.').optional(),
      key_file: path('Redis: its private key, PEM, unencrypted.').optional(),
    }).optional(),
    allow_volatile: z
      .boolean({ error: 'must be true or false' })
      .default(false)
      .meta({ description: 'Redis: take a server that forgets revocations when it stops.' }),
  }),
  keys_file: path('Keys of digests and tags; the embedded store makes it, once; with Redis it must be there.').default(
    'introspectd.keys',
  ),
  reflection: z
    .boolean({ error: 'must be true or false' })
    .default(false)
    .meta({ description: 'gRPC reflection, for every caller of the policy.' }),
  limits,
  ext_authz: extAuthz,
  store_defaults: section({
    ...storeBounds,
    partitions: z.literal(1, { error: 'must be 1' }).default(1).meta({ description: 'Parts of the store.' }),
  }).meta({ description: 'For a store that is created now; an existing one keeps its own.' }),
  log: section({
    level: z
      .enum(['debug', 'info', 'warn', 'error'], {
        error: 'must be one of debug, info, warn, error',
      })
      .default('info')
      .meta({ description: 'Least severe records that are written; audit records always are.' }),
  }),
});

function section<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: ({ code }) => (code === 'invalid_type' ? 'must be a section of key: value lines' : undefined),
  });
}

function path(description: string) {
  return z
    .string({ error: ({ input }) => (input === undefined ? 'required: give the path of a file' : 'must be a path') })
    .regex(/^[^\0]+$/, { error: 'must be a path; it is empty' })
    .meta({ description, format: 'path' });
}

function text(description: string) {
  return z.string({ error: 'must be a text' }).min(1, { error: 'must not be empty' }).meta({ description });
}

function words(what: string) {
  const error = `must be a list of ${what}`;
  const word = z.string({ error }).regex(/^\S+$/, { error: 'must not be empty or hold spaces' });
  return z.array(word, { error }).min(1, { error: 'must not be empty' }).optional();
}

function headerName(description: string) {
  return text(description).regex(/^[a-z][a-z0-9-]*$/, { error: 'must be the name of a header, of a-z 0-9 -' });
}

function count(min: number, max: number, initial: number, description: string) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error }).default(initial).meta({ description });
}

function duration(min: string, max: string, initial: string, description: string) {
  const error = `must be a duration from ${min} to ${max}, such as ${initial} (units: ms, s, m, h, d)`;
  const [minMs, maxMs] = [toMs(min), toMs(max)];
  return z
    .string({ error })
    .regex(DURATION, { error })
    .refine((text) => toMs(text) >= minMs && toMs(text) <= maxMs, { error })
    .transform(toMs)
    .prefault(initial)
    .meta({ description });
}

function address(initial: string, description: string) {
  const error = `must be HOST:PORT, such as ${initial}`;
  return z
    .string({ error })
    .transform((text, context) => {
      const parsed = parseAddress(text);
      if (parsed !== undefined) return parsed;
      context.addIssue({ code: 'custom', message: error });
      return z.NEVER;
    })
    .prefault(initial)
    .meta({ description });
}

function toMs(text: string): number {
  return parseDurationMs(text) ?? Number.NaN;
}
