// Takes the arguments that VS Code's own program takes from @vscode/test-electron, shows the embedded editor in a
// headless Chromium instead, and ends with the exit code of the tests in its extension host.
import { mkdtemp, rm } from 'node:fs/promises';
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
  const server = await CodeServer.start({
    directory,
    // The payload below is honoured only with this; it also keeps notifications from being shown.
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
    await page.goto(pageAddress(server));
    return await ended.promise.finally(() => clearTimeout(timer));
  } finally {
    await browser.close();
    await server.stop();
  }
}

function pageAddress({ address, port }: CodeServer): string {
  const remote = (path: string): string => `vscode-remote://127.0.0.1:${port}${path}`;
  const payload: [string, string][] = (values.extensionDevelopmentPath as string[]).map((path) => [
    'extensionDevelopmentPath',
    remote(path),
  ]);
  payload.push(['extensionTestsPath', remote(String(values.extensionTestsPath))]);
  const url = new URL(address);
  url.searchParams.set('payload', JSON.stringify(payload));
  const [folder] = positionals;
  if (folder !== undefined) {
    url.searchParams.set('folder', folder);
  }
  return url.href;
}
