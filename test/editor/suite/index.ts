import { appendFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run as runTests } from 'node:test';
import { spec as Spec } from 'node:test/reporters';
import { Tally, totalsVariable } from '../../stages/totals.ts';
import { reportVariable } from './reporting.ts';

/**
 * Runs the bundled tests beside this file. The editor calls it in its extension host.
 * @throws Error if a test failed, from which the editor derives its exit code
 */
export async function run(): Promise<void> {
  const { [reportVariable]: reportFile, [totalsVariable]: totalsFile } = process.env;
  const files = readdirSync(__dirname, { encoding: 'utf8', recursive: true })
    .filter((name) => name.endsWith('.test.cjs'))
    .map((name) => join(__dirname, name));
  const tally = new Tally();
  const report = new Spec().on('data', (text) => {
    if (reportFile !== undefined) {
      appendFileSync(reportFile, text);
    }
  });
  await new Promise<void>((resolve) => {
    let open = 0;
    // The tests run in this process, the only one that can import `vscode`. The stream would end only when this process
    // is about to exit, so the open tests are counted: all top-level tests are queued before the first one completes.
    const events = runTests({ files, isolation: 'none' });
    events.on('data', (event) => {
      report.write(event);
      tally.add(event);
      if (event.data.nesting === 0 && event.type === 'test:enqueue') {
        open += 1;
      } else if (event.data.nesting === 0 && event.type === 'test:complete') {
        open -= 1;
      }
      if (open === 0 && (event.type === 'test:pass' || event.type === 'test:fail')) {
        resolve();
      }
    });
  });
  await new Promise<void>((resolve) => report.end(resolve));
  if (totalsFile !== undefined) {
    writeFileSync(totalsFile, JSON.stringify(tally.totals));
  }
  if (tally.totals.failed > 0) {
    throw new Error(`${tally.totals.failed} failed`);
  }
}
