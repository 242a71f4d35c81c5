// node test/editor/run.ts [--desktop | --editor <path>]: runs test/editor/suite inside the extension host of a real VS Code.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runTests } from '@vscode/test-electron';
import { buildExtension } from '../../esbuild.mjs';
import { bundleExtension, bundleSuite, consumerFolder } from './bundle.ts';
import { directoryVariable } from './consumer/protocol.ts';
import { hostIsPossible } from './host/hosts.mjs';
import { installHost } from './host/install.mjs';
import { reportVariable } from './suite/reporting.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { values: flags } = parseArgs({ options: { desktop: { type: 'boolean' }, editor: { type: 'string' } } });
const directory = await mkdtemp(join(tmpdir(), 'editor-tests-'));
try {
  process.exitCode = await run();
} finally {
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
}

async function run(): Promise<number> {
  await buildExtension();
  await bundleExtension(consumerFolder);
  const extensionTestsPath = await bundleSuite();
  const report = join(directory, 'report.txt');
  // What the editor prints of itself is worth reading only if the tests did not come to their report.
  const chatter = new PassThrough();
  const chatterText = text(chatter);
  let code = 0;
  try {
    await runTests({
      ...(await editor()),
      extensionDevelopmentPath: [root, consumerFolder],
      extensionTestsPath,
      extensionTestsEnv: { [reportVariable]: report, [directoryVariable]: join(directory, 'consumers') },
      stdout: chatter,
      stderr: chatter,
    });
  } catch {
    code = 1;
  }
  chatter.end();
  if (existsSync(report)) {
    process.stdout.write(await readFile(report, 'utf8'));
  } else {
    process.stdout.write(await chatterText);
  }
  return code;
}

/** Which editor: the one that was asked for, else the embedded one where it can be, else the desktop's. */
async function editor(): Promise<Partial<Parameters<typeof runTests>[0]>> {
  // Nothing is left for the next run. And sockets lie in the first, whose paths have to be short.
  const launchArgs = [
    `--user-data-dir=${join(directory, 'data')}`,
    `--extensions-dir=${join(directory, 'extensions')}`,
    '--disable-workspace-trust',
  ];
  if (flags.editor !== undefined) {
    return { vscodeExecutablePath: flags.editor, launchArgs };
  }
  if (flags.desktop || !hostIsPossible) {
    return { cachePath: join(root, 'node_modules', '.cache', 'vscode-test'), launchArgs };
  }
  await installHost();
  return {
    vscodeExecutablePath: process.execPath,
    launchArgs: [fileURLToPath(new URL('launcher.ts', import.meta.url))],
    reuseMachineInstall: true,
  };
}
