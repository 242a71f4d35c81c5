import type { GatewayServices } from '../gateway/contract.ts';
import type { Consent } from './consent.ts';

/**
 * What the gateway has to do with consent. `handleOf` finds the handle of an account, without which no agent may use it;
 * `onUse` is called after the use of an account by an agent was noted.
 */
export function callConsent(
  consent: Pick<Consent, 'permission' | 'recordUse' | 'ask'> | undefined,
  handleOf: (grantId: string) => string | undefined,
  onUse: () => void = () => undefined,
): Pick<GatewayServices, 'permission' | 'toolCalled' | 'consentNeeded'> {
  const withHandle = <T>(
    grantId: string,
    use: (consent: Pick<Consent, 'permission' | 'recordUse' | 'ask'>, handle: string) => T,
  ): T | undefined => {
    const handle = handleOf(grantId);
    return handle === undefined || consent === undefined ? undefined : use(consent, handle);
  };
  return {
    permission: (grantId, agent) => withHandle(grantId, (known, handle) => known.permission(handle, agent)) ?? 'denied',
    toolCalled: (grantId, agent) => {
      withHandle(grantId, (known, handle) => known.recordUse(handle, agent));
      onUse();
    },
    consentNeeded: (grantId, agent) => withHandle(grantId, (known, handle) => known.ask(handle, agent)),
  };
}
