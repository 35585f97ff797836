// A door for gRPC services of grpc-js: a server interceptor.
import { Metadata, ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';
import type { IntrospectionClient } from '../introspection-client.js';
import type { ActiveToken } from '../introspection-result.js';
import { parseAuthorization } from './bearer.js';
import { checkRequirements, judgeRequest, type TokenRequirements, type Verdict } from './token-requirements.js';

export type { TokenRequirements } from './token-requirements.js';

const introspections = new WeakMap<Metadata, ActiveToken>();

/**
 * What is known about the token that a call came with; for handlers of a server with a guard.
 *
 * @returns undefined for a call that no guard let through
 */
export function introspectionOf(call: { readonly metadata: Metadata }): ActiveToken | undefined {
  return introspections.get(call.metadata);
}

/**
 * Lets only calls through that come with a good token for this service, in the metadata `authorization: Bearer ...`. The
 * others end before their handler: UNAUTHENTICATED without a token or with a bad one, PERMISSION_DENIED when scopes are
 * missing, UNAVAILABLE when nobody knows now. Bound tokens as for `createHttpGuard`; the certificate must be one that the
 * server verified.
 *
 * Calls of grpc.health.v1 and of reflection are guarded as all others: give those services a server of their own, or use
 * `exempt`.
 *
 * @throws IntrospectionError with code `INVALID_ARGUMENT` when an option does not fit
 *
 * @example
 * const guard = createGrpcGuard(client, { audiences: ['https://orders.example'] });
 * const server = new Server({ interceptors: [guard] });
 */
export function createGrpcGuard(
  client: Pick<IntrospectionClient, 'introspect'>,
  options: GrpcGuardOptions,
): ServerInterceptor {
  checkRequirements(options);
  const exempt = new Set(options.exempt);
  return (method, call) => {
    if (exempt.has(method.path)) return new ServerInterceptingCall(call);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, proceed) => {
            const { sslPeerCertificate: certificate } = call.getAuthContext();
            const presented = parseAuthorization(metadata.get('authorization').map(String));
            judgeRequest(client, options, presented, { certificate: certificate?.raw })
              .then((verdict) => {
                if (verdict.kind !== 'allowed') return call.sendStatus(toStatus(verdict));
                introspections.set(metadata, verdict.token);
                proceed(metadata);
              })
              .catch(() => call.sendStatus({ code: status.INTERNAL, details: 'the token could not be checked' }));
          },
        }),
    });
  };
}

/** Options of {@link createGrpcGuard}. */
export interface GrpcGuardOptions extends TokenRequirements {
  /**
   * Methods that need no token, by their full path such as `/grpc.health.v1.Health/Check`.
   *
   * @defaultValue none
   */
  readonly exempt?: readonly string[] | undefined;
}

function toStatus(verdict: Exclude<Verdict, { kind: 'allowed' }>) {
  if (verdict.kind === 'unknown') return { code: status.UNAVAILABLE, details: 'the token cannot be checked now' };
  const metadata = new Metadata();
  metadata.set('www-authenticate', verdict.error === undefined ? 'Bearer' : `Bearer error="${verdict.error}"`);
  if (verdict.error === 'insufficient_scope') {
    return { code: status.PERMISSION_DENIED, details: 'the token lacks a scope', metadata };
  }
  return { code: status.UNAUTHENTICATED, details: 'a good token is required', metadata };
}
