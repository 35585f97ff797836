// Call -> caller: the TLS peer is read once per connection, the policy is asked again whenever it changes.
import { TLSSocket } from 'node:tls';
import type { ServerUnaryCall } from '@grpc/grpc-js';
import type { IntrospectdError } from '../core/errors.js';
import type { Caller, Policy } from '../core/policy.js';
import { checkConditions } from './caller-conditions.js';
import { parsePeerIdentities, unidentified } from './peer-identities.js';

/** What every kind of grpc-js call can say of its peer. */
export type PeerCall = Pick<ServerUnaryCall<unknown, unknown>, 'getAuthContext'>;

/** Throws CALLER_UNIDENTIFIED, CALLER_UNKNOWN or CONDITION_NOT_MET. */
export type CallerFinder = (call: PeerCall) => Caller;

type Identities = readonly string[] | IntrospectdError;

interface Connection {
  readonly identities: Identities;
  /** Of the peer, at its first call. */
  readonly address: string | undefined;
  /** The policy that `caller` was found in. */
  policy: Policy | undefined;
  caller: Caller | undefined;
}

/** `now` is the time of the server, ms since the epoch. */
export function createCallerFinder(policy: () => Policy, now: () => number): CallerFinder {
  const connections = new WeakMap<object, Connection>();
  return (call) => {
    const session = findSession(call);
    if (session === undefined) {
      const caller = findCaller(readAuthContext(call), policy());
      checkConditions(caller.conditions, undefined, now());
      return caller;
    }
    let connection = connections.get(session);
    if (connection === undefined) {
      connection = { ...readSocket(session.socket), policy: undefined, caller: undefined };
      connections.set(session, connection);
    }
    const current = policy();
    if (connection.caller === undefined || connection.policy !== current) {
      connection.caller = undefined;
      connection.caller = findCaller(connection.identities, current);
      connection.policy = current;
    }
    checkConditions(connection.caller.conditions, connection.address, now());
    return connection.caller;
  };
}

function findCaller(identities: Identities, policy: Policy): Caller {
  if (identities instanceof Error) throw identities;
  return policy.getCaller(identities);
}

/** The http2 session behind a call. grpc-js 1.14 keeps it private; a version that moves it costs the cache, no more. */
function findSession(call: PeerCall): { readonly socket: unknown } | undefined {
  const { call: inner } = call as { readonly call?: { readonly stream?: { readonly session?: unknown } } };
  const session = inner?.stream?.session;
  return typeof session === 'object' && session !== null && 'socket' in session ? session : undefined;
}

function readSocket(socket: unknown): Pick<Connection, 'identities' | 'address'> {
  // Strictly true: `authorized` alone says that the chain was verified, a certificate is there also without it.
  if (!(socket instanceof TLSSocket) || socket.authorized !== true) {
    return { identities: noCertificate(), address: undefined };
  }
  return { identities: readIdentities(socket.getPeerX509Certificate()?.raw), address: socket.remoteAddress };
}

/** grpc-js answers {} here unless the socket is authorized. */
function readAuthContext(call: PeerCall): Identities {
  return readIdentities(call.getAuthContext().sslPeerCertificate?.raw);
}

function readIdentities(certificateDer: Uint8Array | undefined): Identities {
  if (certificateDer === undefined) return noCertificate();
  try {
    return parsePeerIdentities(certificateDer);
  } catch (error) {
    return error as IntrospectdError;
  }
}

function noCertificate(): IntrospectdError {
  return unidentified('the connection has no verified client certificate');
}
