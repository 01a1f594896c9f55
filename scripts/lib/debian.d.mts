export interface DebianNeed {
  /** Names of one package in different releases. */
  readonly packages: readonly string[];
  readonly for: string;
}
export function ensureDebianPackages(needs?: readonly DebianNeed[]): Promise<readonly string[]>;
