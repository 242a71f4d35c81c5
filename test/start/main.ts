// npm start [-- --notion] [-- --desktop | --editor <path of its `code` command>] [-- --profile identity=bare …]
// [-- --german] [-- --install <VSIX of another extension> …]: opens a real VS Code with the extension installed and no
// account yet. It uses a local server that behaves like Notion's, with the settings of --profile, or Notion with
// --notion. With --german, the extension speaks German.
import { exec } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import manifest from '../../package.json' with { type: 'json' };
import { CodeServer, installExtensions } from '../editor/host/codeServer.ts';
import { prepareGerman } from '../editor/host/german.ts';
import { hostIsPossible } from '../editor/host/hosts.mjs';
import { installHost } from '../editor/host/install.mjs';
import { parseProfile } from '../notion/profile.ts';
import { startNotionServer } from '../notion/server.ts';
import { codeOnPath, downloadedCode, openDesktop } from './desktop.ts';
import { serveSituations } from './situationsPage.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { values: flags } = parseArgs({
  options: {
    notion: { type: 'boolean' },
    german: { type: 'boolean', default: false },
    install: { type: 'string', multiple: true, default: [] },
    desktop: { type: 'boolean' },
    editor: { type: 'string' },
    profile: { type: 'string', multiple: true, default: [] },
  },
});
const profile = parseProfile(flags.profile);

/** Run in reverse order at the end. */
const cleanups: (() => Promise<unknown>)[] = [];
const stopped = Promise.withResolvers<void>();
try {
  listenForSignals();
  await Promise.race([start(), stopped.promise]);
  await stopped.promise;
} finally {
  console.log('\nClosing …');
  for (const cleanUp of cleanups.reverse()) {
    await cleanUp();
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
  const directory = await mkdtemp(join(tmpdir(), 'start-'));
  cleanups.push(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  // Not where other programs take the package from, who must not find half of it.
  const vsix = join(directory, `${manifest.name}.vsix`);
  await promisify(exec)(`npm run --silent package -- --out "${vsix}"`, { cwd: root });
  const vsixes = [vsix, ...flags.install.map((path) => resolve(process.env.INIT_CWD ?? '', path))];
  const settings: Record<string, unknown> = {};
  let situations: string | undefined;
  if (!flags.notion) {
    const notion = await startNotionServer({ version: 'today', profile });
    cleanups.push(() => notion.close());
    // On these signals the server's library would end this process at once, and leave everything else running.
    listenForSignals();
    settings['notionMcp.serverUrl'] = notion.mcpUrl;
    const page = await serveSituations(notion);
    cleanups.push(() => page.close());
    situations = page.address;
  }
  const language = flags.german ? await prepareGerman(join(directory, 'data')) : [];
  const code = await desktopCode();
  if (code === undefined) {
    await installHost({ browser: false });
    await installExtensions(directory, vsixes);
    const server = await CodeServer.start({
      directory,
      settings,
      serverArguments: ['--link-protection-trusted-domains', 'http://127.0.0.2:*', ...language],
    });
    cleanups.push(() => server.stop());
    printInstructions(`Open ${server.address} in your browser: this is VS Code.`, situations);
  } else {
    const close = await openDesktop(code, { directory, settings, vsixes, language });
    cleanups.push(close);
    printInstructions('A VS Code window opens. It does not use your own settings and extensions.', situations);
  }
}

/**
 * Returns the `code` command of a desktop VS Code: the one that the flags select, else the one on the PATH, else a
 * downloaded one where the embedded editor cannot run. Returns undefined for the embedded editor.
 */
async function desktopCode(): Promise<string | undefined> {
  if (flags.editor !== undefined) {
    return flags.editor;
  }
  if (flags.desktop) {
    return downloadedCode();
  }
  return codeOnPath() ?? (hostIsPossible ? undefined : downloadedCode());
}

function printInstructions(firstStep: string, situations: string | undefined): void {
  const consent =
    situations === undefined
      ? 'In the browser, sign in to Notion, choose a workspace and allow access.'
      : 'Click Continue (this server only imitates Notion). In the new tab, choose a user and a workspace and click Allow.';
  console.log(`
  1. ${firstStep}
  2. Press F1, type "Notion MCP: Sign In" and press Enter.
  3. ${consent}
  4. The Accounts menu (the second icon from the bottom at the left edge) now shows your account.
${situations === undefined ? '' : `  5. ${situations} lets something go wrong at the server, and says where you see it.\n`}
Press Ctrl+C to stop everything that this command started.`);
}
