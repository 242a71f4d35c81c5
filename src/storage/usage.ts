/**
 * Whether this installation has accounts, remembered outside the secret store: on some systems, a first look into that
 * asks the user to unlock a keyring, which is not for people who never signed in.
 */
export interface Usage {
  get(): boolean;
  set(hasAccounts: boolean): void;
}
