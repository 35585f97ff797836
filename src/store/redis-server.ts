/** Where Redis is, and what it takes to be let in. */
export interface RedisServer {
  /** `redis://host:port/db`, `rediss://` for TLS, or `unix:/path`; without name and password. */
  readonly url: string;
  /** In front of every key: several stores may share a server. */
  readonly keyPrefix: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** PEM. Undefined = as the url says, with the CAs of the system. */
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer } | undefined;
  /** Take a server that forgets everything when it stops. */
  readonly allowVolatile: boolean;
}
