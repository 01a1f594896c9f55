import { STATE_CPU, STATE_LINK, STATE_MEMORY, nodeOffset } from '../scenario/system';
import type { System, SystemState } from '../scenario/system';
import type { Constraints } from './constraints';

/** Users nothing can tell apart: same access link, same levels of their devices, and the same allowed. */
export class UserGroups {
  /** Groups of the last `gather`. */
  count = 0;
  /** [users]. */
  readonly groupOf: Uint16Array;
  /** [count]: the first user of each, and how many. */
  readonly first: Uint16Array;
  readonly sizes: Uint16Array;
  private readonly keys: Float64Array;
  /** By mask: [users], equal for users of equal rows. Masks are recognised by identity, as agents' masks are. */
  private readonly rowClasses = new WeakMap<Uint8Array, Uint16Array>();

  constructor(private readonly system: System) {
    const { users } = system;
    this.groupOf = new Uint16Array(users);
    this.first = new Uint16Array(users);
    this.sizes = new Uint16Array(users);
    this.keys = new Float64Array(users);
  }

  gather(state: SystemState, { allowed }: Constraints): void {
    const classes = this.rowClassesOf(allowed);
    this.count = 0;
    for (let user = 0; user < this.system.users; user += 1) {
      const at = nodeOffset(user);
      const levels =
        state[at + STATE_CPU]! + 256 * (state[at + STATE_MEMORY]! + 256 * state[at + STATE_LINK]!);
      const key = levels + 2 ** 24 * classes[user]!;
      let group = 0;
      while (group < this.count && this.keys[group] !== key) group += 1;
      if (group === this.count) {
        this.keys[group] = key;
        this.first[group] = user;
        this.sizes[group] = 0;
        this.count += 1;
      }
      this.groupOf[user] = group;
      this.sizes[group]! += 1;
    }
  }

  private rowClassesOf(allowed: Uint8Array): Uint16Array {
    const known = this.rowClasses.get(allowed);
    if (known) return known;
    const { users, choices } = this.system;
    const rows = new Map<string, number>();
    const classes = Uint16Array.from({ length: users }, (_, user) => {
      const row = String.fromCharCode(...allowed.subarray(user * choices, (user + 1) * choices));
      const index = rows.get(row) ?? rows.size;
      rows.set(row, index);
      return index;
    });
    this.rowClasses.set(allowed, classes);
    return classes;
  }
}
