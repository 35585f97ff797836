import { readFileSync } from 'node:fs';
import type { TestDaemon } from '../../support/daemon.js';
import type { PeerAddress } from './hostile-peer.js';

/** The daemon, as somebody with this caller's certificate reaches it. */
export function toPeerAddress({ process, workspace }: TestDaemon, caller: string): PeerAddress {
  const { caFile, certFile, keyFile } = workspace.tls(caller);
  const [ca, cert, key] = [caFile, certFile, keyFile].map((path) => readFileSync(path, 'utf8'));
  return { port: Number(process.target.split(':').at(-1)), ca: ca ?? '', cert: cert ?? '', key: key ?? '' };
}
