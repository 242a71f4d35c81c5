// Stands in for the VS Code executable: accepts the arguments that @vscode/test-electron passes, but runs the embedded
// editor in a headless Chromium, and exits with the exit code of the tests in its extension host.
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openChromium } from './host/chromium.ts';
import { CodeServer } from './host/codeServer.ts';

const limitMs = 180_000;

const { values, positionals } = parseArgs({
  strict: false,
  allowPositionals: true,
  options: {
    extensionDevelopmentPath: { type: 'string', multiple: true },
    extensionTestsPath: { type: 'string' },
  },
});

const directory = await mkdtemp(join(tmpdir(), 'editor-'));
try {
  process.exitCode = await run();
} finally {
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
}

async function run(): Promise<number> {
  const [extension, ...others] = values.extensionDevelopmentPath as string[];
  await Promise.all(others.map(linkExtension));
  const server = await CodeServer.start({
    directory,
    // Without this option, the editor ignores the payload below. It also suppresses notifications.
    serverArguments: ['--vscode-option', 'enable-smoke-test-driver'],
  });
  const browser = await openChromium();
  try {
    const page = await browser.newPage();
    const ended = Promise.withResolvers<number>();
    await page.exposeFunction('codeAutomationLog', (_type: string, parts: unknown[]) => console.log(...parts));
    await page.exposeFunction('codeAutomationExit', (code: number) => ended.resolve(code));
    page.on('crash', () => ended.reject(new Error("The editor's page crashed.")));
    const timer = setTimeout(
      () => ended.reject(new Error(`The tests did not end within ${limitMs / 1000} s.`)),
      limitMs,
    );
    await page.goto(pageAddress(server, String(extension)));
    return await ended.promise.finally(() => clearTimeout(timer));
  } finally {
    await browser.close();
    await server.stop();
  }
}

/** The page loads one extension under development; others are installed from the extensions folder at first start. */
async function linkExtension(extensionPath: string): Promise<void> {
  const { publisher, name, version } = JSON.parse(await readFile(join(extensionPath, 'package.json'), 'utf8'));
  const extensions = join(directory, 'extensions');
  await mkdir(extensions, { recursive: true });
  await symlink(extensionPath, join(extensions, `${publisher}.${name}-${version}`));
}

function pageAddress({ address, port }: CodeServer, extension: string): string {
  const remote = (path: string): string => `vscode-remote://127.0.0.1:${port}${path}`;
  const url = new URL(address);
  const payload = Object.entries({
    extensionDevelopmentPath: remote(extension),
    extensionTestsPath: remote(String(values.extensionTestsPath)),
  });
  url.searchParams.set('payload', JSON.stringify(payload));
  const [folder] = positionals;
  if (folder !== undefined) {
    url.searchParams.set('folder', folder);
  }
  return url.href;
}
