/** Paths of what a server presents, and whom it trusts. */
export interface PeerTls {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

export interface PeerPorts {
  readonly pid: number;
  readonly plaintext: number;
  readonly mtls: number;
}
