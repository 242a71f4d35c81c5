// node test/editor/run.ts [--desktop | --editor <path>]: runs test/editor/suite in a real VS Code's extension host.
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
  // The editor's own output is shown only if the tests wrote no report.
  const editorOutput = new PassThrough();
  const editorOutputText = text(editorOutput);
  let code = 0;
  try {
    await runTests({
      ...(await editor()),
      extensionDevelopmentPath: [root, consumerFolder],
      extensionTestsPath,
      extensionTestsEnv: { [reportVariable]: report, [directoryVariable]: join(directory, 'consumers') },
      stdout: editorOutput,
      stderr: editorOutput,
    });
  } catch {
    code = 1;
  }
  editorOutput.end();
  if (existsSync(report)) {
    process.stdout.write(await readFile(report, 'utf8'));
  } else {
    process.stdout.write(await editorOutputText);
  }
  return code;
}

/** Selects the requested editor, or else the embedded one if this system can run it, or else desktop VS Code. */
async function editor(): Promise<Partial<Parameters<typeof runTests>[0]>> {
  // Temporary folders, so that no state remains for the next run. The first path must be short, as it contains sockets.
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
