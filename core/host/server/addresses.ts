import { isIP, isIPv4 } from 'node:net';
import { hostname } from 'node:os';

/** A way to reach this machine that no other machine has. */
export function isLoopback(address: string): boolean {
  const plain = plainAddress(address);
  return plain === 'localhost' || plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'));
}

/** Lower case, without an IPv6 address's brackets or the prefix that an IPv4 address has on an IPv6 socket. */
export function plainAddress(address: string): string {
  return address
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/^::ffff:(?=\d+\.)/, '');
}

/** As the host of a URL. */
export function urlHost(address: string): string {
  return isIP(address) === 6 ? `[${address}]` : address;
}

/** Who is counted as one: an IPv4 address, or the 64 bits of an IPv6 one that a provider gives to a customer. */
export function rateKey(address: string): string {
  const plain = plainAddress(address);
  if (isIP(plain) !== 6) return plain;
  const [left = '', right] = (plain.split('%')[0] ?? '').split('::');
  const head = left.split(':').filter(Boolean);
  const tail = (right ?? '').split(':').filter(Boolean);
  const zeros = right === undefined ? 0 : 8 - head.length - tail.length;
  const groups = [...head, ...Array.from({ length: Math.max(0, zeros) }, () => '0'), ...tail];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

/** Names that this machine has by itself, on a network with or without a name server. */
export function ownNames(): readonly string[] {
  const name = hostname().toLowerCase();
  return [...new Set([name, `${name.split('.')[0] ?? name}.local`])];
}
