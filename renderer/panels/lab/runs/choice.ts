/** What is chosen after a range from `anchor` to `at` was, both included. `ids`: undefined where a line is no run. */
export function withRange(
  chosen: ReadonlySet<string>,
  ids: readonly (string | undefined)[],
  anchor: number,
  at: number,
): ReadonlySet<string> {
  const next = new Set(chosen);
  for (let index = Math.min(anchor, at); index <= Math.max(anchor, at); index++) {
    const id = ids[index];
    if (id !== undefined) next.add(id);
  }
  return next;
}

/** Chooses all of them, or none of them if all were. */
export function toggled(chosen: ReadonlySet<string>, ids: readonly string[]): ReadonlySet<string> {
  const next = new Set(chosen);
  const areAll = ids.every((id) => next.has(id));
  for (const id of ids) {
    if (areAll) next.delete(id);
    else next.add(id);
  }
  return next;
}
