// npm start [-- --notion] [-- --desktop | --editor <path of its `code` command>]: opens a real VS Code with the
// extension installed, signed in to nobody yet, beside a server that behaves like Notion's.
import { exec } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import manifest from '../../package.json' with { type: 'json' };
import { CodeServer, installExtension } from '../editor/host/codeServer.ts';
import { hostIsPossible } from '../editor/host/hosts.mjs';
import { installHost } from '../editor/host/install.mjs';
import { startNotionServer } from '../notion/server.ts';
import { codeOnPath, downloadedCode, openDesktop } from './desktop.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const vsix = join(root, `${manifest.name}-${manifest.version}.vsix`);
const { values: flags } = parseArgs({
  options: { notion: { type: 'boolean' }, desktop: { type: 'boolean' }, editor: { type: 'string' } },
});

/** What was started, to be ended in the opposite order. */
const ends: (() => Promise<unknown>)[] = [];
const stopped = Promise.withResolvers<void>();
try {
  listenForSignals();
  await Promise.race([start(), stopped.promise]);
  await stopped.promise;
} finally {
  console.log('\nClosing …');
  for (const end of ends.reverse()) {
    await end();
  }
}
process.exit();

function listenForSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.removeAllListeners(signal);
    process.on(signal, () => stopped.resolve());
  }
}

async function start(): Promise<void> {
  console.log('Building and packaging the extension …');
  await promisify(exec)('npm run --silent package', { cwd: root });
  const directory = await mkdtemp(join(tmpdir(), 'start-'));
  ends.push(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const settings: Record<string, unknown> = {};
  if (!flags.notion) {
    const notion = await startNotionServer({ version: 'today' });
    ends.push(() => notion.close());
    // The library behind it would end this process at once, and all the rest would stay.
    listenForSignals();
    settings['notionMcp.serverUrl'] = notion.mcpUrl;
  }
  const code = await desktopCode();
  if (code === undefined) {
    await installHost({ browser: false });
    await installExtension(directory, vsix);
    const server = await CodeServer.start({
      directory,
      settings,
      serverArguments: ['--link-protection-trusted-domains', 'http://127.0.0.2:*'],
    });
    ends.push(() => server.stop());
    explain(`Open ${server.address} in your browser: this is VS Code.`);
  } else {
    const close = await openDesktop(code, { directory, settings, vsix });
    ends.push(close);
    explain('A window of VS Code opens; it knows nothing of your own settings and extensions.');
  }
}

/** The `code` command of the desktop's VS Code: the one asked for, or one that is there; undefined for the embedded editor. */
async function desktopCode(): Promise<string | undefined> {
  if (flags.editor !== undefined) {
    return flags.editor;
  }
  if (flags.desktop) {
    return downloadedCode();
  }
  return codeOnPath() ?? (hostIsPossible ? undefined : downloadedCode());
}

function explain(open: string): void {
  const consent = flags.notion
    ? 'In the browser, sign in to Notion, choose a workspace and allow the access.'
    : 'Click Continue (the server is a stand-in, not Notion). In the new tab choose a person and a workspace, click Allow.';
  console.log(`
  1. ${open}
  2. Press F1, type "Notion MCP: Sign In", press Enter.
  3. ${consent}
  4. The Accounts menu, the lower of the icons at the left edge but one, now shows who you are.

Ctrl+C ends everything that this started.`);
}
