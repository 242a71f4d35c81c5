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

/** Where the extension runs, and the channels it tries there, best first. */
const table: [string, Partial<HostEnvironment>, ChannelName[]][] = [
  ['desktop', {}, ['uriHandler', 'loopback', 'paste']],
  [
    'desktop, files on another machine, extension beside the screen',
    { remote: true },
    ['uriHandler', 'loopback', 'paste'],
  ],
  ['desktop, extension on the other machine', { host: 'workspace', remote: true }, ['uriHandler', 'paste']],
  ['desktop, workspace host of a local window', { host: 'workspace' }, ['uriHandler', 'loopback', 'paste']],
  ['web page of a server', { host: 'workspace', web: true }, ['uriHandler', 'paste']],
  ['web page of a server with a remote name', { host: 'workspace', web: true, remote: true }, ['uriHandler', 'paste']],
  ['web page alone', { host: 'webWorker', web: true }, ['uriHandler', 'paste']],
  ['portable on Windows', { portableOnWindows: true }, ['loopback', 'paste']],
  ['desktop with a configured client', { clientConfigured: true }, ['loopback', 'paste']],
  ['web page alone with a configured client', { host: 'webWorker', web: true, clientConfigured: true }, ['paste']],
  ['pinned to the URI handler', { setting: 'uriHandler' }, ['uriHandler']],
  [
    'pinned to the URI handler in a portable installation',
    { setting: 'uriHandler', portableOnWindows: true },
    ['uriHandler'],
  ],
  ['pinned to the URI handler with a configured client', { setting: 'uriHandler', clientConfigured: true }, []],
  ['pinned to loopback', { setting: 'loopback' }, ['loopback']],
  ['pinned to loopback on another machine', { setting: 'loopback', host: 'workspace', remote: true }, ['loopback']],
  ['pinned to loopback in a web worker', { setting: 'loopback', host: 'webWorker' }, []],
  ['pinned to paste', { setting: 'paste', host: 'webWorker' }, ['paste']],
];

for (const [where, changes, expected] of table) {
  test(`${where}: ${expected.join(', then ') || 'no channel'}`, () => {
    assert.deepEqual(orderChannels({ ...desktop, ...changes }), expected);
  });
}
