import type { ChannelName } from './channel.ts';

/** `notionMcp.signInChannel`: one way, or the best that the situation allows. */
export type ChannelSetting = 'auto' | ChannelName;

/** Where this extension runs, as far as it decides how an answer can come back. */
export interface HostEnvironment {
  /** `ui`: beside the person's screen. `workspace`: on the machine of the files. `webWorker`: inside the browser. */
  host: 'ui' | 'workspace' | 'webWorker';
  /** The files are on another machine, or in a container. */
  remote: boolean;
  /** The editor itself is a web page, which may have come from another machine. */
  web: boolean;
  /** A portable installation on Windows. */
  portableOnWindows: boolean;
  /** A client id is configured, whose redirect URIs were fixed long before this sign-in. */
  clientConfigured: boolean;
  setting: ChannelSetting;
}

/** What a channel can do here: `no` is a physical impossibility, `asked` works only if the person says so. */
type Ability = 'yes' | 'asked' | 'no';

interface ChannelAbilities {
  name: ChannelName;
  ability: (hostEnvironment: HostEnvironment) => Ability;
  /** The physical reason where it is not simply possible, in a word or two. */
  why: string;
}

/** In the order of preference. */
const channels: readonly ChannelAbilities[] = [
  {
    name: 'uriHandler',
    why: 'fixed registration or portable installation',
    ability: ({ clientConfigured, portableOnWindows }) => {
      // The editor's address for a sign-in differs from one sign-in to the next; no fixed registration can hold it.
      if (clientConfigured) {
        return 'no';
      }
      // A portable installation on Windows registers no protocol handler, so the browser finds nobody to hand it to.
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
      // 127.0.0.1 of the browser is another machine's than ours, unless the person knows better.
      return host === 'workspace' && (remote || web) ? 'asked' : 'yes';
    },
  },
  // Needs nothing but the person, so it works everywhere.
  { name: 'paste', why: '', ability: () => 'yes' },
];

/** Each channel with what it can do here, and why where it cannot simply be taken; for a report. */
export function describeChannels(
  hostEnvironment: HostEnvironment,
): { name: ChannelName; ability: Ability; why?: string }[] {
  return channels.map(({ name, ability, why }) => {
    const can = ability(hostEnvironment);
    return { name, ability: can, ...(can !== 'yes' && { why }) };
  });
}

/**
 * The channels to try, best first. The setting pins one wherever that one can work at all.
 * An empty list means that the pinned channel cannot work here.
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
