/** Why an agent's configuration cannot be read or changed. */
export type ConfigurationProblemKind =
  /** Its text is not what the agent's format requires. */
  | 'invalid'
  /** The servers are written in a form that cannot be extended. */
  | 'unreadable'
  /** Not a regular file, or a link to something else than one. */
  | 'notAFile'
  /** A file of another user of the computer. */
  | 'ofAnotherUser'
  | 'tooLarge'
  | 'readOnly'
  /** Another program changed it at the same time. */
  | 'changedMeanwhile'
  /** The agent's own command failed. */
  | 'commandFailed';

export class ConfigurationProblem extends Error {
  readonly kind: ConfigurationProblemKind;

  constructor(kind: ConfigurationProblemKind, options?: ErrorOptions) {
    super(`The agent's configuration cannot be changed: ${kind}.`, options);
    this.kind = kind;
  }
}
