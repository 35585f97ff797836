import { isIP } from 'node:net';

const NETWORK = /^([0-9a-fA-F:.]+)\/(0|[1-9]\d{0,2})$/;

/** CIDR: "10.0.0.0/8", "2001:db8::/32". IPv4 in IPv6 clothes is refused: write it as IPv4. */
export function isNetwork(text: string): boolean {
  const [, address = '', bits = ''] = NETWORK.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0 || /^::ffff:/i.test(address)) return false;
  return Number(bits) <= (version === 4 ? 32 : 128);
}
