import type { Accounts } from '../accounts/accounts.ts';
import type { NotionClient } from '../client/client.ts';
import { TokenOwners } from '../client/tokenOwners.ts';
import type { ToolCallsParts } from '../client/toolCalls.ts';
import type { Log } from '../core/log.ts';
import type { Randomness } from '../core/random.ts';
import type { StepUps } from '../signIn/stepUps.ts';

export interface ClientLoaderParts extends Pick<ToolCallsParts, 'http' | 'clock' | 'olderOrigins'> {
  accounts: Accounts;
  stepUps: StepUps;
  randomness: Randomness;
  log: Log;
}

/** Returns what loads the client for other extensions, on first use. To be called once the accounts are loaded. */
export function clientLoader({ accounts, stepUps, ...parts }: ClientLoaderParts): () => Promise<NotionClient> {
  const tokenOwners = new TokenOwners(accounts, parts.clock);
  let client: Promise<NotionClient> | undefined;
  const load = async () => {
    const { NotionClient, clientProblemSentence } = await import('./client.ts');
    return new NotionClient({
      ...parts,
      accounts,
      find: (grantId) => accounts.find(grantId)?.grant,
      ownerOf: (accessToken) => tokenOwners.ownerOf(accessToken),
      onFailure: (grantId, failure) => stepUps.learn(grantId, failure),
      sentence: clientProblemSentence,
    });
  };
  return () => {
    client ??= load();
    return client;
  };
}
