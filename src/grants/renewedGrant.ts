import type { Tokens } from '../oauth/client.ts';
import type { Grant } from './grant.ts';

/**
 * The new tokens in the old grant, one generation on, obtained by the machine of `home`. What the answer leaves out
 * stays as it was (modelcontextprotocol/python-sdk#2270).
 */
export function renewedGrant({ home: _, ...grant }: Grant, tokens: Tokens, home: string | undefined): Grant {
  const { refreshToken, scopes } = grant.tokens;
  return {
    ...grant,
    generation: grant.generation + 1,
    tokens: { ...(refreshToken && { refreshToken }), ...(scopes && { scopes }), ...tokens },
    ...(home !== undefined && { home }),
  };
}
