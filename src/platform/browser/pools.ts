import type { Upstream } from '../../http/transport.ts';

/** A web worker cannot open connections of its own. */
export function createDirectUpstream(): Upstream | undefined {
  return undefined;
}
