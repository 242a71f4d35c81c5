// node test/notion/main.ts [--version today|next] [--port n] [--profile identity=bare …]: runs the Notion-shaped server
// until SIGINT or SIGTERM.
import { parseArgs } from 'node:util';
import { parseProfile } from './profile.ts';
import { startNotionServer } from './server.ts';

const { values } = parseArgs({
  options: {
    version: { type: 'string', default: 'today' },
    port: { type: 'string', default: '0' },
    profile: { type: 'string', multiple: true, default: [] },
  },
});
const server = await startNotionServer({
  version: values.version === 'next' ? 'next' : 'today',
  port: Number(values.port),
  profile: parseProfile(values.profile),
});
console.log(server.mcpUrl);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void server.close());
}
