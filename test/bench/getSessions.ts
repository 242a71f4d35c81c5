import { AccountRegistry } from '../../src/accounts/registry.ts';
import { Secret } from '../../src/core/secret.ts';
import { isListed, isUsable, matchesScopes, sessionOf } from '../../src/editor/sessions.ts';
import type { Grant } from '../../src/grants/grant.ts';
import { FakeClock } from '../unit/fakeClock.ts';
import { type Figure, figure, median } from './figure.ts';

const callsInRound = 2_000;
const rounds = 15;
const serverUrl = 'https://mcp.example/mcp';

/** The provider's work for `getSessions(['default'])` once the accounts are loaded, without the editor's own part. */
export async function getSessionsFigures(): Promise<Figure[]> {
  return [1, 10, 100].map((count) => {
    const clock = new FakeClock();
    const known = new AccountRegistry(clock, serverUrl);
    known.load(Array.from({ length: count }, (_, index) => ({ grant: grant(index, clock.nowMs()) })));
    const samples: number[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      const startMs = performance.now();
      for (let call = 0; call < callsInRound; call += 1) {
        known
          .list()
          .filter((account) => isListed(account) && isUsable(account) && matchesScopes(account.grant, ['default']))
          .map((account) => sessionOf(account, ['default']));
      }
      if (round > 0) {
        samples.push(((performance.now() - startMs) * 1_000) / callsInRound);
      }
    }
    return figure(`getSessions from memory, ${count} accounts (aim: < 50)`, 'µs', median(samples), Number.NaN, samples);
  });
}

function grant(index: number, nowMs: number): Grant {
  return {
    id: `grant-${index}`,
    generation: 1,
    serverUrl,
    resource: serverUrl,
    authorizationServer: { issuer: serverUrl, authorizationEndpoint: serverUrl, tokenEndpoint: serverUrl },
    client: { clientId: 'client', authMethod: 'none' },
    tokens: { accessToken: new Secret(`token-${index}`), obtainedAtMs: nowMs, expiresInSeconds: 3_600 },
    label: `User ${index} (Workspace)`,
    askedScopes: ['default'],
    signedInAtMs: nowMs,
  };
}
