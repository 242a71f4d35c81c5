import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const suite = createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/dist/index.js');
const preload = new URL('bindLoopback.mjs', import.meta.url).href;
const versions = ['2025-11-25', '2026-07-28'] as const;

/**
 * The suite's core `auth/*` scenarios. Where the client has to refuse, the value is the line that it has to print. A
 * client that always throws would pass these scenarios too, so they count only with the right line, and only if all
 * others pass.
 */
const scenarios: Record<string, RegExp | undefined> = {
  'metadata-default': undefined,
  'metadata-var1': undefined,
  'metadata-var2': undefined,
  'metadata-var3': undefined,
  'basic-cimd': undefined,
  'scope-from-www-authenticate': undefined,
  'scope-from-scopes-supported': undefined,
  'scope-omitted-when-undefined': undefined,
  'scope-step-up': undefined,
  // The suite ends its test after three calls with a token, whatever they are.
  'scope-retry-limit': /insufficientScope[\s\S]*failed after [23] sign-ins/,
  'token-endpoint-auth-basic': undefined,
  'token-endpoint-auth-post': undefined,
  'token-endpoint-auth-none': undefined,
  'pre-registration': undefined,
  '2025-03-26-oauth-metadata-backcompat': undefined,
  '2025-03-26-oauth-endpoint-fallback': undefined,
  'resource-mismatch': /unsafe at discovery: resource_mismatch/,
  'offline-access-scope': undefined,
  'offline-access-not-supported': undefined,
  'authorization-server-migration': undefined,
  'iss-supported': undefined,
  'iss-not-advertised': undefined,
  'iss-supported-missing': /callback from the browser was refused.*issuer_missing/,
  'iss-wrong-issuer': /callback from the browser was refused.*issuer_mismatch/,
  'iss-unexpected': /callback from the browser was refused.*issuer_mismatch/,
  'iss-normalized': /callback from the browser was refused.*issuer_mismatch/,
  'metadata-issuer-mismatch': /unsafe at discovery: issuer_mismatch/,
};

interface ScenarioResult {
  passed: boolean;
  /** The scenario's checks as `passed/total`. */
  checks: string;
  output: string;
}

const results = new Map<string, ScenarioResult>();

describe('the MCP conformance suite', { concurrency: 2 }, () => {
  for (const version of versions) {
    for (const [scenario, refusal] of Object.entries(scenarios)) {
      test(`the client passes the conformance scenario auth/${scenario} of MCP ${version}`, {
        timeout: 60_000,
      }, async () => {
        const result = await runScenario(scenario, version, `${process.execPath} test/interop/conformanceClient.ts`);
        if (refusal !== undefined) {
          result.passed &&= refusal.test(result.output);
        }
        results.set(`${version} ${scenario}`, result);
        assert.ok(result.passed, result.output);
      });
    }
  }

  after(() => console.log(table()));
});

test('the conformance client runs as an npm script', { timeout: 60_000 }, async () => {
  const { passed, output } = await runScenario('iss-supported', '2026-07-28', 'npm run --silent conformance:client --');
  assert.ok(passed, output);
});

test('the servers of the conformance suite listen on loopback only', async () => {
  const script =
    "import('node:http').then(({ createServer }) => { const s = createServer().listen(0); console.log(s.address().address); s.close(); });";
  const { stdout } = await run(process.execPath, ['--import', preload, '--eval', script]);
  assert.equal(stdout.trim(), '127.0.0.1');
});

async function runScenario(scenario: string, version: string, command: string): Promise<ScenarioResult> {
  const { code, stderr, stdout } = await run(process.execPath, [
    ...['--import', preload, suite, 'client', '--command', command],
    ...['--scenario', `auth/${scenario}`, '--spec-version', version, '--force'],
  ]);
  const output = stderr + stdout;
  const [, checks = '?'] = /Passed: (\d+\/\d+)/.exec(output) ?? [];
  return { passed: code === 0, checks, output };
}

function run(file: string, args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(file, args, { cwd: root, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
  });
}

/** The results by scenario and version. Expected refusals count only if every other scenario passed. */
function table(): string {
  const width = Math.max(...Object.keys(scenarios).map(({ length }) => length));
  const cell = (version: string, scenario: string) => {
    const result = results.get(`${version} ${scenario}`);
    return (result === undefined ? 'not run' : `${result.passed ? 'pass' : 'FAIL'} ${result.checks}`).padEnd(12);
  };
  const total = (version: string) => {
    const passed = (refusals: boolean) =>
      Object.entries(scenarios).filter(
        ([scenario, refusal]) => (refusal !== undefined) === refusals && results.get(`${version} ${scenario}`)?.passed,
      ).length;
    const all = Object.values(scenarios).filter((refusal) => refusal === undefined).length;
    const counted = passed(false) === all ? all + passed(true) : passed(false);
    return `${counted} of ${Object.keys(scenarios).length}`.padEnd(12);
  };
  return [
    `${'conformance 0.2.0-alpha.12'.padEnd(width + 2)}${versions.map((version) => version.padEnd(12)).join('')}`,
    ...Object.keys(scenarios).map(
      (scenario) => `${scenario.padEnd(width + 2)}${versions.map((version) => cell(version, scenario)).join('')}`,
    ),
    `${'passed'.padEnd(width + 2)}${versions.map(total).join('')}`,
  ].join('\n');
}
