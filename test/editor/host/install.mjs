// node test/editor/host/install.mjs: makes the embedded editor ready, the one that EDITOR_HOST names. Runs on Node 20; a second run finds all there.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromiumPath } from './chromiumPath.mjs';
import { chosenHost } from './hosts.mjs';

/** Installs the packages of a host, without what has to be compiled. Enough for its Node. */
export async function installPackages(host) {
  await once(host, '.packages-installed', async () => {
    console.log(`Installing the embedded editor (${host.title}, 400 MB, once) …`);
    await npm(host, host.directory, ['ci', '--ignore-scripts']);
  });
}

/** Installs the embedded editor whole, and the browser that shows it to the tests. */
export async function installHost({ browser = true, host = chosenHost() } = {}) {
  installFromDebian(host, browser);
  await installPackages(host);
  await once(host, '.editor-installed', async () => {
    // What code-server's own install script does, which would demand its own Node of the npm that runs it.
    console.log("Installing the editor's own packages …");
    await leaveOut(host);
    // Without --legacy-peer-deps: "Missing: tslib from lock file".
    await npm(host, host.editor, ['ci', '--omit=dev', '--ignore-scripts', '--legacy-peer-deps']);
    console.log('Compiling its native modules …');
    await npm(host, host.editor, ['rebuild', ...host.compiledOfEditor]);
    if (host.compiled.length > 0) {
      await npm(host, host.directory, ['rebuild', ...host.compiled]);
    }
  });
}

/** Takes out of the editor's own lists what npm cannot have; the editor finds it a few folders further up. */
async function leaveOut({ editor, unreachable }) {
  for (const file of unreachable.length > 0 ? ['package.json', 'npm-shrinkwrap.json'] : []) {
    const path = join(editor, file);
    const content = JSON.parse(await readFile(path, 'utf8'));
    for (const name of unreachable) {
      delete content.dependencies?.[name];
      delete content.packages?.[''].dependencies?.[name];
      delete content.packages?.[`node_modules/${name}`];
    }
    await writeFile(path, JSON.stringify(content, null, 2));
  }
}

/** Runs `install` unless it has run for this lock file. */
async function once({ directory, modules }, name, install) {
  const stamp = join(modules, name);
  const lock = await readFile(join(directory, 'package-lock.json'), 'utf8');
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
function installFromDebian({ modules }, browser) {
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
function npm({ nodePackage }, directory, npmArguments) {
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
