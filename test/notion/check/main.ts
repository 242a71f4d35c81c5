// npm run check:notion [-- --server <url>] [-- --risky]: signs in to Notion, compares what it responds with the contract,
// prints a table without personal data and revokes the sign-in. The table goes to stdout, everything else to stderr.
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { createPlatformHttp } from '#platform/transport';
import { systemClock } from '../../../src/core/clock.ts';
import { systemRandomness } from '../../../src/core/random.ts';
import { parseServerUrl } from '../../../src/oauth/serverUrl.ts';
import { checkNotion } from './checkNotion.ts';
import { findingsTable } from './findings.ts';

const { values } = parseArgs({
  options: { server: { type: 'string', default: 'https://mcp.notion.com/mcp' }, risky: { type: 'boolean' } },
});
const ended = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    console.error('Ending …');
    ended.abort();
  });
}
// The timers of the clock do not keep a process alive.
const keepAlive = setInterval(() => undefined, 60_000);
const { findings, failure, notRevoked } = await checkNotion({
  http: createPlatformHttp({ userAgent: 'notion-mcp-auth-check' }),
  serverUrl: parseServerUrl(values.server),
  openBrowser,
  risky: values.risky ?? false,
  signal: ended.signal,
  clock: systemClock,
  randomness: systemRandomness,
});
clearInterval(keepAlive);
console.log(findingsTable(findings));
if (failure !== undefined) {
  console.error(`The check ended early: ${failure.message}`);
}
if (notRevoked !== undefined) {
  console.error(`The sign-in could not be revoked (${notRevoked.message}). End it in Notion: Settings, Connections.`);
}
process.exitCode = failure === undefined && notRevoked === undefined ? 0 : 1;

/** Prints the address and opens it with the system's browser, if there is one. */
async function openBrowser(url: string): Promise<void> {
  console.error(`Sign in and allow access at ${url}`);
  const [program, ...start] = browserCommand(process.platform);
  spawn(program, [...start, url], { stdio: 'ignore', detached: true })
    .on('error', () => undefined)
    .unref();
}

/** The command that opens an address. `start` of Windows belongs to its shell, which would end the address at `&`. */
function browserCommand(platform: NodeJS.Platform): [string, ...string[]] {
  switch (platform) {
    case 'darwin':
      return ['open'];
    case 'win32':
      return ['rundll32', 'url.dll,FileProtocolHandler'];
    default:
      return ['xdg-open'];
  }
}
