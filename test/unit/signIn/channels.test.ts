import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChannelName } from '../../../src/signIn/channel.ts';
import { type HostEnvironment, orderChannels } from '../../../src/signIn/channels.ts';

const desktop: HostEnvironment = {
  host: 'ui',
  remote: false,
  web: false,
  portableOnWindows: false,
  clientConfigured: false,
  setting: 'auto',
};

/** The environment of the extension, and the channels that a sign-in tries there, best first. */
const table: [string, Partial<HostEnvironment>, ChannelName[]][] = [
  ['on the desktop', {}, ['uriHandler', 'loopback', 'paste']],
  [
    'on the desktop with the files, but not the extension, on another machine',
    { remote: true },
    ['uriHandler', 'loopback', 'paste'],
  ],
  [
    'on the desktop with the extension on another machine',
    { host: 'workspace', remote: true },
    ['uriHandler', 'paste'],
  ],
  ['in the workspace extension host of a local window', { host: 'workspace' }, ['uriHandler', 'loopback', 'paste']],
  ['on a web page from a server', { host: 'workspace', web: true }, ['uriHandler', 'paste']],
  [
    'on a web page from a server with a remote name',
    { host: 'workspace', web: true, remote: true },
    ['uriHandler', 'paste'],
  ],
  ['on a web page without a server', { host: 'webWorker', web: true }, ['uriHandler', 'paste']],
  ['in a portable installation on Windows', { portableOnWindows: true }, ['loopback', 'paste']],
  ['on the desktop with a configured client', { clientConfigured: true }, ['loopback', 'paste']],
  [
    'on a web page without a server, with a configured client',
    { host: 'webWorker', web: true, clientConfigured: true },
    ['paste'],
  ],
  ['on the desktop with the URI handler selected', { setting: 'uriHandler' }, ['uriHandler']],
  [
    'in a portable installation on Windows with the URI handler selected',
    { setting: 'uriHandler', portableOnWindows: true },
    ['uriHandler'],
  ],
  [
    'on the desktop with a configured client and the URI handler selected',
    { setting: 'uriHandler', clientConfigured: true },
    [],
  ],
  ['on the desktop with loopback selected', { setting: 'loopback' }, ['loopback']],
  ['on another machine with loopback selected', { setting: 'loopback', host: 'workspace', remote: true }, ['loopback']],
  ['in a web worker with loopback selected', { setting: 'loopback', host: 'webWorker' }, []],
  ['in a web worker with paste selected', { setting: 'paste', host: 'webWorker' }, ['paste']],
];

for (const [environment, changes, expected] of table) {
  test(`a sign-in ${environment} tries ${expected.join(', then ') || 'no channel'}`, () => {
    assert.deepEqual(orderChannels({ ...desktop, ...changes }), expected);
  });
}
