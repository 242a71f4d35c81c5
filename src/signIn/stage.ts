import type { Failure } from '../oauth/errors.ts';

/** The stage of a sign-in, for the progress notification. */
export type SignInStage =
  | 'discovering'
  | 'waitingForBrowser'
  /** It waits for the browser too, but the user declined to let the editor open it, or copied the address. */
  | 'browserNotOpened'
  /** It waits for the browser still, as a callback was refused. */
  | 'callbackRefused'
  | 'finishing'
  /** The last two are pauses before a request is sent again. */
  | 'serverBusy'
  | 'unreachable';

/** What the user can do while the sign-in waits for the browser. */
export interface BrowserChoices {
  /** Opens the consent page again, in case the user closed its tab. */
  openAgain: () => void;
  /** Absent when no other channel is left. */
  tryNextChannel?: () => void;
}

/** Shows a stage. There are `choices` while the sign-in waits for the browser, and a `refusal` if it refused a callback. */
export type ShowStage = (stage: SignInStage, host: string, choices?: BrowserChoices, refusal?: Failure) => void;
