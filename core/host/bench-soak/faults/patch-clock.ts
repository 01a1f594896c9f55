/** Makes `Date` tell a wall clock that is wrong; clocks that never jump, such as `performance.now`, are left alone. */
export function patchClock(offsetMs: () => number): void {
  const RealDate = Date;
  const now = (): number => RealDate.now() + Math.round(offsetMs());
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as Date,
    apply: () => new RealDate(now()).toString(),
    get: (target, name) => (name === 'now' ? now : (Reflect.get(target, name) as unknown)),
  });
}
