import { ownAddresses } from '#platform/addresses';
import { files } from '#platform/files';
import { listen } from '#platform/listen';
import { listenSocket } from '#platform/listenSocket';
import { createTransport } from '#platform/transport';
import { BridgeListener } from '../../../src/agents/bridgeListener.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { displayText } from '../../../src/core/displayText.ts';
import { Log } from '../../../src/core/log.ts';
import { systemRandomness } from '../../../src/core/random.ts';
import { Secret } from '../../../src/core/secret.ts';
import { Gateway } from '../../../src/gateway/gateway.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import { NetworkWatch } from '../../../src/http/networkWatch.ts';

// The gateway alone, with one account whose token is always valid; bridges reach it too if there is a directory for it.
const [, , serverUrl = '', directory] = process.argv;
if (listen === undefined) {
  throw new Error('this platform has no gateway');
}
const grant: Grant = {
  id: 'b0a7d0c2-5a3c-4b7e-9a51-0c7d5f1e2a3b',
  generation: 1,
  serverUrl,
  resource: serverUrl,
  authorizationServer: { issuer: serverUrl, authorizationEndpoint: serverUrl, tokenEndpoint: serverUrl },
  client: { clientId: 'bench', authMethod: 'none' },
  tokens: { accessToken: new Secret('token'), obtainedAtMs: 0 },
  label: 'bench',
  serverNames: { handle: 'bench', title: 'Bench' },
  askedScopes: [],
  signedInAtMs: 0,
};
const ignore = (): void => undefined;
const gateway = new Gateway({
  accounts: { find: () => grant, fresh: async () => grant, renew: async () => grant },
  transport: createTransport(),
  network: new NetworkWatch({ clock: systemClock, addresses: ownAddresses }),
  reminders: { signInNeeded: ignore, insufficientScope: ignore },
  scopesDemanded: ignore,
  permission: () => 'allowed',
  toolCalled: ignore,
  consentNeeded: ignore,
  sentence: ({ kind }) => displayText(kind, 60),
  listen,
  clock: systemClock,
  randomness: systemRandomness,
  log: new Log({ error: console.error, warn: console.error, info: ignore, debug: ignore }),
});
await gateway.listen();
if (directory !== undefined && files !== undefined) {
  const listener = new BridgeListener({
    directory,
    accounts: () => [grant],
    consent: { permission: () => 'allowed', uses: () => [], refresh: async () => undefined },
    gateway: async () => gateway,
    clock: systemClock,
    randomness: systemRandomness,
    log: new Log({ error: console.error, warn: console.error, info: ignore, debug: ignore }),
    files,
    listen: listenSocket,
    system: process.platform,
    temporaryDirectories: [],
  });
  listener.update();
  await listener.settled();
}
const authorization = `Bearer ${gateway.secretFor(grant.id).reveal()}`;
console.log(JSON.stringify({ url: gateway.urlFor(grant.id), authorization }));
