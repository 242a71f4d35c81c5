import type { Memento } from 'vscode';
import type { StorageProblem } from '../accounts/accounts.ts';
import { storageMessage } from './messages/failure.ts';
import { showWarning } from './messages/show.ts';

const toldKey = 'toldOfForgetfulStorage';

/** Tells of each problem; of one that every start finds again, only the first time. */
export function tellOfStorageProblems(problems: ReadonlySet<StorageProblem>, memory: Memento): void {
  for (const problem of problems) {
    if (problem === 'forgetful') {
      if (memory.get(toldKey) === true) {
        continue;
      }
      void memory.update(toldKey, true);
    }
    void showWarning(storageMessage(problem));
  }
}
