// Rows of mutants.ts: what keeps a request from passing when Envoy asks.
import type { Mutant } from './mutants.js';

const SERVICE = '/src/envoy/authorization-service.js';
const RESPONSE = '/src/envoy/check-response.js';
const DEMANDS = '/src/core/demands.js';
const THE_DOOR = 'envoy/authorization-service.test.js';
const THE_RULES = 'core/check.test.js';

export const ENVOY_MUTANTS: readonly Mutant[] = [
  {
    promise: 4,
    name: 'a CheckResponse leaves its status unset on one path',
    file: RESPONSE,
    find: 'writer.message(STATUS,',
    replace: 'if (code !== 14) writer.message(STATUS,',
    killedBy: THE_DOOR,
    test: 'a store that is gone',
  },
  {
    promise: 4,
    name: 'a Check in doubt is allowed',
    file: SERVICE,
    find: 'encodeRefusal(refusal);',
    replace: 'encodeAllowed({}, { headers: new Map() }, settings);',
    killedBy: THE_DOOR,
    test: 'a store that is gone',
  },
  {
    promise: 4,
    name: 'a Check that failed is an error of gRPC, which Envoy may let pass',
    file: '/src/grpc/unary.js',
    find: 'answerFailure?.(error, this.caller)',
    replace: 'undefined',
    killedBy: THE_DOOR,
    test: 'whoever may not ask',
  },
  {
    promise: 4,
    name: 'a good answer leaves after the budget of a Check',
    file: '/src/grpc/unary.js',
    find: 'if (late !== undefined)',
    replace: 'if (false)',
    killedBy: THE_DOOR,
    test: 'after the budget',
  },
  {
    promise: 8,
    name: 'an identity header is appended to that of the client',
    file: RESPONSE,
    find: 'HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD',
    replace: 'HeaderAppendAction.APPEND_IF_EXISTS_OR_ADD',
    killedBy: THE_DOOR,
    test: 'on allow',
  },
  {
    promise: 8,
    name: 'an identity header without a value stays as the client sent it',
    file: '/src/envoy/identity-headers.js',
    find: 'remove.push(names[claim]);',
    replace: ';',
    killedBy: 'envoy/translation.test.js',
    test: 'are each set or removed',
  },
  {
    promise: 8,
    name: 'metadata has claims that the policy hides',
    file: '/src/envoy/claims.js',
    find: 'if ((caller.claimsMask & bit) === 0)',
    replace: 'if (false)',
    killedBy: THE_DOOR,
    test: 'on allow',
  },
  {
    promise: 8,
    name: 'an unknown demand of a route is ignored',
    file: DEMANDS,
    find: "return { problem: 'unknown context extension', key };",
    replace: 'continue;',
    killedBy: THE_RULES,
    test: 'an unknown key: misconfigured',
  },
  {
    promise: 8,
    name: 'a route makes requests anonymous without the policy',
    file: DEMANDS,
    find: 'caller.check.anonymous && ',
    replace: '',
    killedBy: THE_RULES,
    test: 'no token where the route alone allows it',
  },
  {
    promise: 8,
    name: 'a bound token passes without its proof',
    file: '/src/core/check.js',
    find: 'if (!isProven(claims.cnf, request))',
    replace: 'if (false)',
    killedBy: THE_RULES,
    test: 'a bound token, another certificate',
  },
  {
    promise: 8,
    name: 'the first of two credentials is believed',
    file: '/src/core/bearer.js',
    find: 'if (values.length > 1)',
    replace: 'if (false)',
    killedBy: THE_RULES,
    test: 'two headers: credential_fault',
  },
];
