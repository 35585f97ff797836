// The conditions of a caller's policy entry, against its connection and the time. What cannot be told is not met.
import { BlockList, isIP } from 'node:net';
import { IntrospectdError } from '../core/errors.js';
import type { CallerConditions } from '../core/policy.js';

type Contains = (address: string | undefined) => boolean;

// One per entry of a policy: a policy that is replaced takes them along.
const compiled = new WeakMap<CallerConditions, Contains>();

/** Throws CONDITION_NOT_MET. `address` is the peer's, as node:net says it. */
export function checkConditions(
  conditions: CallerConditions | undefined,
  address: string | undefined,
  nowMs: number,
): void {
  if (conditions === undefined) return;
  const { notAfterMs } = conditions;
  const isInTime = notAfterMs === undefined || nowMs <= notAfterMs;
  if (isInTime && isFrom(conditions, address)) return;
  throw new IntrospectdError('CONDITION_NOT_MET', 'a condition that the policy sets for the caller is not met');
}

function isFrom(conditions: CallerConditions, address: string | undefined): boolean {
  if (conditions.networks === undefined) return true;
  let contains = compiled.get(conditions);
  if (contains === undefined) {
    contains = compileNetworks(conditions.networks);
    compiled.set(conditions, contains);
  }
  return contains(address);
}

// A list per family: a BlockList takes every IPv4 address for one of ::/0.
function compileNetworks(networks: readonly string[]): Contains {
  const [ipv4, ipv6] = [new BlockList(), new BlockList()];
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    if (isIP(address) === 4) ipv4.addSubnet(address, Number(bits), 'ipv4');
    else ipv6.addSubnet(address, Number(bits), 'ipv6');
  }
  return (address) => {
    const plain = toPlainAddress(address ?? '');
    switch (isIP(plain)) {
      case 4:
        return ipv4.check(plain, 'ipv4');
      case 6:
        return ipv6.check(plain, 'ipv6');
      default:
        return false;
    }
  };
}

/** An IPv4 peer of a socket that serves both is told as "::ffff:10.0.0.1"; one on this link has its interface behind it. */
function toPlainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '').replace(/%.*$/, '');
}
