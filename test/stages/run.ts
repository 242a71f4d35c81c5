// node test/stages/run.ts [stage …] [--option …]: runs the stages in order, all but the slow if none is named, and ends
// with `N passed, N failed`. Options go to the editor stage.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostVariable } from '../editor/host/hosts.mjs';
import { type Totals, totalsVariable } from './totals.ts';

interface Stage {
  /** Programs with their arguments, for this Node. The tests among them leave their totals in the file. */
  commands: (totalsFile: string) => string[][];
  /** Runs only when it is named: it takes longer than anybody waits for. */
  isSlow?: true;
  /** Tests are counted; of a check it counts only that it failed. */
  hasTests: boolean;
  environment?: Record<string, string>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const options = process.argv.slice(2).filter((argument) => argument.startsWith('-'));
const named = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const stageLimitMs = 20 * 60_000;

const stages: Record<string, Stage> = {
  check: {
    commands: () => [
      ['node_modules/typescript/bin/tsc', '--noEmit'],
      ['node_modules/@biomejs/biome/bin/biome', 'check', '.'],
    ],
    hasTests: false,
  },
  // Half of their time is spent waiting for a disk.
  unit: { commands: (totals) => [nodeTest('test/{unit,fuzz}/**/*.test.ts', totals, 2)], hasTests: true },
  interop: { commands: (totals) => [nodeTest('test/{notion,interop}/**/*.test.ts', totals)], hasTests: true },
  editor: { commands: () => [['test/editor/run.ts', ...options]], hasTests: true },
  e2e: {
    commands: (totals) => [['test/e2e/prepare.ts'], nodeTest('test/e2e/**/*.test.ts', totals)],
    hasTests: true,
  },
  slow: {
    commands: (totals) => [['test/e2e/prepare.ts'], nodeTest('test/slow/**/*.test.ts', totals)],
    isSlow: true,
    hasTests: true,
  },
  oldest: {
    commands: (totals) => [['test/e2e/prepare.ts'], nodeTest('test/e2e/{person,consumers,mcp}.test.ts', totals)],
    isSlow: true,
    hasTests: true,
    environment: { [hostVariable]: 'oldest' },
  },
};

const sum: Totals = { passed: 0, failed: 0, skipped: 0 };
const directory = await mkdtemp(join(tmpdir(), 'stages-'));
try {
  for (const [name, stage] of Object.entries(stages)) {
    if (named.length === 0 ? !stage.isSlow : named.includes(name)) {
      const { passed, failed, skipped } = await runStage(name, stage);
      sum.passed += passed;
      sum.failed += failed;
      sum.skipped += skipped;
    }
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}
if (sum.skipped > 0) {
  console.log(`${sum.skipped} skipped`);
}
console.log(`${sum.passed} passed, ${sum.failed} failed`);
process.exitCode = sum.failed === 0 ? 0 : 1;

async function runStage(name: string, { commands, hasTests, environment }: Stage): Promise<Totals> {
  console.log(`\n── ${name}`);
  const startedMs = performance.now();
  const totalsFile = join(directory, `${name}.json`);
  let ended = true;
  for (const command of commands(totalsFile)) {
    ended &&= await runCommand(command, { ...environment, [totalsVariable]: totalsFile });
  }
  const totals = hasTests ? await readTotals(totalsFile) : { passed: 0, failed: 0, skipped: 0 };
  const { passed, failed, skipped } = totals;
  if (hasTests && passed + failed === 0) {
    console.log(`${name}: no test has run`);
  }
  // What went wrong outside of a test counts as one that failed.
  if (failed === 0 && (!ended || (hasTests && passed === 0))) {
    totals.failed = 1;
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(
    `── ${name}: ${passed} passed, ${totals.failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''} in ${seconds} s`,
  );
  return totals;
}

function nodeTest(files: string, totalsFile: string, atOnce = 1): string[] {
  return [
    '--test',
    `--test-concurrency=${atOnce}`,
    ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ...['--test-reporter=./test/stages/totals.ts', `--test-reporter-destination=${totalsFile}`],
    files,
  ];
}

/** Whether the program ended well. */
function runCommand(command: string[], environment: Record<string, string>): Promise<boolean> {
  const child = spawn(process.execPath, command, {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: stageLimitMs,
  });
  return new Promise((resolve) => child.on('close', (code) => resolve(code === 0)));
}

async function readTotals(file: string): Promise<Totals> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Totals;
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
}
