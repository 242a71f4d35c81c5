import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoopback, isSecure } from '../../../src/http/url.ts';

const onThisMachine = [
  'http://127.0.0.1:1/',
  'https://127.1.2.3/',
  'http://localhost:8080/',
  'http://LOCALHOST/',
  'http://[::1]:1/',
  'http://0x7f.1/',
  'http://2130706433/',
];

const elsewhere = [
  'https://mcp.notion.com/mcp',
  'https://127.0.0.1.example.com/',
  'https://localhost.example.com/',
  'https://mylocalhost/',
  'https://sub.localhost/',
  'https://localhost./',
  'https://[::ffff:127.0.0.1]/',
  'https://0.0.0.0/',
  'https://10.0.0.1/',
  'https://128.0.0.1/',
];

for (const text of onThisMachine) {
  test(`${text} is this machine, to which plain http is allowed`, () => {
    const url = new URL(text);
    assert.equal(isLoopback(url.hostname), true);
    assert.equal(isSecure(url), true);
  });
}

for (const text of elsewhere) {
  test(`${text} is another machine, to which plain http is not allowed`, () => {
    const url = new URL(text);
    assert.equal(isLoopback(url.hostname), false);
    assert.equal(isSecure(url), true);
    assert.equal(isSecure(new URL(text.replace('https:', 'http:'))), false);
  });
}

test('a URL with another scheme or with credentials is insecure on every host', () => {
  for (const text of ['ftp://127.0.0.1/', 'ws://127.0.0.1/', 'file:///etc/hosts', 'https://me@example.com/']) {
    assert.equal(isSecure(new URL(text)), false, text);
  }
});
