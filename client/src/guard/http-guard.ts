// A door for HTTP services: `(req, res, next)` of node:http, Connect, Express, Fastify and their relatives.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { IntrospectionClient } from '../introspection-client.js';
import type { ActiveToken } from '../introspection-result.js';
import { type Presented, parseAuthorization } from './bearer.js';
import { checkRequirements, judgeRequest, type TokenRequirements, type Verdict } from './token-requirements.js';

export type { TokenRequirements } from './token-requirements.js';

/** Options of {@link createHttpGuard}. */
export interface HttpGuardOptions extends TokenRequirements {
  /**
   * Named in `WWW-Authenticate`, for people.
   *
   * @defaultValue none
   */
  readonly realm?: string | undefined;
}

/** A request that a guard let through. */
export interface GuardedRequest extends IncomingMessage {
  /** What is known about the token that it came with. */
  introspection: ActiveToken;
}

/** Middleware of Connect and Express; `next` is called for requests that come with a good token, and for faults. */
export type HttpGuard = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void;

/**
 * Lets only requests through that come with a good token for this service, and puts what is known about it on the request
 * as `introspection`. Answers the others itself: 401 without a token or with a bad one, 403 when scopes are missing, 400 when
 * it cannot be told which token is meant (all three with `WWW-Authenticate`, RFC 6750 §3), 503 when nobody knows now.
 *
 * Tokens are taken from the `Authorization` header alone. A token bound to a certificate (`cnf` with `x5t#S256`, RFC 8705)
 * must come over a TLS connection with that certificate, to this very process; tokens bound to anything else, such as DPoP
 * keys, are refused.
 *
 * @throws IntrospectionError with code `INVALID_ARGUMENT` when an option does not fit
 *
 * @example
 * app.use('/orders', createHttpGuard(client, { audiences: ['https://orders.example'], scopes: ['orders:read'] }));
 * app.get('/orders', (req, res) => res.json(ordersOf(req.introspection.sub)));
 */
export function createHttpGuard(client: Pick<IntrospectionClient, 'introspect'>, options: HttpGuardOptions): HttpGuard {
  checkRequirements(options);
  const challenge = createChallenge(options);
  return (request, response, next) => {
    judgeRequest(client, options, readToken(request), { certificate: readCertificate(request) })
      .then((verdict) => {
        if (verdict.kind === 'allowed') {
          (request as GuardedRequest).introspection = verdict.token;
          next();
        } else answer(response, verdict, challenge);
      })
      .catch(next);
  };
}

/** From the raw fields: `headers` shows the first of several. */
function readToken({ rawHeaders, url = '' }: IncomingMessage): Presented {
  const values = rawHeaders.filter((_, index) => index % 2 === 1 && isAuthorization(rawHeaders[index - 1]));
  const presented = parseAuthorization(values);
  // RFC 6750 §2: not more than one way in a request.
  const isInUrl = /[?&]access_token=/.test(url);
  return presented.kind === 'token' && isInUrl ? { kind: 'malformed' } : presented;
}

function isAuthorization(name: string | undefined): boolean {
  return name?.toLowerCase() === 'authorization';
}

function readCertificate({ socket }: IncomingMessage): Uint8Array | undefined {
  return (socket as Partial<TLSSocket>).getPeerX509Certificate?.()?.raw;
}

type Refusal = Exclude<Verdict, { kind: 'allowed' }>;

const STATUS = { invalid_request: 400, invalid_token: 401, insufficient_scope: 403 } as const;

function answer(response: ServerResponse, refusal: Refusal, challenge: (error: string | undefined) => string): void {
  response.setHeader('Cache-Control', 'no-store');
  if (refusal.kind === 'unknown') {
    if (refusal.retryAfterMs !== undefined) response.setHeader('Retry-After', Math.ceil(refusal.retryAfterMs / 1_000));
    send(response, 503, 'temporarily_unavailable');
    return;
  }
  const { error } = refusal;
  response.setHeader('WWW-Authenticate', challenge(error));
  send(response, error === undefined ? 401 : STATUS[error], error);
}

function send(response: ServerResponse, status: number, error: string | undefined): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(error === undefined ? {} : { error }));
}

function createChallenge({ realm, scopes = [] }: HttpGuardOptions) {
  // quoted-string, RFC 9110 §5.6.4.
  const quote = (text: string) => `"${text.replaceAll(/[\\"]/g, '\\$&')}"`;
  const realmPart = realm === undefined ? [] : [`realm=${quote(realm)}`];
  return (error: string | undefined): string => {
    const errorPart = error === undefined ? [] : [`error=${quote(error)}`];
    const scopePart = error === 'insufficient_scope' ? [`scope=${quote(scopes.join(' '))}`] : [];
    return ['Bearer', [...realmPart, ...errorPart, ...scopePart].join(', ')].join(' ').trimEnd();
  };
}
