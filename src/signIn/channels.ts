import type { ChannelName } from './channel.ts';

/** The setting `notionMcp.signInChannel`: one channel, or the best one that works in the environment. */
export type ChannelSetting = 'auto' | ChannelName;

/** The facts about where this extension runs that decide how a callback can reach it. */
export interface HostEnvironment {
  /**
   * `ui`: on the user's own machine. `workspace`: on the machine that holds the files. `webWorker`: inside the browser.
   */
  host: 'ui' | 'workspace' | 'webWorker';
  /** The files are on another machine or in a container. */
  remote: boolean;
  /** The editor itself is a web page, possibly served by another machine. */
  web: boolean;
  /** A portable installation on Windows. */
  portableOnWindows: boolean;
  /** A client id is configured; its redirect URIs were fixed when it was registered, before this sign-in. */
  clientConfigured: boolean;
  setting: ChannelSetting;
}

/** Whether a channel works here. `no`: it cannot. `asked`: it may, so it is used only when the user selects it. */
type Ability = 'yes' | 'asked' | 'no';

interface ChannelAbilities {
  name: ChannelName;
  ability: (hostEnvironment: HostEnvironment) => Ability;
  /** The technical reason why the channel may not work, in a few words. */
  why: string;
}

/** In the order of preference. */
const channels: readonly ChannelAbilities[] = [
  {
    name: 'uriHandler',
    why: 'fixed registration or portable installation',
    ability: ({ clientConfigured, portableOnWindows }) => {
      // The editor's callback address differs from one sign-in to the next; a fixed registration cannot include it.
      if (clientConfigured) {
        return 'no';
      }
      // A portable installation on Windows registers no protocol handler, so the browser cannot open the editor's URI.
      return portableOnWindows ? 'asked' : 'yes';
    },
  },
  {
    name: 'loopback',
    why: 'browser on another machine or no listening',
    ability: ({ host, remote, web }) => {
      // A web worker cannot listen.
      if (host === 'webWorker') {
        return 'no';
      }
      // The browser's 127.0.0.1 is probably not this machine; only the user can know otherwise.
      return host === 'workspace' && (remote || web) ? 'asked' : 'yes';
    },
  },
  // Needs only the user, so it works everywhere.
  { name: 'paste', why: '', ability: () => 'yes' },
];

/** Lists each channel with its ability here and, unless that is `yes`, the reason; for the diagnostics report. */
export function describeChannels(
  hostEnvironment: HostEnvironment,
): { name: ChannelName; ability: Ability; why?: string }[] {
  return channels.map(({ name, ability, why }) => {
    const can = ability(hostEnvironment);
    return { name, ability: can, ...(can !== 'yes' && { why }) };
  });
}

/**
 * Returns the channels to try, best first. If the setting selects a channel, only that one is returned, or none if it
 * cannot work here.
 */
export function orderChannels(hostEnvironment: HostEnvironment): ChannelName[] {
  const { setting } = hostEnvironment;
  return channels
    .filter(({ name, ability }) => {
      const can = ability(hostEnvironment);
      return setting === 'auto' ? can === 'yes' : name === setting && can !== 'no';
    })
    .map(({ name }) => name);
}
