import { listen } from '#platform/listen';
import { createDirectUpstream } from '#platform/pools';
import { Gateway, type GatewayParts } from '../gateway/gateway.ts';
import { isDirect } from '../http/url.ts';
import { createFetchUpstream } from './fetchUpstream.ts';
import { chooseUpstream } from './upstream.ts';

/** Opens the gateway of this window, with the platform's ways to listen and to send. @throws what listening throws */
export async function openGateway(parts: Omit<GatewayParts, 'upstream' | 'listen'>): Promise<Gateway | undefined> {
  if (listen === undefined) {
    return undefined;
  }
  const direct = createDirectUpstream();
  const host = createFetchUpstream((input, init) => globalThis.fetch(input, init));
  const gateway = new Gateway({
    ...parts,
    listen,
    upstream: direct === undefined ? host : chooseUpstream(isDirect, { direct, host }),
  });
  await gateway.listen();
  return gateway;
}
