/** What `clientLoader.ts` loads on first use, in one file of its own. */
export { NotionClient } from '../client/client.ts';
export { clientProblemSentence } from './messages/clientProblem.ts';
