import { displayName, displayNames, type Identity } from '../notion/identity.ts';
import type { Grant } from './grant.ts';

/**
 * The labels of the accounts' MCP servers, by grant id: `Notion – <workspace>`, made unique by the user's name, then by
 * a number. The oldest sign-in keeps the plain label, so that a new account does not rename another account's server.
 */
export function serverLabels(grants: readonly Grant[]): Map<string, string> {
  const labels = new Map<string, string>();
  const taken = new Set<string>();
  for (const grant of [...grants].sort((a, b) => a.signedInAtMs - b.signedInAtMs || (a.id < b.id ? -1 : 1))) {
    const { user, workspace } = grant.identity ? displayNames(grant.identity) : { user: grant.label, workspace: '' };
    const plain = `Notion – ${workspace || user}`;
    const candidates = [plain, ...(workspace === '' ? [] : [`${plain} (${user})`])];
    let label = candidates.find((candidate) => !taken.has(candidate));
    for (let number = 2; label === undefined; number += 1) {
      const numbered = `${plain} · ${number}`;
      label = taken.has(numbered) ? undefined : numbered;
    }
    taken.add(label);
    labels.set(grant.id, label);
  }
  return labels;
}

/**
 * A label for an account that differs from all labels in `taken`, because the editor ties the user's consent to the
 * label. Accounts with equal user and workspace names are distinguished by e-mail address, or else by a number.
 */
export function accountLabel(identity: Identity | undefined, taken: ReadonlySet<string>): string {
  const base = identity === undefined ? unknownAccount : baseLabel(identity);
  const email = displayName(identity?.userEmail ?? '');
  const candidates = [base, ...(email === '' ? [] : [`${base} · ${email}`])];
  const free = candidates.find((label) => !taken.has(label));
  if (free !== undefined) {
    return free;
  }
  let number = 2;
  while (taken.has(`${base} · ${number}`)) {
    number += 1;
  }
  return `${base} · ${number}`;
}

const unknownAccount = 'Notion account';

function baseLabel(identity: Identity): string {
  const { user, workspace } = displayNames(identity);
  return workspace === '' ? user : `${user} (${workspace})`;
}
