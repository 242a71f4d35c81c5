// node test/editor/host/install.mjs: installs the embedded editor that EDITOR_HOST selects, unless it is installed.
// Runs on Node 20.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromiumPath } from './chromiumPath.mjs';
import { chosenHost } from './hosts.mjs';

/** Installs the packages of a host without compiling any. That is enough to use its Node. */
export async function installPackages(host) {
  await installOnce(host.directory, '.packages-installed', [host.node, host.entry], async () => {
    console.log(`Installing the embedded editor (${host.title}, 400 MB, once) …`);
    await npm(host, host.directory, ['ci', '--ignore-scripts']);
  });
}

/** Installs the whole embedded editor, and the browser in which the tests show it. */
export async function installHost({ browser = true, host = chosenHost() } = {}) {
  installFromDebian(host, browser);
  await installPackages(host);
  const compiled = host.compiledOfEditor.map((name) => join(host.editor, 'node_modules', name, 'build', 'Release'));
  await installOnce(host.directory, '.editor-installed', compiled, async () => {
    // Does what code-server's install script does; the script itself would require npm to run on code-server's Node.
    console.log("Installing the editor's own packages …");
    await removeUnreachable(host);
    // --legacy-peer-deps avoids the error "Missing: tslib from lock file".
    await npm(host, host.editor, ['ci', '--omit=dev', '--ignore-scripts', '--legacy-peer-deps']);
    console.log('Compiling its native modules …');
    await npm(host, host.editor, ['rebuild', ...host.compiledOfEditor]);
    if (host.compiled.length > 0) {
      await npm(host, host.directory, ['rebuild', ...host.compiled]);
    }
  });
}

/** Removes what npm cannot install from the editor's dependencies; Node finds it in a parent folder instead. */
async function removeUnreachable({ editor, unreachable }) {
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

/**
 * Runs `install` for a folder with a package.json, unless it has finished for the present lock file and the files of
 * `products` are there. So an installation that was interrupted or damaged is done again.
 */
export async function installOnce(directory, stampName, products, install) {
  const stamp = join(directory, 'node_modules', stampName);
  const lock = await readFile(join(directory, 'package-lock.json'), 'utf8');
  if ([stamp, ...products].every((path) => existsSync(path)) && (await readFile(stamp, 'utf8')) === lock) {
    return;
  }
  await rm(stamp, { force: true });
  const startedMs = Date.now();
  await install();
  await writeFile(stamp, lock);
  console.log(`… done in ${Math.round((Date.now() - startedMs) / 1000)} s.`);
}

/** Installs the browser and the compiler from the system's packages. */
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

/** Runs npm. @throws Error with its output if it fails */
export function npm({ nodePackage }, directory, npmArguments) {
  return new Promise((resolve, reject) => {
    const output = [];
    const child = spawn('npm', npmArguments, {
      cwd: directory,
      // The package of the Node that will load the modules has the headers, so node-gyp need not download them.
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
