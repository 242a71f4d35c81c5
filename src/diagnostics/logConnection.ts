import type { Log, LoggedAccount } from '../core/log.ts';
import type { ConnectionReport } from './connectionTest.ts';

/** Logs the result of a connection test in full: each check with its outcome, then what all of them found. */
export function logConnection(log: Log, report: ConnectionReport, account: LoggedAccount | undefined): void {
  const { checks, notTried, tools, wasRenewed, clockSkewSeconds } = report;
  for (const { name: check, tookMs: ms, failure } of checks) {
    if (failure === undefined) {
      log.info('Check passed.', { check, ms });
    } else {
      const { step, code, status } = failure.details;
      log.warn('Check failed.', { check, ms, kind: failure.kind, step, code, status });
    }
  }
  for (const check of notTried) {
    log.info('Check not tried.', { check });
  }
  const failed = checks.filter(({ failure }) => failure !== undefined).length;
  log.info('The connection was tested.', {
    account,
    passed: checks.length - failed,
    failed,
    tools: tools.length,
    wasRenewed,
    clockSkewSeconds,
  });
}
