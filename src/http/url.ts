/** Whether `hostname`, as parsed by `URL`, names this machine: `localhost` or a loopback address (RFC 6890). */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** Whether a request may be sent to `url` at all: https, or http on this machine, and no credentials in the URL. */
export function isSecure(url: URL): boolean {
  const confidential = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
  return confidential && url.username === '' && url.password === '';
}

/** Whether `hostname`, as parsed by `URL`, is `private` or `public` by itself. A `name` has to be looked up. */
export function reachOf(hostname: string): 'private' | 'public' | 'name' {
  const name = hostname.replace(/\.$/, '');
  if (name === 'localhost' || name.endsWith('.localhost')) {
    return 'private';
  }
  const isLiteral = name.startsWith('[') || /^\d+(\.\d+){3}$/.test(name);
  if (!isLiteral) {
    return 'name';
  }
  return isPrivateAddress(name.replace(/^\[|\]$/g, '')) ? 'private' : 'public';
}

/**
 * Whether an IP address, as returned by a lookup, is outside the public Internet: loopback, private, link-local,
 * unique-local, shared (CGNAT), multicast, reserved (the IANA special-purpose registries, RFC 6890), or an IPv6 address
 * that embeds such an IPv4 address. An address that cannot be parsed counts as private.
 */
export function isPrivateAddress(address: string): boolean {
  if (address.includes(':')) {
    const groups = groupsOf(address);
    return groups === undefined || isPrivateV6(groups);
  }
  const bytes = address.split('.').map(Number);
  return bytes.length !== 4 || bytes.some((byte) => !(byte >= 0 && byte <= 255)) || isPrivateV4(bytes);
}

function isPrivateV4([a = 0, b = 0, c = 0]: number[]): boolean {
  return (
    a === 0 ||
    a === 10 ||
    a === 127 ||
    (a === 100 && b >= 64 && b <= 127) ||
    (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b <= 31) ||
    (a === 192 && b === 168) ||
    (a === 192 && b === 0 && c === 0) ||
    (a === 198 && (b === 18 || b === 19)) ||
    a >= 224
  );
}

function isPrivateV6(groups: number[]): boolean {
  const [first = 0, second = 0, third = 0] = groups;
  // 64:ff9b::/96 is NAT64 (RFC 6052), to which IPv6-only networks resolve every public name; ::ffff:0:0/96 is
  // IPv4-mapped.
  if (startsWith(groups, [0x64, 0xff9b, 0, 0, 0, 0]) || startsWith(groups, [0, 0, 0, 0, 0, 0xffff])) {
    return isPrivateV4(bytesOf(groups.slice(6)));
  }
  // 2002::/16 is 6to4 (RFC 3056).
  if (first === 0x2002) {
    return isPrivateV4(bytesOf([second, third]));
  }
  // 2001::/32 is Teredo (RFC 4380), which obscures the IPv4 address that it embeds. No public address is outside
  // 2000::/3 (RFC 4291, section 2.4).
  return (first === 0x2001 && second === 0) || first < 0x2000 || first > 0x3fff;
}

/** The eight groups of an IPv6 address; undefined if it is not one. */
function groupsOf(address: string): number[] | undefined {
  const [withoutZone = ''] = address.split('%');
  const hexadecimal = withoutZone.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = '', tail, ...more] = hexadecimal.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = 8 - before.length - after.length;
  if (more.length > 0 || (tail === undefined ? gap !== 0 : gap < 1)) {
    return undefined;
  }
  const groups = [...before, ...Array<string>(gap).fill('0'), ...after];
  return groups.every((group) => /^[\da-f]{1,4}$/i.test(group))
    ? groups.map((group) => Number.parseInt(group, 16))
    : undefined;
}

function bytesOf(groups: number[]): number[] {
  return groups.flatMap((group) => [group >> 8, group & 0xff]);
}

function startsWith(groups: number[], prefix: number[]): boolean {
  return prefix.every((group, index) => groups[index] === group);
}
