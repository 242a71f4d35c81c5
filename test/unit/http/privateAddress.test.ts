import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { isPrivateAddress, reachOf } from '../../../src/http/url.ts';

/** The first and last address of each private range, and their neighbours, which are public. */
const v4 = {
  private: [
    ...['0.0.0.0', '0.255.255.255', '10.0.0.0', '10.255.255.255', '100.64.0.0', '100.127.255.255', '127.0.0.0'],
    ...['127.255.255.255', '169.254.0.0', '169.254.169.254', '169.254.255.255', '172.16.0.0', '172.31.255.255'],
    ...['192.0.0.0', '192.0.0.255', '192.168.0.0', '192.168.255.255', '198.18.0.0', '198.19.255.255', '224.0.0.0'],
    ...['239.255.255.255', '240.0.0.0', '255.255.255.255'],
  ],
  public: [
    ...['1.0.0.0', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0'],
    ...['169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '192.0.1.0', '192.167.255.255'],
    ...['192.169.0.0', '198.17.255.255', '198.20.0.0', '223.255.255.255', '8.8.8.8'],
  ],
};

const v6 = {
  private: [
    ...['::', '::1', 'fc00::', 'fdff:ffff::1', 'fe80::', 'fe80::1%eth0', 'febf::1', 'fec0::1', 'ff02::1', '100::1'],
    ...['64:ff9b:1::1', '2001::1', '2001:0:4136:e378:8000:63bf:3fff:fdd2', '2002:7f00:1::', '2002:a00:1::'],
    ...['::7f00:1', '::127.0.0.1', '4000::1'],
  ],
  public: ['2606:4700::1111', '2001:4860:4860::8888', '2000::', '3fff:ffff::1', '2002:808:808::', '64:ff9b::8.8.8.8'],
};

for (const address of [...v4.private, ...v6.private]) {
  test(`A23: ${address} is private`, () => assert.equal(isPrivateAddress(address), true));
}

for (const address of [...v4.public, ...v6.public]) {
  test(`A23: ${address} is public`, () => assert.equal(isPrivateAddress(address), false));
}

test('A23: an IPv4 address embedded in an IPv6 address is classified like the IPv4 address, in every notation', () => {
  for (const [kind, addresses] of Object.entries(v4)) {
    for (const address of addresses) {
      const [a, b, c, d] = address.split('.').map(Number) as [number, number, number, number];
      const hexadecimal = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
      for (const prefix of ['::ffff:', '0:0:0:0:0:FFFF:', '64:ff9b::']) {
        assert.equal(isPrivateAddress(prefix + address), kind === 'private', prefix + address);
        assert.equal(isPrivateAddress(prefix + hexadecimal), kind === 'private', prefix + hexadecimal);
      }
    }
  }
});

test('A23: every address is classified as Node’s BlockList classifies it', () => {
  const [blocked4, blocked6] = [new BlockList(), new BlockList()];
  for (const range of [
    '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12',
    '192.0.0.0/24 192.168.0.0/16 198.18.0.0/15 224.0.0.0/3',
  ].flatMap((ranges) => ranges.split(' '))) {
    const [net = '', bits] = range.split('/');
    blocked4.addSubnet(net, Number(bits), 'ipv4');
  }
  for (const range of ['::/3', '2001::/32', '4000::/2', '8000::/1']) {
    const [net = '', bits] = range.split('/');
    blocked6.addSubnet(net, Number(bits), 'ipv6');
  }
  fc.assert(fc.property(fc.ipV4(), (address) => isPrivateAddress(address) === blocked4.check(address, 'ipv4')));
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      // Addresses that embed an IPv4 address are tested above.
      fc.pre(!/^(2002|0*64|0*:|::)/i.test(address));
      return isPrivateAddress(address) === blocked6.check(address, 'ipv6');
    }),
  );
});

test('A23: an address that cannot be parsed counts as private', () => {
  for (const text of [
    '',
    'example.com',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '2606::2::3',
    '2606:2:3:4::5:6:7:8',
    '2606:2:3',
    '2606:2:3:4:5:6:7:8:9',
    'g::',
    ':::',
  ]) {
    assert.equal(isPrivateAddress(text), true, text);
  }
});

test('A23: a literal address or localhost in a URL is classified without a lookup, but other names need one', () => {
  const rows: [url: string, reach: string][] = [
    ['https://10.1.2.3/', 'private'],
    ['https://0x0a.0x010203/', 'private'],
    ['https://3232235777/', 'private'],
    ['https://[fd00::1]/', 'private'],
    ['https://[::ffff:192.168.0.1]/', 'private'],
    ['https://localhost/', 'private'],
    ['https://localhost./', 'private'],
    ['https://a.b.localhost/', 'private'],
    ['https://8.8.8.8/', 'public'],
    ['https://[2606:4700::1111]/', 'public'],
    ['https://mcp.notion.com/', 'name'],
    ['https://10.example.com/', 'name'],
  ];
  for (const [url, reach] of rows) {
    assert.equal(reachOf(new URL(url).hostname), reach, url);
  }
});
