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
 * The suite's core `auth/*` scenarios. Where the client has to refuse, what it has to say: a client that always throws
 * passes those as well, so they count only beside the others and only for the right reason.
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
  'scope-retry-limit': /answered 403 after 3 sign-ins/,
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
  'iss-supported-missing': /unsafe at authorization: issuer_missing/,
  'iss-wrong-issuer': /unsafe at authorization: issuer_mismatch/,
  'iss-unexpected': /unsafe at authorization: issuer_mismatch/,
  'iss-normalized': /unsafe at authorization: issuer_mismatch/,
  'metadata-issuer-mismatch': /unsafe at discovery: issuer_mismatch/,
};

interface Verdict {
  passed: boolean;
  /** `passed/all` checks of the scenario. */
  checks: string;
  output: string;
}

const verdicts = new Map<string, Verdict>();

describe('the MCP conformance suite', { concurrency: 2 }, () => {
  for (const version of versions) {
    for (const [scenario, refusal] of Object.entries(scenarios)) {
      test(`${version}: auth/${scenario}`, { timeout: 60_000 }, async () => {
        const verdict = await judge(
          scenario,
          version,
          `${process.execPath} test/stages/runSource.mjs test/interop/conformanceClient.ts`,
        );
        if (refusal !== undefined) {
          verdict.passed &&= refusal.test(verdict.output);
        }
        verdicts.set(`${version} ${scenario}`, verdict);
        assert.ok(verdict.passed, verdict.output);
      });
    }
  }

  after(() => console.log(table()));
});

test('the conformance client can be called from outside, as an npm script', { timeout: 60_000 }, async () => {
  const { passed, output } = await judge('iss-supported', '2026-07-28', 'npm run --silent conformance:client --');
  assert.ok(passed, output);
});

test('the suite’s servers listen on loopback only', async () => {
  const script =
    "import('node:http').then(({ createServer }) => { const s = createServer().listen(0); console.log(s.address().address); s.close(); });";
  const { stdout } = await run(process.execPath, ['--import', preload, '--eval', script]);
  assert.equal(stdout.trim(), '127.0.0.1');
});

async function judge(scenario: string, version: string, command: string): Promise<Verdict> {
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

/** Scenario by version. Refusals count for nothing where a scenario that has to succeed failed. */
function table(): string {
  const width = Math.max(...Object.keys(scenarios).map(({ length }) => length));
  const cell = (version: string, scenario: string) => {
    const verdict = verdicts.get(`${version} ${scenario}`);
    return (verdict === undefined ? 'not run' : `${verdict.passed ? 'pass' : 'FAIL'} ${verdict.checks}`).padEnd(12);
  };
  const total = (version: string) => {
    const passed = (refusals: boolean) =>
      Object.entries(scenarios).filter(
        ([scenario, refusal]) => (refusal !== undefined) === refusals && verdicts.get(`${version} ${scenario}`)?.passed,
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
