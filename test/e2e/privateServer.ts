import { startNotionServer } from '../notion/server.ts';
import { Authority, type Scope } from '../unit/http/authority.ts';

/** This name has no DNS entry; only the editor's browser maps it. What else reaches the server went through a proxy. */
export const hostname = 'notion.test';

/** Starts an https server with a certificate of a private authority, for a testbed whose browser accepts it. */
export async function startPrivateServer(scope: Scope) {
  const authority = await Authority.create(scope);
  const notion = await startNotionServer({
    version: 'today',
    tls: { name: hostname, ...(await authority.issue(`DNS:${hostname}`)) },
  });
  const testbedOptions = {
    notion,
    trustedOrigins: [`https://${hostname}:*`],
    browserArguments: [`--host-resolver-rules=MAP ${hostname} ${notion.address.host}`, '--ignore-certificate-errors'],
  };
  return { notion, authority, testbedOptions };
}
