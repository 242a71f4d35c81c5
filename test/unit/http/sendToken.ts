// node sendToken.ts <url> [<proxy> <password>]: sends a token to a server, as the window of an editor with this
// environment would, and prints the kind of the failure.
import { createPlatformHttp } from '#platform/transport';
import { HttpFailure } from '../../../src/http/errors.ts';
import { fetchThrough } from './connectProxy.ts';

const [url = '', proxy, password = ''] = process.argv.slice(2);
const ends: (() => unknown)[] = [];
const scope = { after: (end: () => unknown) => void ends.push(end) };
const http = createPlatformHttp({
  userAgent: 'test/1',
  ...(proxy !== undefined && { hostFetch: fetchThrough(scope, proxy, password) }),
});
try {
  const headers = { authorization: 'Bearer token-1' };
  const { status } = await http({ method: 'POST', url: new URL(url), headers, body: 'refresh_token=refresh-1' });
  console.log(`sent (${status})`);
} catch (error) {
  console.log(error instanceof HttpFailure ? `${error.kind}, ${error.wasSent ? 'sent' : 'not sent'}` : String(error));
}
await Promise.all(ends.map((end) => end()));
