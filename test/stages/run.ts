// node test/stages/run.ts [stage …] [--option …]: runs the named stages in order, or all but the slow ones if none is
// named, and ends with `N passed, N failed`. Options are passed to the editor stage.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostVariable } from '../editor/host/hosts.mjs';
import { type Totals, totalsVariable } from './totals.ts';

interface Stage {
  /** Programs with their arguments, run with this Node. Test programs write their totals to the file. */
  commands: (totalsFile: string) => string[][];
  /** Runs only when named, because it takes too long for every run. */
  isSlow?: true;
  /** Whether the stage runs tests, which are counted. Otherwise only its failure counts, as one failed test. */
  hasTests: boolean;
  environment?: Record<string, string>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const options = process.argv.slice(2).filter((argument) => argument.startsWith('-'));
const stageNames = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const stageLimitMs = 20 * 60_000;
/** A test that takes seconds fails alone if it hangs, instead of costing its stage. */
const testLimitMs = 10 * 60_000;
/** Most of the hundreds of programs that the tests start load the same sources, which this folder keeps compiled. */
const compiledFolder = join(root, 'node_modules/.cache/compiled');

const stages: Record<string, Stage> = {
  check: {
    commands: () => [
      ...['src', 'src/tsconfig.browser.json', 'test'].map((project) => [
        'node_modules/typescript/bin/tsc',
        '-p',
        project,
      ]),
      ['node_modules/@biomejs/biome/bin/biome', 'check', '.'],
      ['test/stages/vocabulary.mjs'],
    ],
    hasTests: false,
  },
  unit: { commands: (totals) => [quickTests('test/{unit,fuzz,stages}/**/*.test.ts', totals)], hasTests: true },
  interop: { commands: (totals) => [quickTests('test/{notion,interop}/**/*.test.ts', totals)], hasTests: true },
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
  agents: {
    commands: (totals) => [
      ['test/e2e/prepare.ts'],
      ['test/agents/install.mjs'],
      nodeTest('test/agents/*.test.ts', totals),
    ],
    isSlow: true,
    hasTests: true,
  },
  oldest: {
    commands: (totals) => [['test/e2e/prepare.ts'], nodeTest('test/e2e/{user,consumers,mcp,network}.test.ts', totals)],
    isSlow: true,
    hasTests: true,
    environment: { [hostVariable]: 'oldest' },
  },
};

const sum: Totals = { passed: 0, failed: 0, skipped: 0 };
const directory = await mkdtemp(join(tmpdir(), 'stages-'));
try {
  for (const [name, stage] of Object.entries(stages)) {
    if (stageNames.length === 0 ? !stage.isSlow : stageNames.includes(name)) {
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
  let succeeded = true;
  for (const command of commands(totalsFile)) {
    succeeded &&= await runCommand(command, { ...environment, [totalsVariable]: totalsFile });
  }
  const totals = hasTests ? await readTotals(totalsFile) : { passed: 0, failed: 0, skipped: 0 };
  const { passed, failed, skipped } = totals;
  if (hasTests && passed + failed === 0) {
    console.log(`${name}: no tests ran`);
  }
  // A failure outside of any test counts as one failed test.
  if (failed === 0 && (!succeeded || (hasTests && passed === 0))) {
    totals.failed = 1;
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(
    `── ${name}: ${passed} passed, ${totals.failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''} in ${seconds} s`,
  );
  return totals;
}

/** Two files at a time, because the tests spend half of their time waiting for the disk. */
function quickTests(files: string, totalsFile: string): string[] {
  return nodeTest(files, totalsFile, ['--test-concurrency=2', `--test-timeout=${testLimitMs}`]);
}

function nodeTest(files: string, totalsFile: string, nodeOptions = ['--test-concurrency=1']): string[] {
  return [
    '--test',
    ...nodeOptions,
    ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ...['--test-reporter=./test/stages/totals.ts', `--test-reporter-destination=${totalsFile}`],
    files,
  ];
}

/** Runs a program and returns whether it exited with code 0. */
function runCommand(command: string[], environment: Record<string, string>): Promise<boolean> {
  const child = spawn(process.execPath, command, {
    cwd: root,
    env: { ...process.env, NODE_COMPILE_CACHE: compiledFolder, ...environment },
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
