import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs clean-up functions after a test: its context, or a list that a suite keeps. */
export interface Scope {
  after(end: () => unknown): void;
}

export interface Credentials {
  key: string;
  cert: string;
}

/** A certificate authority that no program trusts, created with openssl and removed after the test. */
export class Authority {
  readonly #directory: string;
  readonly cert: string;

  constructor(directory: string, cert: string) {
    this.#directory = directory;
    this.cert = cert;
  }

  static async create(t: Scope): Promise<Authority> {
    const directory = await mkdtemp(join(tmpdir(), 'notion-mcp-auth-authority-'));
    t.after(() => rm(directory, { recursive: true }));
    await run(
      'openssl',
      [...newKey, '-x509', '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Private authority'],
      {
        cwd: directory,
      },
    );
    return new Authority(directory, await readFile(join(directory, 'ca.pem'), 'utf8'));
  }

  /** The path of the certificate, for a program that reads it from a file. */
  get certFile(): string {
    return join(this.#directory, 'ca.pem');
  }

  /**
   * Issues a key and a certificate for `names` (`DNS:example.test`, `IP:127.0.0.1`). With -1 `days`, the certificate
   * expired yesterday.
   */
  async issue(names: string, days = 1): Promise<Credentials> {
    const cwd = this.#directory;
    await run('openssl', [...newKey, '-keyout', 'leaf.key', '-out', 'leaf.csr', '-subj', '/CN=Leaf'], { cwd });
    await writeFile(join(cwd, 'leaf.cnf'), `subjectAltName=${names}\n`);
    const sign = ['x509', '-req', '-in', 'leaf.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-extfile', 'leaf.cnf'];
    await run('openssl', [...sign, '-days', String(days), '-out', 'leaf.pem'], { cwd });
    const [key, cert] = await Promise.all(['leaf.key', 'leaf.pem'].map((file) => readFile(join(cwd, file), 'utf8')));
    return { key: key ?? '', cert: cert ?? '' };
  }
}

const newKey = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Makes this process trust an authority until the test ends. */
export function trust(t: Scope, { cert }: Authority): void {
  const before = getCACertificates('default');
  setDefaultCACertificates([...before, cert]);
  t.after(() => setDefaultCACertificates(before));
}
