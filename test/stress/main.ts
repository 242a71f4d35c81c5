// npm run stress [-- --rotations n --processes n --accounts n --seed n --minutes n --server notion|oidc
// --storage shared|silent|rewriting --no-kill --unkind-disk]: kills and stops windows, breaks their connections and, with
// --unkind-disk, interferes with the journal's directory while they renew.
// The last line of the output is the tally as one JSON object.
import { parseArgs } from 'node:util';
import type { StorageOptions } from './protocol.ts';
import type { ServerKind } from './servers.ts';
import { stress } from './stress.ts';

const { values } = parseArgs({
  options: {
    rotations: { type: 'string', default: '300' },
    processes: { type: 'string', default: '3' },
    accounts: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    minutes: { type: 'string', default: '60' },
    server: { type: 'string', default: 'notion' },
    storage: { type: 'string', default: 'shared' },
    'no-kill': { type: 'boolean', default: false },
    'unkind-disk': { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const { server, storage } = values as { server: ServerKind; storage: StorageOptions['kind'] };
if (!['notion', 'oidc'].includes(server) || !['shared', 'silent', 'rewriting'].includes(storage)) {
  throw new Error('--server is notion or oidc; --storage is shared, silent or rewriting');
}
const { evidence, ...tally } = await stress({
  seed,
  rotations: Number(values.rotations),
  limitMs: Number(values.minutes) * 60_000,
  processes: Number(values.processes),
  accounts: Number(values.accounts),
  server,
  storage,
  noKill: values['no-kill'],
  unkindDisk: values['unkind-disk'],
});
for (const line of evidence) {
  console.log(line);
}
console.log(JSON.stringify({ seed, server, storage, ...tally }));
process.exitCode = tally.signOuts + tally.replays + tally.astray === 0 ? 0 : 1;
