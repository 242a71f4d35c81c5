// node test/stress/storage.ts <options>: stores the secrets of all windows with the known faults of the editor's
// SecretStorage: other windows are notified of a change late, twice, or never. Sends its port to its parent.
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { onLine, sendLine } from './lines.ts';
import type { StorageMessage, StorageOptions } from './protocol.ts';
import { randomFrom } from './random.ts';

const maxEventDelayMs = 300;
const { kind, seed } = JSON.parse(process.argv[2] ?? '{}') as StorageOptions;
const random = randomFrom(seed);
let secrets: Record<string, string> = {};
const windows = new Set<Socket>();

const server = createServer((socket) => {
  windows.add(socket);
  socket.on('close', () => windows.delete(socket));
  onLine<StorageMessage>(socket, (message) => 'key' in message && change(message));
  sendLine(socket, { all: secrets });
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit());

function change({ key, value, snapshot }: Extract<StorageMessage, { key: string }>): void {
  secrets = { ...(kind === 'rewriting' && snapshot !== undefined ? snapshot : secrets) };
  if (value === null) {
    delete secrets[key];
  } else {
    secrets[key] = value;
  }
  if (kind !== 'shared') {
    return;
  }
  for (const window of windows) {
    const times = random() < 0.2 ? 2 : 1;
    for (let count = 0; count < times; count += 1) {
      setTimeout(() => sendLine(window, { key, value: secrets[key] ?? null }), random() * maxEventDelayMs);
    }
  }
}
