// The shape of a policy file. What no caller can tell on its own is in policy-file.ts.
import * as z from 'zod';
import { CLAIM_NAMES } from '../core/claims.js';
import { TAG_KINDS } from '../core/key-ring.js';
import { PERMISSIONS } from '../core/policy.js';
import { isIdentity } from './identity.js';
import { parseInstantMs } from './instant.js';
import { isNetwork } from './network.js';

const MAX_TEXT_BYTES = 2048;
const MAX_RATE = 1_000_000_000;

const identity = z.string({ error: 'must be text' }).refine(isIdentity, {
  error:
    'must be an exact "spiffe://trust-domain/path" or "dns:name" in lower case; wildcards, quotes and ports are not allowed',
});

const name = z.string({ error: required('a name for logs, such as orders-api') }).regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, {
  error: 'must be 1 to 64 of a-z 0-9 . _ - and begin with a letter or a digit',
});

const text = z
  .string({ error: 'must be text' })
  .max(MAX_TEXT_BYTES, { error: 'is too long' })
  .regex(/^\S+$/, { error: 'must not be empty or hold spaces' });

const issuer = text.refine((value) => value !== '*', { error: 'name each issuer; there is no wildcard for issuers' });

const audiences = listOf(text, 'whom tokens must be meant for, or ["*"] for any').refine(
  (values) => values.length === 1 || !values.includes('*'),
  { error: '"*" means any audience and stands alone' },
);

const rate = section({
  per_second: rateNumber('how many a second'),
  burst: rateNumber('how many at once'),
}).transform(({ per_second: perSecond, burst }) => ({ perSecond, burst }));

const conditions = section({
  networks: listOf(network(), 'networks such as ["10.0.0.0/8"]').optional(),
  not_after: instant().optional(),
})
  .refine((value) => value.networks !== undefined || value.not_after !== undefined, {
    error: 'must hold networks or not_after, or both',
  })
  .transform(({ networks, not_after: notAfterMs }) => ({ networks, notAfterMs }));

const caller = section({
  name,
  identities: listOf(identity, 'what its certificate says, such as ["spiffe://mesh.example/ns/shop/sa/orders"]'),
  permissions: z.array(oneOf(PERMISSIONS), { error: required(`a list of ${PERMISSIONS.join(', ')}; [] for none`) }),
  revoke: z.array(oneOf(TAG_KINDS), { error: 'must be a list' }).default([]),
  issuers: listOf(issuer, 'the issuers whose tokens it may know about'),
  audiences,
  token_use: z
    .array(oneOf(['access_token', 'refresh_token']), { error: 'must be a list' })
    .min(1, mustNotBeEmpty())
    .optional(),
  claims: z.array(oneOf(CLAIM_NAMES), { error: 'must be a list' }).optional(),
  rate: rate.optional(),
  revoke_rate: rate.optional(),
  unknown_revoke_rate: rate.optional(),
  check_rate: rate.optional(),
  check_profile: z.string({ error: 'must be the name of a profile' }).optional(),
  check_anonymous: z.boolean({ error: 'must be true or false' }).optional(),
  conditions: conditions.optional(),
});

export const policySchema = section({
  version: z.literal(1, { error: required('version: 1') }),
  callers: z.array(caller, { error: required('a list of callers; [] lets nobody in') }),
});

/** The keys that are known at a path. */
export function findPolicyKeys(path: readonly PropertyKey[]): readonly string[] {
  const [, , section] = path;
  if (path.length === 0) return Object.keys(policySchema.shape);
  if (section === undefined) return Object.keys(caller.shape);
  return section === 'conditions' ? ['networks', 'not_after'] : ['per_second', 'burst'];
}

function rateNumber(what: string) {
  return z
    .int({ error: required(`a whole number: ${what}`) })
    .min(1, { error: 'must be at least 1' })
    .max(MAX_RATE, { error: `must be at most ${MAX_RATE}` });
}

function network() {
  return z.string({ error: 'must be text' }).refine(isNetwork, {
    error: 'must be an IPv4 or IPv6 address, "/" and the bits of its prefix, such as "10.0.0.0/8"',
  });
}

function instant() {
  return z.string({ error: 'must be text' }).transform((text, context) => {
    const instantMs = parseInstantMs(text);
    if (instantMs !== undefined) return instantMs;
    context.addIssue({ code: 'custom', message: 'must be an instant in UTC such as "2027-01-01T00:00:00Z"' });
    return z.NEVER;
  });
}

function section<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: ({ code }) => (code === 'invalid_type' ? 'must be a map: lines of key: value' : undefined),
  });
}

function listOf<Item extends z.ZodType>(item: Item, what: string) {
  return z.array(item, { error: required(what) }).min(1, mustNotBeEmpty());
}

function mustNotBeEmpty() {
  return { error: 'must not be empty' };
}

function oneOf<const Name extends string>(names: readonly Name[]) {
  return z.enum(names, { error: `must be one of ${names.join(', ')}` });
}

function required(what: string) {
  return ({ input }: { readonly input?: unknown }) => `${input === undefined ? 'required' : 'must be'}: ${what}`;
}
