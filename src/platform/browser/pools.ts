import type { Upstream } from '../../http/transport.ts';

/** A web worker has no connections of its own. */
export function createDirectUpstream(): Upstream | undefined {
  return undefined;
}
