/** How often a box is looked at; shorter in tests. */
export interface FleetTimes {
  readonly pingMs: number;
  /** While no console shows the fleet. */
  readonly idlePingMs: number;
  /** Online for so long, its next loss is news. */
  readonly steadyMs: number;
  /** Its first answer. */
  readonly helloMs: number;
  readonly figuresMs: number;
}

export const FLEET_TIMES: FleetTimes = {
  pingMs: 5000,
  idlePingMs: 30_000,
  steadyMs: 30_000,
  helloMs: 10_000,
  figuresMs: 500,
};
