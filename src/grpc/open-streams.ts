// The streams of a session that are open now.
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { types } from 'node:util';
import { StreamTable } from './stream-table.js';

export type OpenStreams = () => Iterable<ServerHttp2Stream>;

/** Private in node:http2, from Node 20 to 24 at least. */
interface SessionState {
  streams?: unknown;
}

/** Of a session that has none yet. Where it can, it has them kept in a table that costs calls less. */
export function watchOpenStreams(session: ServerHttp2Session): OpenStreams {
  return adoptOpenStreams(session) ?? followOpenStreams(session);
}

/** Undefined, with nothing done, in a version of Node that keeps them elsewhere. */
export function adoptOpenStreams(session: ServerHttp2Session): OpenStreams | undefined {
  const symbol = Object.getOwnPropertySymbols(session).find(({ description }) => description === 'state');
  const state = symbol && (session as unknown as Record<symbol, SessionState | undefined>)[symbol];
  // Asked through Map's own prototype: that of this one is out of reach of programs.
  if (state === undefined || !types.isMap(state.streams) || Reflect.get(Map.prototype, 'size', state.streams) !== 0) {
    return undefined;
  }
  const table = new StreamTable();
  state.streams = table;
  return () => table.values();
}

export function followOpenStreams(session: ServerHttp2Session): OpenStreams {
  const open = new StreamTable();
  session.on('stream', (stream) => {
    const { id } = stream;
    if (id === undefined) return;
    open.set(id, stream);
    stream.once('close', () => open.delete(id));
  });
  return () => open.values();
}
