// Claims as JSON (the names of RFC 7662 and its relatives) -> the message that RegisterTokens takes.
import { TokenClaims, TokenUse } from '@introspectd/client/gen/introspectd/v1/token_claims';

/** What is wrong with a line, for the person who wrote it; names a claim, never shows its value. */
export class LineFault extends Error {}

type Converter = (value: unknown, name: string, claims: TokenClaims) => void;

const TOKEN_USES: Readonly<Record<string, TokenUse>> = {
  access_token: TokenUse.ACCESS_TOKEN,
  refresh_token: TokenUse.REFRESH_TOKEN,
};

const CONVERTERS: Readonly<Record<string, Converter>> = {
  scope: text('scope'),
  client_id: text('clientId'),
  username: text('username'),
  token_type: text('tokenType'),
  exp: seconds('exp'),
  iat: seconds('iat'),
  nbf: seconds('nbf'),
  sub: text('sub'),
  aud: (value, name, claims) => {
    claims.aud = (Array.isArray(value) ? value : [value]).map((item) => toText(item, name));
  },
  iss: text('iss'),
  jti: text('jti'),
  cnf: (value, name, claims) => {
    const { 'x5t#S256': x5tS256, jkt, ...others } = toMap(value, name);
    if (Object.keys(others).length > 0) throw new LineFault('cnf may hold x5t#S256 and jkt, and nothing else');
    claims.cnf = {
      x5tS256: x5tS256 === undefined ? undefined : toText(x5tS256, 'cnf.x5t#S256'),
      jkt: jkt === undefined ? undefined : toText(jkt, 'cnf.jkt'),
    };
  },
  act: (value, name, claims) => {
    claims.act = toMap(value, name);
  },
  authorization_details: (value, name, claims) => {
    if (!Array.isArray(value)) throw new LineFault(`${name} must be a list`);
    claims.authorizationDetails = value.map((item) => toMap(item, name));
  },
  sid: text('sid'),
  acr: text('acr'),
  auth_time: seconds('authTime'),
  token_use: (value, name, claims) => {
    const use = typeof value === 'string' && Object.hasOwn(TOKEN_USES, value) ? TOKEN_USES[value] : undefined;
    if (use === undefined) throw new LineFault(`${name} must be "access_token" or "refresh_token"`);
    claims.tokenUse = use;
  },
  grant_id: text('grantId'),
  extra: (value, name, claims) => {
    claims.extra = toMap(value, name);
  },
};

/** Throws LineFault. What is missing or out of range is for the daemon to say. */
export function parseClaims(value: unknown): TokenClaims {
  const claims = TokenClaims.decode(new Uint8Array(0));
  for (const [name, member] of Object.entries(toMap(value, 'claims'))) {
    const convert = Object.hasOwn(CONVERTERS, name) ? CONVERTERS[name] : undefined;
    if (convert === undefined) throw new LineFault('claims has an unknown name; put claims of your own into "extra"');
    convert(member, name, claims);
  }
  return claims;
}

export function toMap(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new LineFault(`${name} must be a JSON object`);
  }
  return value as Record<string, unknown>;
}

/** JSON numbers beyond 2^53 are not what was written. */
export function toInteger(value: unknown, name: string): bigint {
  if (!Number.isSafeInteger(value)) throw new LineFault(`${name} must be a whole number`);
  return BigInt(value as number);
}

type TextField = 'scope' | 'clientId' | 'username' | 'tokenType' | 'sub' | 'iss' | 'jti' | 'sid' | 'acr' | 'grantId';
type SecondsField = 'exp' | 'iat' | 'nbf' | 'authTime';

function text(field: TextField): Converter {
  return (value, name, claims) => {
    claims[field] = toText(value, name);
  };
}

function seconds(field: SecondsField): Converter {
  return (value, name, claims) => {
    claims[field] = toInteger(value, name);
  };
}

function toText(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new LineFault(`${name} must be text`);
  return value;
}
