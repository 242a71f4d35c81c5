import type { TestEvent } from 'node:test/reporters';

/** The number of tests by outcome; suites are not counted. */
export interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

/** The environment variable that holds the path of the file to which a stage's tests write their totals. */
export const totalsVariable = 'TEST_TOTALS';

/** Counts the results that `node:test` reports. */
export class Tally {
  readonly totals: Totals = { passed: 0, failed: 0, skipped: 0 };

  add(event: TestEvent): void {
    if ((event.type !== 'test:pass' && event.type !== 'test:fail') || event.data.details.type === 'suite') {
      return;
    }
    const { skip, todo, name, file, nesting } = event.data;
    // `node:test` reports a file without tests as a passed test with the file's name; here it counts as failed.
    const isEmptyFile = nesting === 0 && file?.endsWith(name) === true;
    if (event.type === 'test:fail' ? todo === undefined : isEmptyFile) {
      this.totals.failed += 1;
    } else if (skip !== undefined || todo !== undefined) {
      this.totals.skipped += 1;
    } else {
      this.totals.passed += 1;
    }
  }
}

/** A reporter for `node --test --test-reporter`: prints the totals as JSON once all tests have ended. */
export default async function* totals(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const tally = new Tally();
  for await (const event of events) {
    tally.add(event);
  }
  yield JSON.stringify(tally.totals);
}
